/** How far the venue's clock is ahead of ours, in milliseconds, and by how much that may be wrong either way. */
export interface ClockReading {
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
}

/** Closer than this to the venue's, a clock is not what spoils a signature. */
const harmlessOffsetMs = 2_000;

/** The venue's clock minus ours, in milliseconds; 0 where they agree well enough, or nothing is known. */
export function skewOf(reading: ClockReading | null): number {
  if (reading === null || Math.abs(reading.offsetMs) <= reading.uncertaintyMs + harmlessOffsetMs) return 0;
  return reading.offsetMs;
}

/** @param offsetMs the venue's clock minus ours */
export function describeSkew(offsetMs: number): string {
  return `the clock of this host is about ${span(Math.abs(offsetMs))} ${offsetMs > 0 ? 'behind' : 'ahead of'} the venue's`;
}

function span(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  return seconds < 7_200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3_600).toFixed(0)} h`;
}
