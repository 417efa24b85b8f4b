import type { BytePool } from '../byte-pool.ts';

/** What one call holds of the memory for bodies that have to be there as a whole, until the call has ended. */
export class BodyShare implements Disposable {
  readonly #pool: BytePool;
  #bytes = 0;

  constructor(pool: BytePool) {
    this.#pool = pool;
  }

  /** Bytes that all callers may hold together. */
  get most(): number {
    return this.#pool.most;
  }

  /** @returns whether there were so many bytes more */
  take(bytes: number): boolean {
    if (!this.#pool.take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  [Symbol.dispose](): void {
    this.#pool.take(-this.#bytes);
    this.#bytes = 0;
  }
}
