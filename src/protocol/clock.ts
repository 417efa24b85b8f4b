import type { Timers } from './request-table.ts';

/** Time, injected so that the same code runs in real and in virtual time. */
export interface Clock extends Timers {
  /** Milliseconds that never jump: for lengths, deadlines and expiry. */
  monotonic(): number;
  /** Unix milliseconds with a microsecond fraction: for what people and other programs read. */
  wall(): number;
}
