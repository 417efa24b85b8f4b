import { uptime } from 'node:os';
import type { Clock } from '../protocol/clock.ts';

/** Beyond the coarse clock's own step the two have drifted apart: somebody set the wall clock. */
const toleratedDriftMs = 1.5;
/** The system's uptime is told in hundredths of a second, and the readings are not taken in one moment. */
const smallestJumpMs = 250;
const secondMs = 1_000;

/** The clocks that are compared, all in milliseconds. */
export interface Readings {
  /** CLOCK_MONOTONIC, which stands still while the host is suspended. */
  readonly running: () => number;
  /** CLOCK_BOOTTIME, which does not. */
  readonly sinceBoot: () => number;
  /** CLOCK_REALTIME, to the millisecond. */
  readonly unix: () => number;
}

const hostReadings: Readings = {
  running: () => performance.now(),
  // libuv reads /proc/uptime, or CLOCK_BOOTTIME: both count time in suspend.
  sinceBoot: () => uptime() * secondMs,
  unix: () => Date.now(),
};

/** The clock of this machine. */
export function systemClock({ running, sinceBoot, unix }: Readings = hostReadings): Clock {
  let offset = unix() - running();
  let suspended = 0;
  let last = { running: running(), sinceBoot: sinceBoot(), unix: unix() };
  return {
    monotonic: () => running() + suspended,
    wall: () => {
      const fine = running() + offset;
      const drift = unix() - fine;
      if (Math.abs(drift) <= toleratedDriftMs) return fine;
      offset += drift;
      return fine + drift;
    },
    look: () => {
      const now = { running: running(), sinceBoot: sinceBoot(), unix: unix() };
      const ran = now.running - last.running;
      const suspendedMs = beyondNoise(now.sinceBoot - last.sinceBoot - ran);
      const steppedMs = beyondNoise(now.unix - last.unix - ran - suspendedMs);
      last = now;
      suspended += Math.max(0, suspendedMs);
      return { suspendedMs: Math.max(0, suspendedMs), steppedMs };
    },
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  };
}

function beyondNoise(ms: number): number {
  return Math.abs(ms) < smallestJumpMs ? 0 : ms;
}
