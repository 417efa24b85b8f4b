/** The longest delay a JavaScript timer keeps; anything above fires after 1 ms instead (about 24.8 days). */
export const longestTimerMs = 2 ** 31 - 1;

/**
 * A delay that is safe to hand to a timer. XState and the platform fail open: `NaN`, `Infinity` and anything above
 * {@link longestTimerMs} fire at once. Whoever waits for longer re-arms when the timer fires early.
 */
export function clampDelay(ms: number): number {
  if (Number.isNaN(ms) || ms <= 0) return 0;
  return Math.min(Math.ceil(ms), longestTimerMs);
}
