import { expect, it } from 'vitest';
import { rateLimitOf } from '../../src/adapters/rate-limit-headers.ts';

const wall = 1_795_334_400_000;
const date = new Date(wall).toUTCString();
const inTenSeconds = String(wall / 1_000 + 10);
const headers = {
  date,
  'x-ratelimit-limit': '1000',
  'x-ratelimit-remaining': '0',
  'x-ratelimit-reset': inTenSeconds,
};

it('reads limit, what is left of it and when there is more', () => {
  expect(rateLimitOf({ status: 200, headers }, wall)).toEqual({
    status: 200,
    limit: 1_000,
    remaining: 0,
    resetInMs: 10_000,
  });
});

it('reads of a refusal how long it asks to stay away', () => {
  expect(rateLimitOf({ status: 429, headers }, wall)).toMatchObject({ retryAfterMs: 10_000 });
  expect(rateLimitOf({ status: 429, headers: { ...headers, 'retry-after': '3' } }, wall)).toMatchObject({
    resetInMs: 10_000,
    retryAfterMs: 3_000,
  });
  const body = `{"error":"Too Many Requests","limit":1000,"window":60,"reset":${inTenSeconds}}`;
  expect(rateLimitOf({ status: 429, headers: { date }, body }, wall)).toEqual({ status: 429, retryAfterMs: 10_000 });
});

it('measures the reset by the clock of the venue, whatever ours says', () => {
  expect(rateLimitOf({ status: 200, headers }, wall + 50_000)).toMatchObject({ resetInMs: 10_000 });
});

it.each([
  ['nothing', {}],
  ['a limit of nothing', { 'x-ratelimit-limit': '0' }],
  ['words', { 'x-ratelimit-limit': 'many', 'x-ratelimit-remaining': '' }],
  ['a part of a request', { 'x-ratelimit-remaining': '1.5' }],
  ['less than nothing', { 'x-ratelimit-remaining': '-1' }],
  ['a reset of nothing that is told', { 'x-ratelimit-reset': inTenSeconds }],
])('takes nothing from %s', (_, odd) => {
  expect(rateLimitOf({ status: 200, headers: odd }, wall)).toEqual({ status: 200 });
});

it('takes the first of several values', () => {
  expect(rateLimitOf({ status: 200, headers: { 'x-ratelimit-remaining': ['7', '8'] } }, wall)).toMatchObject({
    remaining: 7,
  });
});
