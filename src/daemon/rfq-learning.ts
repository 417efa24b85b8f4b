import type { EventLog } from '../log/event-log.ts';
import { RfqIndex } from '../log/rfq-index.ts';
import type { Clock } from '../protocol/clock.ts';

/** With the slices of the index, some 1,500 RFQs a second at most. */
const pauseMs = 3;

/** Has the index of RFQs read the log behind the events, in bites so small that none of them waits. */
export class RfqLearning {
  readonly index: RfqIndex;
  readonly #clock: Clock;
  #timer: unknown;

  constructor(log: EventLog, clock: Clock) {
    this.index = new RfqIndex(log);
    this.#clock = clock;
    log.attach({ ending: () => this.#learnAll() });
  }

  /** Learns what an earlier run told in the last `lookback` milliseconds. */
  start(lookback: number): void {
    void this.index.recall(this.#clock.wall() - lookback);
  }

  /** Reads a slice, and on from there until there is nothing left; at a pace no market has, events matter more. */
  readOn(): void {
    this.stop();
    const isBehind = !this.index.readOn();
    if (isBehind) this.#timer = this.#clock.setTimeout(() => this.readOn(), pauseMs);
  }

  /** How many RFQs are open at a moment (venue's unix milliseconds). */
  open(venueNow: number): number {
    this.#learnAll();
    return this.index.open(venueNow);
  }

  /** Leaves no timer behind. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #learnAll(): void {
    while (!this.index.readOn());
  }
}
