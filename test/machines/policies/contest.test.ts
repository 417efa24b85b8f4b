import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countCutShort, type EndedSession, judgeEnding } from '../../../src/machines/policies/contest.ts';
import { type FailureCode, failure, failureCodes } from '../../../src/protocol/failure.ts';

const minute = 60_000;
const codes = Object.keys(failureCodes) as FailureCode[];
const inFavourOfAnother = ['closed-by-venue', 'closed-unknown', 'session-expired', 'too-many-sessions'] as const;
const ended = (code: FailureCode, authenticatedForMs: number | null): EndedSession => ({
  failure: failure(code, 'it ended'),
  authenticatedForMs,
});

describe('a row of sessions that the venue cut short', () => {
  test.each(inFavourOfAnother)('grows with one that ends with %s within a minute of authenticating', (code) => {
    expect(countCutShort(2, ended(code, minute - 1))).toBe(3);
  });

  test.each(codes.filter((code) => !inFavourOfAnother.some((each) => each === code)))(
    'does not grow with one that ends with %s: that hits everybody',
    (code) => {
      expect(countCutShort(2, ended(code, 0))).toBe(2);
    },
  );

  test('ends with any session that lived for a minute', () => {
    expect(codes.map((code) => countCutShort(7, ended(code, minute)))).toEqual(codes.map(() => 0));
  });

  test('says nothing about a session that was not let in', () => {
    expect(codes.map((code) => countCutShort(3, ended(code, null)))).toEqual(codes.map(() => 3));
  });

  test('never counts more than the sessions there were, nor past the last one that lived', () => {
    const session = fc.record({
      code: fc.constantFrom(...codes),
      authenticatedForMs: fc.option(fc.nat({ max: 2 * minute })),
    });
    fc.assert(
      fc.property(fc.array(session), (sessions) => {
        const count = sessions.reduce(
          (before, { code, authenticatedForMs }) => countCutShort(before, ended(code, authenticatedForMs)),
          0,
        );
        const lived = sessions.findLastIndex(({ authenticatedForMs }) => (authenticatedForMs ?? 0) >= minute);
        const short = sessions.slice(lived + 1).filter(({ code, authenticatedForMs }) => {
          return authenticatedForMs !== null && inFavourOfAnother.some((each) => each === code);
        });
        expect(count).toBe(short.length);
      }),
    );
  });
});

describe('what ended a session', () => {
  test.each(inFavourOfAnother)('is what the venue said, for the first three that end with %s', (code) => {
    const found = failure(code, 'it ended');
    expect([0, 1, 2, 3].map((cutShort) => judgeEnding(found, cutShort))).toEqual([found, found, found, found]);
  });

  test.each(inFavourOfAnother)('is a contest from the fourth on, and %s is told as what it looked like', (code) => {
    expect(judgeEnding(failure(code, 'close 4429'), 4)).toEqual(
      failure(
        'contested',
        'the venue ended 4 sessions in a row within a minute of authenticating; another program seems to use this key (close 4429)',
      ),
    );
  });

  test('keeps how long the venue asked to be left alone', () => {
    expect(judgeEnding(failure('too-many-sessions', 'close 4429', 90_000), 5).retryAfterMs).toBe(90_000);
  });

  test('is told as it is where it is no sign of a contest, however many were cut short before', () => {
    const others = codes.filter((code) => !inFavourOfAnother.some((each) => each === code));
    expect(others.map((code) => judgeEnding(failure(code, 'it ended'), 9).code)).toEqual(others);
  });
});
