import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  earliestRequest,
  freshTokenRefusalsTolerated,
  refreshDelay,
  tokenRequestSpacingMs,
  tokenRequestsPerMinute,
  withRequest,
} from '../../../src/machines/policies/token-times.ts';

const usual = { refreshAt: 0.8, refreshMargin: 60_000 };
const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;

describe('the refresh of a token', () => {
  test.each([
    // life, random, expected
    ['an hour, middle of the spread', 60 * minute, 0.5, 48 * minute],
    ['an hour, earliest', 60 * minute, 0, 45.6 * minute],
    ['five minutes, middle of the spread', 5 * minute, 0.5, 4 * minute],
    ['five minutes, where the spread would pass the margin', 5 * minute, 0.99, 4 * minute],
    ['four minutes: the margin rules', 4 * minute, 0.99, 3 * minute],
    ['a minute: a quarter of the life is the margin', minute, 0.99, 45 * second],
    ['one second', second, 0.5, 750],
    ['a hundred days', 100 * day, 0.5, 80 * day],
  ])('comes for %s after the right time', (_, life, random, expected) => {
    expect(refreshDelay(life, usual, () => random)).toBeCloseTo(expected, 3);
  });

  test('comes at 80 % of the life, 5 % of that sooner or later, and never within the margin before expiry', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: second, max: 100 * day }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (life, random) => {
          const delay = refreshDelay(life, usual, () => random);
          const margin = Math.min(usual.refreshMargin, life / 4);
          expect(delay).toBeLessThanOrEqual(life - margin);
          expect(delay).toBeLessThanOrEqual(life * 0.8 * 1.05);
          expect(delay).toBeGreaterThanOrEqual(Math.min(life * 0.8 * 0.95, life - margin));
        },
      ),
    );
  });

  test('is never planned before the request, whatever the settings', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 * day }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 200 * day }),
        (life, refreshAt, refreshMargin) => {
          const delay = refreshDelay(life, { refreshAt, refreshMargin }, () => 0);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(life * 0.95);
        },
      ),
    );
  });

  test('is spread: two hosts that started together do not ask together', () => {
    expect(refreshDelay(60 * minute, usual, () => 0)).not.toBe(refreshDelay(60 * minute, usual, () => 0.9));
  });
});

describe('the ceiling of token requests', () => {
  const every5s = Array.from({ length: tokenRequestsPerMinute }, (_, index) => index * 5 * second);

  test('lets eleven requests of the last minute be followed at once', () => {
    expect([earliestRequest([], 7), earliestRequest(every5s.slice(1), minute - 1)]).toEqual([7, minute - 1]);
  });

  test('has the thirteenth wait until the first of the twelve before it is a minute old', () => {
    expect(earliestRequest(every5s, 56 * second)).toBe(minute);
    expect(earliestRequest(every5s, 61 * second)).toBe(61 * second);
    expect(earliestRequest([-1_000, ...every5s], 56 * second)).toBe(minute);
  });

  test('needs the latest twelve only', () => {
    expect(withRequest(every5s, minute)).toEqual([...every5s.slice(1), minute]);
    expect(withRequest([], 3)).toEqual([3]);
  });

  test('holds in every minute, however the wishes come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 10_000 }), { maxLength: 60 }), (pauses) => {
        const made: number[] = [];
        let known: readonly number[] = [];
        let now = 0;
        for (const pause of pauses) {
          now = earliestRequest(known, now + pause);
          made.push(now);
          known = withRequest(known, now);
        }
        for (const [index, at] of made.entries()) {
          expect((made[index + tokenRequestsPerMinute] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(
            minute,
          );
        }
      }),
    );
  });
});

test('the numbers: twelve requests a minute, 5 s between two, and three fresh tokens may be refused', () => {
  expect({ tokenRequestsPerMinute, tokenRequestSpacingMs, freshTokenRefusalsTolerated }).toEqual({
    tokenRequestsPerMinute: 12,
    tokenRequestSpacingMs: 5_000,
    freshTokenRefusalsTolerated: 3,
  });
});
