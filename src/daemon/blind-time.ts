/**
 * For how long something was not heard, in milliseconds: the time in which at least one gap was open. Moments are
 * monotonic.
 */
export class BlindTime {
  /** By the number of the gap: since when it is open. */
  readonly #open = new Map<number, number>();
  /** The time up to which everything is counted, and how much of it was blind. */
  #countedUntil = Number.NEGATIVE_INFINITY;
  #counted = 0;
  /** From when to when it was blind since then, as far as is known: gaps that are open overlap, as all of them still are. */
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  begin(gap: number, since: number): void {
    this.#open.set(gap, since);
    this.#from = Math.min(this.#from, Math.max(since, this.#countedUntil));
  }

  end(gap: number, until: number): void {
    if (!this.#open.delete(gap)) return;
    this.#until = Math.max(this.#until, until);
    if (this.#open.size > 0) return;
    this.#counted += Math.max(0, this.#until - this.#from);
    this.#countedUntil = Math.max(this.#countedUntil, this.#until);
    this.#from = Number.POSITIVE_INFINITY;
    this.#until = Number.NEGATIVE_INFINITY;
  }

  /** @param now the open ones count up to then */
  total(now: number): number {
    const running = this.#open.size === 0 ? 0 : Math.max(this.#until, now) - this.#from;
    return this.#counted + Math.max(0, running);
  }
}
