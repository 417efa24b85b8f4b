import type { Failure } from '../../protocol/failure.ts';

/** A session that ends with its token so soon after it was let in never had a good one. */
const soonMs = 10_000;
/** So many failed authentications in a row may be the token's fault, whatever they are called. */
const failuresOfADoubt = 3;

export interface TriedToken {
  readonly failure: Failure;
  /** How long ago the venue took the token; null when it did not. */
  readonly authenticatedForMs: number | null;
}

/** Whether a session that ended so says that the venue does not take its token, although it may live by our clock. */
export function isRefusal({ failure, authenticatedForMs }: TriedToken): boolean {
  if (failure.code === 'token-refused') return true;
  return failure.code === 'session-expired' && (authenticatedForMs ?? 0) < soonMs;
}

/** How many sessions in a row the venue did not let in, with this one. */
export function countNotLetIn(
  before: number,
  { failure, authenticatedForMs, wasOpen }: TriedToken & { readonly wasOpen: boolean },
): number {
  if (authenticatedForMs !== null) return 0;
  // Neither a link that does not come about nor a limit says anything about a token.
  return wasOpen && failure.class !== 'limited' ? before + 1 : before;
}

/**
 * Whether it is time to replace the token that the venue gives no reason against: after three sessions in a row that it
 * did not let in, after six, twelve and so on, so that a long outage costs few requests.
 */
export function isDoubtful(notLetIn: number): boolean {
  return notLetIn >= failuresOfADoubt && Number.isInteger(Math.log2(notLetIn / failuresOfADoubt));
}
