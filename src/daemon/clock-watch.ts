import type { Clock } from '../protocol/clock.ts';

/** What went wrong with time. Lengths in milliseconds. */
export interface TimeJump {
  /**
   * `suspend`: the host slept. `stall`: the process did not run (stopped, swapped out, a full processor). `step`:
   * somebody set the wall clock; `ms` is above zero when it was set forward.
   */
  readonly kind: 'suspend' | 'stall' | 'step';
  readonly ms: number;
}

/** Busy event loops are late by tens of milliseconds; by more than this they did not run. */
const lateMs = 500;

/** Notices what timers cannot: that time passed without them. Somebody has to {@link tick} every `intervalMs`. */
export class ClockWatch {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #onJump: (jump: TimeJump) => void;
  #lookedAt: number;
  /** When the next tick is due. */
  #dueAt: number;
  #absence: { readonly from: number; readonly to: number } | null = null;

  constructor(clock: Clock, intervalMs: number, onJump: (jump: TimeJump) => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#onJump = onJump;
    this.#lookedAt = clock.monotonic();
    this.#dueAt = this.#lookedAt + intervalMs;
  }

  /** The look that a timer has made. */
  tick(): void {
    this.look();
    this.#dueAt = this.#lookedAt + this.#intervalMs;
  }

  /** Compares the clocks. To be called as well before anybody judges why something ended: the timers may all be late. */
  look(): void {
    const { suspendedMs, steppedMs } = this.#clock.look();
    const from = this.#lookedAt;
    const to = this.#clock.monotonic();
    const away = to - this.#dueAt > lateMs || suspendedMs > lateMs;
    this.#lookedAt = to;
    if (away) {
      this.#absence = { from, to };
      this.#dueAt = to + this.#intervalMs;
    }
    if (steppedMs !== 0) this.#onJump({ kind: 'step', ms: steppedMs });
    if (away) this.#onJump({ kind: suspendedMs > 0 ? 'suspend' : 'stall', ms: to - from });
  }

  /**
   * When figd was last there before an absence that no heartbeat has bridged yet; null where there was none. What was
   * read since then may have been sent at any time since then.
   * @param provenAt since when it is known to be read in time (monotonic): its latest heartbeat that was answered left
   * then, or it was dialled; null where neither is known
   */
  awaySince(provenAt: number | null): number | null {
    if (this.#absence === null) return null;
    return provenAt !== null && provenAt >= this.#absence.to ? null : this.#absence.from;
  }
}
