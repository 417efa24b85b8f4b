import { writeNumber, writeTime } from '../mark.ts';

/** Frames that lie one behind the other in memory and go out in one write; only their marks change. */
export class Block {
  readonly #bytes: Buffer;
  /** Offset behind each frame. */
  readonly #ends: readonly number[];

  /** @param bytes about how large it is to be; it holds whole frames, at least one */
  constructor(frames: readonly Buffer[], bytes: number) {
    const taken: Buffer[] = [];
    const ends: number[] = [];
    let length = 0;
    do {
      const frame = frames[taken.length % frames.length] ?? Buffer.alloc(0);
      taken.push(frame);
      length += frame.length;
      ends.push(length);
    } while (length < bytes);
    this.#bytes = Buffer.concat(taken);
    this.#ends = ends;
  }

  /** How many frames it holds. */
  get count(): number {
    return this.#ends.length;
  }

  /** Numbers the first `count` frames from `first` on and dates them; the bytes to be written. */
  marked(first: number, count: number, nanoseconds: number): Buffer {
    for (let index = 0; index < count; index += 1) {
      const end = this.#ends[index] ?? 0;
      writeNumber(this.#bytes, end, first + index);
      writeTime(this.#bytes, end, nanoseconds);
    }
    return this.#bytes.subarray(0, this.#ends[count - 1] ?? 0);
  }
}
