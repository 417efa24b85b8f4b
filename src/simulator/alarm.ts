import type { Clock } from './ports.ts';

/** The longest delay a Node timer takes; a longer one would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** A deadline in unix ms that can be moved and cancelled; deadlines beyond the reach of one timer are waited for in steps. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: unknown;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `deadline`, instead of any earlier setting; never before the current turn has ended. */
  set(deadline: number): void {
    this.cancel();
    const remaining = Math.max(0, deadline - this.#clock.now());
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = undefined;
        // A timer may fire a fraction early, and a long deadline is reached in steps.
        if (this.#clock.now() < deadline) this.set(deadline);
        else this.#ring();
      },
      Math.min(Math.ceil(remaining), longestTimer),
    );
  }

  cancel(): void {
    if (this.#timer === undefined) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
