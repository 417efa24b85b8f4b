import { setImmediate as nextTurn } from 'node:timers/promises';
import { monotonic } from '../monotonic.ts';
import type { FlatOut, Paced, Sent } from './api.ts';
import { Block } from './block.ts';
import type { Progress } from './progress.ts';
import { realisticFrames, smallFrames } from './templates.ts';
import type { Connection, FeedVenue } from './venue.ts';

/** As much as a reader takes off a socket at a time. */
const blockBytes = 65_536;
const blockCount = 4;
const nanosecondsPerMs = 1e6;

/** Sends numbered events to one contender at a time. The numbers go on from one measurement to the next. */
export class Sending {
  readonly #venue: FeedVenue;
  readonly #progress: Progress;
  readonly #blocks = { realistic: blocksOf(realisticFrames()), small: blocksOf(smallFrames()) };
  readonly #singles = realisticFrames().map((frame) => new Block([frame], 1));
  #next = 1;

  constructor(venue: FeedVenue, progress: Progress) {
    this.#venue = venue;
    this.#progress = progress;
  }

  get nextNumber(): number {
    return this.#next;
  }

  async flatOut({ target, ms, count = Number.POSITIVE_INFINITY, window, size }: FlatOut): Promise<Sent> {
    const { stream } = await this.#venue.connection(target);
    const free = [...this.#blocks[size]];
    let freed = Promise.withResolvers<void>();
    const first = this.#next;
    const startedAt = monotonic();
    const until = startedAt + ms * nanosecondsPerMs;
    const alarm = setTimeout(() => this.#progress.wake(), ms);
    // What went before has arrived, or never will.
    const before = first - 1;
    for (let now = startedAt; now < until && this.#next - first < count; now = monotonic()) {
      const ahead = this.#next - 1 - Math.max(before, this.#progress.reached);
      if (ahead >= window) {
        await this.#progress.further();
        continue;
      }
      const block = free.pop();
      if (block === undefined) {
        await freed.promise;
        freed = Promise.withResolvers();
        continue;
      }
      const frames = Math.min(block.count, window - ahead, count - (this.#next - first));
      stream.write(block.marked(this.#next, frames, now), () => {
        free.push(block);
        freed.resolve();
      });
      this.#next += frames;
      // A write that completes at once calls back without a turn: heartbeats and progress would never be read.
      await nextTurn();
    }
    clearTimeout(alarm);
    return { first, last: this.#next - 1, startedAt, endedAt: monotonic() };
  }

  async paced({ target, perSecond, count }: Paced): Promise<Sent> {
    const connection = await this.#venue.connection(target);
    const period = 1e9 / perSecond;
    const first = this.#next;
    const startedAt = monotonic();
    let due = startedAt;
    for (let sent = 0; sent < count; sent += 1) {
      sleepUntil(due);
      this.#sendOne(connection);
      // What is late stays late: catching up would be a burst, and this is not about bursts.
      due = Math.max(due + period, monotonic());
      await nextTurn();
    }
    return { first, last: this.#next - 1, startedAt, endedAt: monotonic() };
  }

  #sendOne({ stream }: Connection): void {
    const single = this.#singles[this.#next % this.#singles.length];
    // A copy, as what the socket does not take at once must not change before it has gone.
    stream.write(Buffer.from(single?.marked(this.#next, 1, monotonic()) ?? []));
    this.#next += 1;
  }
}

function blocksOf(frames: readonly Buffer[]): readonly Block[] {
  return Array.from({ length: blockCount }, () => new Block(frames, blockBytes));
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps to within about 0.1 ms, where a timer of the event loop has 1 ms: a futex with a time-out. */
function sleepUntil(nanoseconds: number): void {
  const ms = (nanoseconds - monotonic()) / nanosecondsPerMs;
  if (ms > 0) Atomics.wait(sleeper, 0, 0, ms);
}
