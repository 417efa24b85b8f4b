import { describe, expect, it } from 'vitest';
import type { HttpAnswer } from '../../src/adapters/http-failures.ts';
import { retryAfter, waitInData, waitInWords } from '../../src/adapters/retry-after.ts';

/** The right time. */
const now = Date.UTC(2026, 10, 22, 12);
const hour = 3_600_000;
const day = 24 * hour;
const inSeconds = (seconds: number) => String(now / 1_000 + seconds);
const dated = (ms: number) => new Date(now + ms).toUTCString();

const asked = (headers: HttpAnswer['headers'], body = '', wall = now) =>
  retryAfter({ status: 429, headers, body }, wall);

describe('how long an HTTP answer asks to wait', () => {
  it.each<[string, HttpAnswer['headers'], string, number | undefined]>([
    ['nothing said', {}, '', undefined],
    ['Retry-After in seconds', { 'retry-after': '7' }, '', 7_000],
    ['Retry-After of nought', { 'retry-after': '0' }, '', 0],
    ['Retry-After as a date', { 'retry-after': dated(9_000) }, '', 9_000],
    ['Retry-After in the past, by our own clock', { 'retry-after': dated(-9_000) }, '', undefined],
    ["Retry-After in the past, by the venue's clock", { 'retry-after': dated(-9_000), date: dated(0) }, '', 0],
    ['a negative Retry-After', { 'retry-after': '-5' }, '', 0],
    ['a Retry-After of a day', { 'retry-after': '86400' }, '', hour],
    ['a Retry-After twice', { 'retry-after': ['3', '5'] }, '', 3_000],
    ['an empty Retry-After', { 'retry-after': '' }, '', undefined],
    ['a Retry-After that is rubbish', { 'retry-after': 'soon' }, '', undefined],
    ['rubbish that passes for a date', { 'retry-after': 'later 5', date: dated(0) }, '', undefined],
    ['rubbish, with a reset', { 'retry-after': 'soon', 'x-ratelimit-reset': inSeconds(4) }, '', 4_000],
    ['X-RateLimit-Reset', { 'x-ratelimit-reset': inSeconds(30) }, '', 30_000],
    ['X-RateLimit-Reset in milliseconds', { 'x-ratelimit-reset': String(now + 30_000) }, '', 30_000],
    ['X-RateLimit-Reset in the past', { 'x-ratelimit-reset': inSeconds(-30) }, '', undefined],
    ['X-RateLimit-Reset that is no moment', { 'x-ratelimit-reset': '30', date: dated(0) }, '', undefined],
    ['both', { 'retry-after': '2', 'x-ratelimit-reset': inSeconds(30) }, '', 2_000],
    ['the reset of the body', {}, JSON.stringify({ reset: Number(inSeconds(5)) }), 5_000],
    ['a body without one', {}, JSON.stringify({ reset: null }), undefined],
    ['a body whose reset is nested', {}, JSON.stringify({ reset: [[5]] }), undefined],
    ['a body that is not JSON', {}, '<html>', undefined],
  ])('%s', (_what, headers, body, expected) => {
    expect(asked(headers, body)).toBe(expected);
  });

  describe.each([
    ['50 s fast', 50_000],
    ['50 s slow', -50_000],
    ['an hour fast', hour],
    ['an hour slow', -hour],
  ])('on a host whose clock is %s', (_what, error) => {
    it.each<[string, HttpAnswer['headers'], string, number]>([
      ['Retry-After in seconds', { 'retry-after': '7' }, '', 7_000],
      ['Retry-After as a date', { 'retry-after': dated(9_000) }, '', 9_000],
      ['X-RateLimit-Reset', { 'x-ratelimit-reset': inSeconds(30) }, '', 30_000],
      ['X-RateLimit-Reset in the past', { 'x-ratelimit-reset': inSeconds(-30) }, '', 0],
      ['the reset of the body', {}, JSON.stringify({ reset: Number(inSeconds(5)) }), 5_000],
    ])("%s is measured by the answer's Date", (_name, headers, body, expected) => {
      expect(asked({ date: dated(0), ...headers }, body, now + error)).toBe(expected);
    });
  });

  it('without a Date never waits longer than figd would, nor not at all', () => {
    const headers = { 'x-ratelimit-reset': inSeconds(30) };
    const byError = [-2 * hour, -hour, -50_000, 0, 29_000, 50_000, hour].map((error) =>
      asked(headers, '', now + error),
    );
    expect(byError).toEqual([hour, hour, 80_000, 30_000, 1_000, undefined, undefined]);
  });

  it.each([
    ['rubbish', 'yesterday'],
    ['empty', ''],
    ['of 1970', new Date(0).toUTCString()],
    ['more than a day ahead', dated(day + 1_000)],
    ['more than a day behind', dated(-day - 1_000)],
  ])('does not believe a Date that is %s', (_what, date) => {
    expect(asked({ date, 'x-ratelimit-reset': inSeconds(30) })).toBe(30_000);
    expect(asked({ date, 'x-ratelimit-reset': inSeconds(-30) })).toBeUndefined();
  });
});

describe('how long the data of a JSON-RPC error asks to wait', () => {
  it.each<[unknown, number | undefined]>([
    [undefined, undefined],
    [null, undefined],
    ['retry after 5s', undefined],
    [{}, undefined],
    [[{ retryAfter: 5 }], undefined],
    [{ retryAfter: 5 }, 5_000],
    [{ retry_after: 0.5 }, 500],
    [{ retryAfter: '5' }, 5_000],
    [{ retryAfter: 'soon' }, undefined],
    [{ retryAfter: [[5]] }, undefined],
    [{ retryAfter: -5 }, 0],
    [{ retryAfter: 1e300 }, hour],
    [{ retryAfterMs: 1_500 }, 1_500],
    [{ retry_after_ms: 1_500 }, 1_500],
    [{ retryAfter: 5, retryAfterMs: 1_500 }, 1_500],
    [{ reset: now / 1_000 + 5 }, 5_000],
    [{ reset: now + 5_000 }, 5_000],
    [{ resetAt: now + 5_000 }, 5_000],
    [{ reset_at: String(now + 5_000) }, 5_000],
    [{ reset: now - 5_000 }, 0],
    [{ reset: 30 }, undefined],
    [{ limit: { retryAfter: 5 } }, 5_000],
    [{ limit: 'all', window: { reset: now + 5_000 } }, 5_000],
    [{ limit: { window: { retryAfter: 5 } } }, undefined],
  ])('%j: %s', (data, expected) => {
    expect(waitInData(data, { now, isVenues: true })).toBe(expected);
  });

  it('takes no moment of the past from a clock that may be wrong', () => {
    expect(waitInData({ reset: now - 5_000 }, { now, isVenues: false })).toBeUndefined();
  });
});

describe('how long words ask to wait', () => {
  it.each<[string, number | undefined]>([
    ['', undefined],
    ['rate limit exceeded', undefined],
    ['retry after 30s', 30_000],
    ['rate limit exceeded, retry in 5 seconds.', 5_000],
    ['Try again in 2 minutes', 120_000],
    ['retry again after 1 min', 60_000],
    ['retry after 250ms', 250],
    ['retry after 1.5 s', 1_500],
    ['Retry-After: 30', 30_000],
    ['retry_after=30', 30_000],
    ['retry after 9 hours', undefined],
    ['retry after 5 apples', undefined],
    ['retry after 999999999', hour],
    ['retry after a while', undefined],
    ['entry after 30s', undefined],
  ])('"%s": %s', (words, expected) => {
    expect(waitInWords(words)).toBe(expected);
  });
});
