import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clampDelay, longestTimerMs } from '../../../src/machines/policies/delay.ts';

describe('a delay handed to a timer', () => {
  test.each([
    [0, 0],
    [-0, 0],
    [-1, 0],
    [Number.NEGATIVE_INFINITY, 0],
    [Number.NaN, 0],
    [Number.MIN_VALUE, 1],
    [0.3, 1],
    [1, 1],
    [1.000_1, 2],
    [10_000, 10_000],
    [2_147_483_646.5, 2_147_483_647],
    [2_147_483_647, 2_147_483_647],
    [2_147_483_648, 2_147_483_647],
    [Number.MAX_VALUE, 2_147_483_647],
    [Number.POSITIVE_INFINITY, 2_147_483_647],
  ])('of %d ms becomes %d ms', (wanted, given) => {
    expect(clampDelay(wanted)).toBe(given);
  });

  test('is always a whole number a timer keeps, and never shorter than wanted unless no timer could keep it', () => {
    fc.assert(
      fc.property(fc.double(), (wanted) => {
        const given = clampDelay(wanted);
        expect(Number.isInteger(given)).toBe(true);
        expect(given).toBeGreaterThanOrEqual(0);
        expect(given).toBeLessThanOrEqual(longestTimerMs);
        if (wanted <= longestTimerMs) expect(given).toBeGreaterThanOrEqual(wanted);
      }),
    );
  });
});
