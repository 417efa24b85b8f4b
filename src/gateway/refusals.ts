import { type Failure, failure } from '../protocol/failure.ts';

/** Why there is no room for a request, and for how long. */
export interface Shortage {
  /** Requests in any minute. */
  readonly limit: number;
  /** How many of them figd and its callers hold. */
  readonly used: number;
  /** How many others hold. */
  readonly others: number;
  /** `closed`: the venue has refused a request for its limit. `unseen`: it has not told lately what it counts. */
  readonly because: 'used' | 'closed' | 'unseen';
  /** Until there may be room, in milliseconds; 0 where nobody can know. */
  readonly waitMs: number;
}

/** What is told where nobody can know when there is room again. */
const soonMs = 1_000;

/** A request finds no room in time. */
export function noRoom({ limit, used, others, because, waitMs }: Shortage): Failure {
  if (because === 'closed') return refusal('the venue refuses requests for its rate limit (HTTP 429)', waitMs);
  if (because === 'unseen') return refusal('the venue has yet to answer what figd asks it at present', waitMs);
  const elsewhere = others === 0 ? '' : `, some ${others} by others with the same key or address`;
  const users = `${used} are used by figd and the programs on this host${elsewhere}`;
  return refusal(`the venue allows ${limit} HTTP requests a minute: ${users}, and what is left is reserved`, waitMs);
}

/** Too many requests wait already. */
export function queueFull(waitMs: number): Failure {
  return refusal("too many requests wait for room in the venue's limit of HTTP requests already", waitMs);
}

function refusal(words: string, waitMs: number): Failure {
  const retryAfterMs = waitMs > 0 ? Math.ceil(waitMs) : soonMs;
  return failure('rate-limited', `${words}; try again in ${Math.ceil(retryAfterMs / 100) / 10} s`, retryAfterMs);
}
