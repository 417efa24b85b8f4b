import type { Clock } from '../../src/protocol/clock.ts';
import type { Scheduler } from './scheduler.ts';

/** Unix milliseconds at which every simulation begins. */
export const beginning = 1_795_334_400_000;
const longestTimerMs = 2 ** 31 - 1;

/** The host of the daemon: its wall clock can be set, and it can be suspended. */
export class Host {
  readonly #scheduler: Scheduler;
  /** Wall clock minus true time, in milliseconds. */
  offset = 0;
  /** True milliseconds spent in suspend so far. */
  suspended = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  wall(): number {
    return beginning + this.#scheduler.now + this.offset;
  }

  /** The clocks as a process sees them; `owner` is its number. */
  clockOf(owner: number): Clock {
    const scheduler = this.#scheduler;
    // No process may rely on where another one's monotonic clock was.
    const base = 1_000 * owner - scheduler.now + this.suspended;
    const running = () => base + scheduler.now - this.suspended;
    let noticed = 0;
    let last = { running: running(), suspended: this.suspended, offset: this.offset };
    return {
      monotonic: () => running() + noticed,
      wall: () => this.wall(),
      look: () => {
        const suspendedMs = this.suspended - last.suspended;
        const steppedMs = this.offset - last.offset;
        noticed += suspendedMs;
        last = { running: running(), suspended: this.suspended, offset: this.offset };
        return { suspendedMs, steppedMs };
      },
      // As in Node: what no timer can keep fires after 1 ms, and nothing fires at once.
      setTimeout: (run, ms) => scheduler.at(scheduler.now + (ms > longestTimerMs ? 1 : Math.max(1, ms)), owner, run),
      clearTimeout: (handle) => scheduler.cancel(handle),
    };
  }
}
