/** How often it is said at most, in milliseconds. */
const pauseMs = 60_000;

/**
 * Says that frames come in which figd finds no channel. They are published, but on a channel that nobody may read; of a
 * venue that speaks in a way figd does not know that would be all of them.
 */
export class UnroutedWatch {
  readonly #now: () => number;
  readonly #tell: (frames: number) => void;
  #told = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  /** @param now monotonic milliseconds @param tell gets how many have come since it was told the last time */
  constructor(now: () => number, tell: (frames: number) => void) {
    this.#now = now;
    this.#tell = tell;
  }

  /** To be called every second or so. @param frames how many have come since the start */
  look(frames: number): void {
    if (frames === this.#told || this.#now() - this.#toldAt < pauseMs) return;
    this.#toldAt = this.#now();
    this.#tell(frames - this.#told);
    this.#told = frames;
  }
}
