import type { Clock } from '../protocol/clock.ts';

/** Beyond the coarse clock's own step the two have drifted apart: somebody set the wall clock. */
const toleratedDriftMs = 1.5;

/** The clock of this machine. */
export function systemClock(): Clock {
  let offset = Date.now() - performance.now();
  return {
    monotonic: () => performance.now(),
    wall: () => {
      const fine = performance.now() + offset;
      const drift = Date.now() - fine;
      if (Math.abs(drift) <= toleratedDriftMs) return fine;
      offset += drift;
      return fine + drift;
    },
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  };
}
