import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  freshTokenRefusalsTolerated,
  refreshDelay,
  tokenRequestSpacingMs,
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

test('the venue sees at most twelve token requests a minute, and three fresh tokens may be refused', () => {
  expect({ tokenRequestSpacingMs, freshTokenRefusalsTolerated }).toEqual({
    tokenRequestSpacingMs: 5_000,
    freshTokenRefusalsTolerated: 3,
  });
});
