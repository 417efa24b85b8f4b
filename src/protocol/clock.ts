import type { Timers } from './request-table.ts';

/** Time, injected so that the same code runs in real and in virtual time. */
export interface Clock extends Timers {
  /**
   * Milliseconds that never jump back: for lengths, deadlines and expiry. Time in which the host was suspended counts
   * from the {@link look} on that notices it.
   */
  monotonic(): number;
  /** Unix milliseconds with a microsecond fraction: for what people and other programs read. */
  wall(): number;
  /** Compares the host's clocks; to be called every second or so. */
  look(): ClockLook;
}

/** A monotonic moment in unix milliseconds, by the wall clock as it is set now. */
export function wallAt(clock: Pick<Clock, 'monotonic' | 'wall'>, monotonic: number): number {
  return clock.wall() - (clock.monotonic() - monotonic);
}

/** What happened to the clocks since the last look, in milliseconds. */
export interface ClockLook {
  /** How long the host was suspended. */
  readonly suspendedMs: number;
  /** By how much the wall clock was set: forward is above zero. */
  readonly steppedMs: number;
}
