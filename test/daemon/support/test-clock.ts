import type { Clock, ClockLook } from '../../../src/protocol/clock.ts';
import { VirtualTime } from '../../machines/support/virtual-time.ts';

/** Unix milliseconds at which every test begins. */
export const epoch = 1_795_334_400_000;

/** A host's clocks, which the test advances, sets and stops. */
export class TestClock implements Clock {
  readonly time = new VirtualTime();
  #stepped = 0;
  #unseen: ClockLook = { suspendedMs: 0, steppedMs: 0 };

  /** As CLOCK_MONOTONIC, it does not count time in suspend before somebody has looked. */
  readonly monotonic = (): number => this.time.now() - this.#unseen.suspendedMs;
  readonly wall = (): number => epoch + this.time.now() + this.#stepped;

  readonly look = (): ClockLook => {
    const seen = this.#unseen;
    this.#unseen = { suspendedMs: 0, steppedMs: 0 };
    return seen;
  };

  readonly setTimeout = (run: () => void, ms: number): unknown => this.time.clock.setTimeout(run, ms);
  readonly clearTimeout = (handle: unknown): void => this.time.clock.clearTimeout(Number(handle));

  /** The process does not run for so long. */
  stall(ms: number): void {
    this.time.sleep(ms);
  }

  /** The host sleeps for so long. */
  suspend(ms: number): void {
    this.time.sleep(ms);
    this.#unseen = { ...this.#unseen, suspendedMs: this.#unseen.suspendedMs + ms };
  }

  /** Somebody sets the wall clock. */
  step(ms: number): void {
    this.#stepped += ms;
    this.#unseen = { ...this.#unseen, steppedMs: this.#unseen.steppedMs + ms };
  }
}
