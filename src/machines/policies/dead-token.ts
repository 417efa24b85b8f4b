import { isFailed } from './backoff.ts';
import type { EndedSession } from './contest.ts';

/** A session that ends with its token so soon after it was let in never had a good one. */
const soonMs = 10_000;
/** So many failed authentications in a row may be the token's fault, whatever they are called. */
const failuresOfADoubt = 3;

/** Whether a session that ended so says that the venue does not take its token, although it may live by our clock. */
export function isRefusal({ failure, authenticatedForMs }: EndedSession): boolean {
  if (failure.code === 'token-refused') return true;
  return failure.code === 'session-expired' && (authenticatedForMs ?? 0) < soonMs;
}

type NotLetIn = EndedSession & { readonly wasOpen: boolean };

/** A link that does not come about, a limit, or an end that somebody asked for says nothing about a token. */
const speaksOfTheToken = ({ failure, authenticatedForMs, wasOpen }: NotLetIn): boolean =>
  authenticatedForMs === null && wasOpen && failure.class !== 'limited' && isFailed(failure);

/** How many sessions in a row the venue did not let in, with this one. */
export function countNotLetIn(before: number, ended: NotLetIn): number {
  if (ended.authenticatedForMs !== null) return 0;
  return speaksOfTheToken(ended) ? before + 1 : before;
}

/**
 * Whether it is time to replace the token that the venue gives no reason against: after three sessions in a row that it
 * did not let in, after six, twelve and so on, so that a long outage costs few requests.
 * @param notLetIn the count with this one
 */
export function isDoubtful(notLetIn: number, ended: NotLetIn): boolean {
  if (!speaksOfTheToken(ended) || notLetIn < failuresOfADoubt) return false;
  return Number.isInteger(Math.log2(notLetIn / failuresOfADoubt));
}
