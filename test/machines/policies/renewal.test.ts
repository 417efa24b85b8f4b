import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cuttingTime,
  expiryOf,
  lastAnswersDelay,
  resubscribeDelay,
  rotateAgainDelay,
  withToken,
} from '../../../src/machines/policies/renewal.ts';
import type { TokenOfSession } from '../../../src/machines/session.events.ts';
import { type Failure, type FailureCode, failure, failureCodes } from '../../../src/protocol/failure.ts';

const second = 1_000;
const refused = failure('too-many-sessions', 'closed with 4429');
const dropped = failure('connection-lost', 'reset');

describe('the pauses', () => {
  test('before refused channels are asked for again double from 30 s to 5 min', () => {
    expect([0, 1, 2, 3, 4, 5, 1_000].map((retries) => resubscribeDelay(retries, false))).toEqual(
      [30, 60, 120, 240, 300, 300, 300].map((seconds) => seconds * second),
    );
  });

  test('before channels are asked for again that the venue did not refuse double from 1 s to 5 min', () => {
    expect([0, 1, 2, 8, 9, 1_000].map((retries) => resubscribeDelay(retries, true))).toEqual(
      [1, 2, 4, 256, 300, 300].map((seconds) => seconds * second),
    );
  });

  test('before a second session is tried again double from 5 s to a minute', () => {
    expect([0, 1, 2, 3, 4, 5, 1_000].map((times) => rotateAgainDelay(times, dropped))).toEqual(
      [5, 5, 10, 20, 40, 60, 60].map((seconds) => seconds * second),
    );
  });

  test.each([
    [300, 1, 300],
    [7, 1, 7],
    [7, 3, 20],
    [0, 1, 5],
  ])(
    'last as long as a limit of %i s that the venue named, where that is longer: after %i failures %i s',
    (asked, times, expected) => {
      expect(rotateAgainDelay(times, failure('rate-limited', 'HTTP 429', asked * second))).toBe(expected * second);
    },
  );
});

describe('the tokens of a session', () => {
  const token = (generation: number): TokenOfSession => ({ generation, expiresAt: generation * 100 });

  test('are the latest three', () => {
    const known = [1, 2, 3, 4].map(token).reduce<readonly TokenOfSession[]>(withToken, []);
    expect(known).toEqual([token(2), token(3), token(4)]);
    expect([1, 2, 4].map((generation) => expiryOf(known, generation))).toEqual([null, 200, 400]);
  });

  test('take nothing with them but generation and expiry', () => {
    const told = { type: 'token.renewed', ...token(1) };
    expect(withToken([], told)).toEqual([token(1)]);
  });
});

describe('a session that cannot move to its new token', () => {
  const expiresAt = 600 * second;
  const cases: Readonly<
    Record<
      string,
      readonly [
        { failure: Failure | null; failedTimes: number; expiresAt?: number | null; now?: number },
        readonly [number, number | null],
      ]
    >
  > = {
    'is cut at the quietest moment from now on, once two refusals said that nobody is let in twice': [
      { failure: refused, failedTimes: 2 },
      [0, 598 * second],
    ],
    'is not cut for one refusal before the last ten seconds': [
      { failure: refused, failedTimes: 1 },
      [588 * second, 598 * second],
    ],
    'is not cut for a passing fault before the last ten seconds, however often': [
      { failure: dropped, failedTimes: 50 },
      [588 * second, 598 * second],
    ],
    'is not cut for a refused token before the last ten seconds: another one is on its way': [
      { failure: failure('token-refused', 'auth: invalid token'), failedTimes: 5 },
      [588 * second, 598 * second],
    ],
    'is not cut early where nobody knows what is wrong': [
      { failure: null, failedTimes: 9 },
      [588 * second, 598 * second],
    ],
    'is not cut for a limit before the last ten seconds, however often': [
      { failure: failure('rate-limited', 'HTTP 429'), failedTimes: 5 },
      [588 * second, 598 * second],
    ],
    'is not cut before a limit is over that ends within the last ten seconds': [
      { failure: failure('server-busy', 'HTTP 503', 593 * second), failedTimes: 5 },
      [593 * second, 598 * second],
    ],
    'is cut at the last moment, where the limit lasts longer than its token': [
      { failure: failure('rate-limited', 'HTTP 429', 900 * second), failedTimes: 1 },
      [598 * second, 598 * second],
    ],
    'is not cut before the time that the venue named, where it lets nobody in twice': [
      { failure: failure('too-many-sessions', 'close 4429', 120 * second), failedTimes: 2 },
      [120 * second, 598 * second],
    ],
    'is cut now, where its last seconds have begun': [
      { failure: dropped, failedTimes: 1, now: 599 * second },
      [599 * second, 599 * second],
    ],
    'is cut now, where its token is dead already': [
      { failure: dropped, failedTimes: 1, now: 700 * second },
      [700 * second, 700 * second],
    ],
    'is never cut where nobody knows when its token dies': [
      { failure: refused, failedTimes: 9, expiresAt: null },
      [Number.POSITIVE_INFINITY, null],
    ],
  };

  test.each(Object.keys(cases))('%s', (name) => {
    const [given, [from, until] = []] = cases[name] ?? [];
    expect(given && cuttingTime({ now: 0, expiresAt, ...given })).toEqual({ from, until });
  });

  test('is cut within [now, expiry − 2 s], and has at most the last ten seconds of that for a passing fault', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 700_000 }),
        fc.constantFrom(...(Object.keys(failureCodes) as FailureCode[])),
        fc.nat({ max: 5 }),
        (now, code, failedTimes) => {
          const { from, until } = cuttingTime({ now, expiresAt, failure: failure(code, 'x'), failedTimes });
          expect(until).toBe(Math.max(now, expiresAt - 2_000));
          expect(from).toBeGreaterThanOrEqual(now);
          expect(from).toBeLessThanOrEqual(until ?? 0);
          if (failedTimes < 2) expect((until ?? 0) - from).toBeLessThanOrEqual(10_000);
        },
      ),
    );
  });
});

test.each([
  [null, 10_000],
  [100_000, 10_000],
  [57_000, 7_000],
  [50_000, 0],
  [40_000, 0],
])('with a token that dies at %s, last answers are waited for at 50,000 for %s ms', (expiresAt, expected) => {
  expect(lastAnswersDelay(expiresAt, 50_000)).toBe(expected);
});
