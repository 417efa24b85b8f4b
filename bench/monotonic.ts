/**
 * Nanoseconds of CLOCK_MONOTONIC, which all processes of a Linux host share: what one process sent and another received
 * can be subtracted. Exact to 2 ns for the first year of uptime.
 */
export function monotonic(): number {
  return Number(process.hrtime.bigint());
}
