import type { Failure } from '../../protocol/failure.ts';
import type { CuttingTime, TokenOfSession } from '../session.events.ts';
import { longestRetryAfterMs } from './backoff.ts';

const resubscribeMinMs = 30_000;
const resubscribeAfterFailureMinMs = 1_000;
const resubscribeMaxMs = 300_000;
const rotateAgainMinMs = 5_000;
const rotateAgainMaxMs = 60_000;
/** How long before its token dies a session is cut at the latest: the venue would do it less kindly. */
const lastMomentMs = 2_000;
/** Where a second session may yet succeed, the quiet moment is looked for only so shortly before the last one. */
const lastChanceMs = 10_000;
/** After so many refusals a venue is taken to mean that it lets nobody in twice. */
const refusalsBelieved = 2;
/** Most calls are answered in a fraction of it; two sockets are not held for long on account of one that is not. */
const lastAnswersMs = 10_000;
/** A token in use, the one that follows, and one more while a second session presents it. */
const tokensRemembered = 3;

/**
 * How long to wait before channels are asked for again, in milliseconds: 30 s doubling to 5 min where the venue refused
 * them, and 1 s doubling to 5 min where it has not said no.
 */
export function resubscribeDelay(retries: number, hasFailed: boolean): number {
  const least = hasFailed ? resubscribeAfterFailureMinMs : resubscribeMinMs;
  return Math.min(resubscribeMaxMs, least * 2 ** Math.min(retries, 30));
}

/**
 * How long to wait before a second session is tried again, in milliseconds: 5 s doubling to a minute, and no less than
 * the venue asked for when it refused the last one.
 */
export function rotateAgainDelay(failedTimes: number, failure: Failure | null): number {
  const pace = Math.min(rotateAgainMaxMs, rotateAgainMinMs * 2 ** Math.min(Math.max(0, failedTimes - 1), 30));
  return Math.max(pace, limitOf(failure));
}

/** How long the venue wants to be left alone, in milliseconds, as far as that is believed. */
function limitOf(failure: Failure | null): number {
  return Math.min(failure?.retryAfterMs ?? 0, longestRetryAfterMs);
}

/**
 * How long a session that was taken over from is kept for calls on it to be answered, in milliseconds: 10 s, and no
 * longer than its token lives.
 * @param expiresAt when that is; null where it is not known
 */
export function lastAnswersDelay(expiresAt: number | null, now: number): number {
  return Math.max(0, Math.min(lastAnswersMs, (expiresAt ?? Number.POSITIVE_INFINITY) - now));
}

/** The latest tokens with one more, newest last. */
export function withToken(tokens: readonly TokenOfSession[], token: TokenOfSession): readonly TokenOfSession[] {
  return [...tokens.slice(1 - tokensRemembered), { generation: token.generation, expiresAt: token.expiresAt }];
}

/** When the token of that generation dies (monotonic milliseconds); null where that is not known. */
export function expiryOf(tokens: readonly TokenOfSession[], generation: number): number | null {
  return tokens.find((token) => token.generation === generation)?.expiresAt ?? null;
}

/** Whether a second session may yet succeed. */
function isPassing(failure: Failure | null): boolean {
  if (failure === null || failure.class === 'transient') return true;
  if (failure.class === 'limited') return failure.code !== 'too-many-sessions';
  // What one channel is refused for need not cost the others anything as long as the session has it.
  return failure.code === 'token-refused' || failure.code === 'channels-refused';
}

/**
 * When a session that cannot move to its new token is to be cut: where the venue lets no second one in, as soon as no
 * RFQ is open; where that may be a passing fault, not before the last seconds of its token. Never before a limit is over,
 * as long as its token lives: the dial that follows would be refused.
 */
export function cuttingTime({
  now,
  expiresAt,
  failure,
  failedTimes,
}: {
  readonly now: number;
  /** When the token of the session dies; null where that is not known. */
  readonly expiresAt: number | null;
  /** Why nothing took over from it the last time. */
  readonly failure: Failure | null;
  readonly failedTimes: number;
}): CuttingTime {
  if (expiresAt === null) return { from: Number.POSITIVE_INFINITY, until: null };
  const until = Math.max(now, expiresAt - lastMomentMs);
  const isForGood = !isPassing(failure) && failedTimes >= refusalsBelieved;
  const earliest = isForGood ? now : Math.max(now, until - lastChanceMs);
  return {
    from: Math.min(until, Math.max(earliest, now + limitOf(failure))),
    until,
  };
}
