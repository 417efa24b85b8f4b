/** Memory for bodies that have to be there as a whole, of all callers together. */
export class BodyMemory {
  readonly #most: () => number;
  #taken = 0;

  /** @param most bytes */
  constructor(most: () => number) {
    this.#most = most;
  }

  get most(): number {
    return this.#most();
  }

  /** Bytes in use. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes a number of bytes, or gives them back where it is negative. @returns whether there were as many */
  take(bytes: number): boolean {
    if (bytes > 0 && this.#taken + bytes > this.most) return false;
    this.#taken += bytes;
    return true;
  }
}

/** What one call holds of it, until the call has ended. */
export class BodyShare implements Disposable {
  readonly #memory: BodyMemory;
  #bytes = 0;

  constructor(memory: BodyMemory) {
    this.#memory = memory;
  }

  /** Bytes that all callers may hold together. */
  get most(): number {
    return this.#memory.most;
  }

  /** @returns whether there were so many bytes more */
  take(bytes: number): boolean {
    if (!this.#memory.take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  [Symbol.dispose](): void {
    this.#memory.take(-this.#bytes);
    this.#bytes = 0;
  }
}
