import { describe, expect, test } from 'vitest';
import { isFailed } from '../../../src/machines/policies/backoff.ts';
import { countNotLetIn, isDoubtful, isRefusal } from '../../../src/machines/policies/dead-token.ts';
import { type FailureCode, failure, failureCodes } from '../../../src/protocol/failure.ts';

const codes = Object.keys(failureCodes) as FailureCode[];
const tried = (code: FailureCode, authenticatedForMs: number | null, wasOpen = true) => ({
  failure: failure(code, 'it ended'),
  authenticatedForMs,
  wasOpen,
});

describe('the token of a session that ended', () => {
  test.each([
    ['token-refused', null, true],
    ['token-refused', 3_600_000, true],
    ['session-expired', null, true],
    ['session-expired', 0, true],
    ['session-expired', 9_999, true],
    ['session-expired', 10_000, false],
    ['closed-by-venue', null, false],
    ['closed-unknown', 0, false],
    ['credentials-refused', null, false],
  ] as const)('with %s, %s ms after it was taken: refused? %s', (code, authenticatedForMs, expected) => {
    expect(isRefusal(tried(code, authenticatedForMs))).toBe(expected);
  });
});

describe('a row of sessions that were not let in', () => {
  test('grows with every failure but a limit, and not with what somebody has asked for', () => {
    for (const code of codes) {
      const saysNothing = failureCodes[code][0] === 'limited' || !isFailed(failure(code, 'it ended'));
      expect([code, countNotLetIn(4, tried(code, null))]).toEqual([code, saysNothing ? 4 : 5]);
    }
  });

  test('does not grow where the socket did not open', () => {
    expect(codes.map((code) => countNotLetIn(4, tried(code, null, false)))).toEqual(codes.map(() => 4));
  });

  test('ends with one that was', () => {
    expect(codes.map((code) => countNotLetIn(4, tried(code, 0)))).toEqual(codes.map(() => 0));
  });

  test('casts doubt on the token at three, and at every doubling of that', () => {
    const doubtful = (ended: Parameters<typeof isDoubtful>[1]) =>
      Array.from({ length: 100 }, (_, times) => times).filter((times) => isDoubtful(times, ended));
    expect(doubtful(tried('server-error', null))).toEqual([3, 6, 12, 24, 48, 96]);
    // The count stands still then, which must not cast the doubt again.
    expect(doubtful(tried('connection-refused', null, false))).toEqual([]);
    expect(doubtful(tried('rate-limited', null))).toEqual([]);
  });
});
