import type { Failure, FailureCode } from '../../protocol/failure.ts';

export interface BackoffSettings {
  /** Upper bound of the first delay, in milliseconds. */
  readonly min: number;
  /** Upper bound of every delay after a transient failure, in milliseconds. */
  readonly max: number;
}

export interface RetryQuestion {
  readonly failure: Failure;
  /** How many tries have failed in a row before this one, from 0. */
  readonly failedBefore: number;
  readonly settings: BackoffSettings;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

const limitedStepMs = 16_000;
const limitedMaxMs = 300_000;
/** What the venue asked for was too little where it refuses again, above all where it asked for nothing. */
const limitedLeastMs = 1_000;
const limitedLeastMaxMs = 60_000;
/** A venue that asks for more patience than this is asked again anyway: a wrong clock must not silence us for a day. */
export const longestRetryAfterMs = 3_600_000;
const slowMinMs = 5_000;
const slowMaxMs = 60_000;
const probeMinMs = 30_000;
const probeMaxMs = 300_000;

/**
 * Nothing failed, or something else sets the pace: a refused token is replaced no faster than the spacing of token
 * requests allows. The ceiling of dials holds for all of them.
 */
const wanted: readonly FailureCode[] = ['on-request', 'renewal'];
const withoutDelay: readonly FailureCode[] = [...wanted, 'token-refused'];

/**
 * How long to wait before trying again, in milliseconds, by the class of what failed:
 * - `transient`: full jitter under a doubling bound, so that a thousand clients do not come back together;
 * - `limited`: as long as the venue asked (plus up to a tenth), and no less than 1 s doubling to a minute; where it did
 *   not ask, 16 s × n up to 5 min;
 * - `protocol` and `bug`: slowly, between half and the whole of 5 s, 10 s, … 60 s;
 * - `refused`: a probe after 30 s, 60 s, … 5 min: hammering a refusal locks accounts, never asking leaves a healed
 *   venue unused all night.
 */
export function retryDelay({ failure, failedBefore, settings, random }: RetryQuestion): number {
  if (withoutDelay.includes(failure.code)) return 0;
  const doublings = 2 ** Math.min(failedBefore, 30);
  switch (failure.class) {
    case 'transient':
      return random() * Math.min(settings.max, settings.min * doublings);
    case 'limited':
      return limitedDelay(failure, failedBefore) * (1 + random() / 10);
    case 'protocol':
    case 'bug':
      return Math.min(slowMaxMs, slowMinMs * doublings) * (0.5 + random() / 2);
    case 'refused':
      return Math.min(probeMaxMs, probeMinMs * doublings);
  }
}

/** Whether something went wrong, so that the next wait is longer: not where an end was wanted. */
export function isFailed({ code }: Failure): boolean {
  return !wanted.includes(code);
}

/**
 * How long a limit holds, in milliseconds: as long as the venue said, and no less than 1 s doubling to a minute; where
 * it did not say, 16 s × n up to 5 min.
 */
export function limitedDelay({ retryAfterMs }: Failure, failedBefore: number): number {
  if (retryAfterMs === undefined) return Math.min(limitedMaxMs, limitedStepMs * (failedBefore + 1));
  const least = Math.min(limitedLeastMaxMs, limitedLeastMs * 2 ** Math.min(failedBefore, 30));
  return Math.min(longestRetryAfterMs, Math.max(least, retryAfterMs));
}

/** Never more dials than this in any minute, whatever happens. */
export const dialsPerMinute = 10;
const minuteMs = 60_000;

/**
 * The earliest moment the next dial keeps the ceiling of {@link dialsPerMinute}.
 * @param dials moments of the latest dials, oldest first
 * @param now the moment asked about, on the same clock
 */
export function earliestDial(dials: readonly number[], now: number): number {
  const limiting = dials.at(-dialsPerMinute);
  return limiting === undefined ? now : Math.max(now, limiting + minuteMs);
}

/** The latest dials that still matter to {@link earliestDial}, with one more. */
export function withDial(dials: readonly number[], now: number): readonly number[] {
  return [...dials.slice(1 - dialsPerMinute), now];
}
