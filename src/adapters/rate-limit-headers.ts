import type { RateLimit } from '../gateway/request-budget.ts';
import type { HttpAnswer } from './http-failures.ts';
import { limitResetHeader, numeric, one, retryAfter } from './retry-after.ts';

/** An answer as far as its head goes; the body of a refusal may name a time too, where it is there already. */
export type AnswerHead = Pick<HttpAnswer, 'status' | 'headers'> & { readonly body?: string };

/**
 * What an answer tells about the venue's rate limit: `X-RateLimit-Limit`, `-Remaining` and `-Reset`, and, of a refusal,
 * how long it asks to stay away.
 * @param wall unix milliseconds
 */
export function rateLimitOf({ status, headers, body = '' }: AnswerHead, wall: number): RateLimit {
  const remaining = wholeFrom(0, headers['x-ratelimit-remaining']);
  return {
    status,
    limit: wholeFrom(1, headers['x-ratelimit-limit']),
    remaining,
    resetInMs: remaining === undefined ? undefined : limitResetHeader({ headers }, wall),
    retryAfterMs: status === 429 ? retryAfter({ status, headers, body }, wall) : undefined,
  };
}

function wholeFrom(smallest: number, header: HttpAnswer['headers'][string]): number | undefined {
  const value = numeric(one(header));
  return value !== undefined && Number.isInteger(value) && value >= smallest ? value : undefined;
}
