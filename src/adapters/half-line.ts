import { maxRequestLineBytes } from '../protocol/local.ts';
import type { BytePool } from './byte-pool.ts';

/** What each connection may keep of an unfinished line without asking: more than any sensible request has. */
const ownBytes = 16_384;
const smallestBytes = 256;

/** Why more cannot be kept of a line. */
export type Overflow = 'line too long' | 'pool exhausted';

/** The beginning of a line whose end has not come yet, in one buffer that grows: single bytes cost what they are. */
export class HalfLine {
  readonly #pool: BytePool;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  /** @param pool what the unfinished lines of all connections share, beyond what each has of its own */
  constructor(pool: BytePool) {
    this.#pool = pool;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends a copy of some bytes. @returns why that cannot be; then nothing has changed */
  append(bytes: Buffer): Overflow | null {
    const length = this.#length + bytes.length;
    if (length > maxRequestLineBytes) return 'line too long';
    if (length > this.#buffer.length && !this.#grow(length)) return 'pool exhausted';
    bytes.copy(this.#buffer, this.#length);
    this.#length = length;
    return null;
  }

  /** The bytes so far. What is appended or cleared later changes them. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    if (this.#length === 0) return;
    this.#pool.take(-pooled(this.#buffer.length));
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }

  #grow(length: number): boolean {
    const capacity = Math.min(Math.max(length, 2 * this.#buffer.length, smallestBytes), maxRequestLineBytes);
    if (!this.#pool.take(pooled(capacity) - pooled(this.#buffer.length))) return false;
    // Not from Buffer's shared pool: half a line may stay for long, and must not pin somebody else's bytes.
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.view().copy(grown);
    this.#buffer = grown;
    return true;
  }
}

function pooled(capacity: number): number {
  return Math.max(0, capacity - ownBytes);
}
