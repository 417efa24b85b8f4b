import type { Clock } from './ports.ts';
import { seededRandom } from './random.ts';

/** How far the flow may fall behind a stalled event loop before it forgets the arrears, in ms. */
const maxArrears = 1000;

/**
 * Calls `step` at an average rate, with random spacing of half to one and a half times the mean. Steps that fall due
 * within the same millisecond share one timer, which is what makes thousands a second possible.
 */
export class Flow {
  readonly #clock: Clock;
  readonly #meanGap: number;
  readonly #step: (due: number) => number;
  readonly #random: () => number;
  #timer: unknown;
  #nextAt = 0;

  /** `rate` is events per second; `step` makes one or more events at its time (unix ms) and returns how many. */
  constructor(clock: Clock, rate: number, seed: number, step: (due: number) => number) {
    this.#clock = clock;
    this.#meanGap = 1000 / rate;
    this.#step = step;
    // Not the market's own sequence: two equal ones would tie spacing to what happens.
    this.#random = seededRandom(seed ^ 0x5bd1e995);
  }

  /** Starts the flow; does nothing when it runs already, or when the rate is 0. */
  start(): void {
    if (this.#timer !== undefined || !Number.isFinite(this.#meanGap)) return;
    this.#nextAt = this.#clock.now() + this.#gap();
    this.#arm();
  }

  stop(): void {
    if (this.#timer === undefined) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    const wait = Math.max(1, Math.ceil(this.#nextAt - this.#clock.now()));
    this.#timer = this.#clock.setTimeout(() => this.#tick(), wait);
  }

  #tick(): void {
    const now = this.#clock.now();
    this.#nextAt = Math.max(this.#nextAt, now - maxArrears);
    while (this.#nextAt <= now) {
      const events = this.#step(this.#nextAt);
      for (let made = 0; made < events; made += 1) this.#nextAt += this.#gap();
    }
    this.#arm();
  }

  #gap(): number {
    return this.#meanGap * (0.5 + this.#random());
  }
}
