/** Lets concurrent tests do one after the other what they measure, while others merely wait. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when all who asked before are done; the turn ends with its scope. */
  async take(): Promise<Disposable> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    await before;
    return { [Symbol.dispose]: () => turn.resolve() };
  }
}
