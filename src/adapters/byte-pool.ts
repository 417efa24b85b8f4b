/** Memory that many share: how much of it there is, and how much is in use. */
export class BytePool {
  readonly #most: () => number;
  #taken = 0;

  /** @param most bytes, as it is whenever it is asked for */
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
