import type { Framing } from './framing.ts';

/** As much of a chunk as is tried at a time to complete a frame that began in an earlier one; frames are about 1 kB. */
const stepBytes = 4_096;

/** Called with each frame: its place in `bytes`, and where the message in it ends (−1: it holds none). */
export type OnFrame = (bytes: Buffer, start: number, end: number, messageEnd: number) => void;

/** Cuts chunks, as they come from a socket, into frames. Only what spans two chunks is copied. */
export class FrameCutter {
  readonly #framing: Framing;
  readonly #onFrame: OnFrame;
  #rest: Buffer | null = null;

  constructor(framing: Framing, onFrame: OnFrame) {
    this.#framing = framing;
    this.#onFrame = onFrame;
  }

  /** Takes a chunk, which is not kept: its memory may be used again afterwards. */
  take(chunk: Buffer): void {
    let start = this.#completeRest(chunk);
    const end = chunk.length;
    while (start < end) {
      const next = this.#framing.next(chunk, start, end);
      if (next === -1) {
        this.#rest = Buffer.from(chunk.subarray(start));
        return;
      }
      this.#onFrame(chunk, start, next, this.#framing.messageEnd);
      start = next;
    }
  }

  /** Index in the chunk behind the frame that was begun before it. */
  #completeRest(chunk: Buffer): number {
    let used = 0;
    while (this.#rest !== null && used < chunk.length) {
      const kept = this.#rest.length;
      const more = chunk.subarray(used, used + stepBytes);
      const joined = Buffer.concat([this.#rest, more]);
      const next = this.#framing.next(joined, 0, joined.length);
      if (next === -1) {
        this.#rest = joined;
        used += more.length;
        continue;
      }
      this.#rest = null;
      this.#onFrame(joined, 0, next, this.#framing.messageEnd);
      used += next - kept;
    }
    return used;
  }
}
