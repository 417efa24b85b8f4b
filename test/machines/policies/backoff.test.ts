import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { earliestDial, retryDelay, withDial } from '../../../src/machines/policies/backoff.ts';
import { type FailureCode, failure, failureCodes } from '../../../src/protocol/failure.ts';

const settings = { min: 500, max: 20_000 };
/** Close enough to 1 for a bound. */
const almostOne = 1 - 2 ** -53;

const delay = (code: FailureCode, failedBefore: number, random: number, retryAfterMs?: number) =>
  retryDelay({ failure: failure(code, 'it failed', retryAfterMs), failedBefore, settings, random: () => random });

const bounds = (code: FailureCode, failedBefore: number, retryAfterMs?: number) => [
  delay(code, failedBefore, 0, retryAfterMs),
  Math.round(delay(code, failedBefore, almostOne, retryAfterMs)),
];

const codes = Object.keys(failureCodes) as FailureCode[];
const anyRandom = fc.double({ min: 0, max: almostOne, noNaN: true });

describe('the delay before the next try', () => {
  test.each([
    ['transient: full jitter under a doubling bound', 'connection-lost', 0, [0, 500]],
    ['transient, second failure', 'connection-lost', 1, [0, 1_000]],
    ['transient, third failure', 'connection-lost', 2, [0, 2_000]],
    ['transient, sixth failure', 'connection-lost', 5, [0, 16_000]],
    ['transient, seventh failure: the bound', 'connection-lost', 6, [0, 20_000]],
    ['transient, after a night of failures', 'connection-lost', 10_000, [0, 20_000]],
    ['limited: 16 s for each try, and up to a tenth', 'rate-limited', 0, [16_000, 17_600]],
    ['limited, second failure', 'rate-limited', 1, [32_000, 35_200]],
    ['limited, after a night of failures: 5 min', 'rate-limited', 10_000, [300_000, 330_000]],
    ['another session of the same key', 'too-many-sessions', 0, [16_000, 17_600]],
    ['a busy venue', 'server-busy', 0, [16_000, 17_600]],
    ['protocol: slowly', 'bad-reply', 0, [2_500, 5_000]],
    ['protocol, second failure', 'bad-reply', 1, [5_000, 10_000]],
    ['protocol, after a night of failures', 'bad-reply', 10_000, [30_000, 60_000]],
    ['a bug of ours: slowly', 'internal', 0, [2_500, 5_000]],
    ['refused: a probe after 30 s', 'credentials-refused', 0, [30_000, 30_000]],
    ['refused, second failure', 'permission-denied', 1, [60_000, 60_000]],
    ['refused, fourth failure', 'channels-refused', 3, [240_000, 240_000]],
    ['refused, after a night of failures: 5 min', 'credentials-refused', 10_000, [300_000, 300_000]],
    ['asked for by somebody: none', 'on-request', 7, [0, 0]],
    ['renewal: none', 'renewal', 7, [0, 0]],
    ['a refused token, replaced at the pace of token requests: none', 'token-refused', 7, [0, 0]],
  ] as const)('%s', (_, code, failedBefore, expected) => {
    expect(bounds(code, failedBefore)).toEqual(expected);
  });

  test.each([
    ['what the venue asked, and up to a tenth more', 0, 7_000, [7_000, 7_700]],
    ['what the venue asked, however often it did, where that is long', 9, 70_000, [70_000, 77_000]],
    ['an hour at most, whatever a venue with a wrong clock says', 9, 86_400_000, [3_600_000, 3_960_000]],
    ['a second, where the venue asks for none', 0, 0, [1_000, 1_100]],
    ['eight, where what it asked for was too little three times', 3, 2_000, [8_000, 8_800]],
    ['a minute in the end, where it asks for none again and again', 10_000, 0, [60_000, 66_000]],
  ] as const)('is, for a limit with Retry-After, %s', (_, failedBefore, retryAfterMs, expected) => {
    expect(bounds('rate-limited', failedBefore, retryAfterMs)).toEqual(expected);
  });

  test('heeds Retry-After of limits alone', () => {
    expect(bounds('connection-lost', 0, 60_000)).toEqual([0, 500]);
  });

  test('is finite and never negative, for every failure figd knows', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...codes),
        fc.nat({ max: 1e9 }),
        anyRandom,
        fc.option(fc.nat(), { nil: undefined }),
        (code, failedBefore, random, retryAfterMs) => {
          const given = delay(code, failedBefore, random, retryAfterMs);
          expect(given).toBeGreaterThanOrEqual(0);
          expect(given).toBeLessThan(3_960_001);
        },
      ),
    );
  });

  test('never shrinks for the same chance when failures go on', () => {
    fc.assert(
      fc.property(fc.constantFrom(...codes), fc.nat({ max: 100 }), anyRandom, (code, failedBefore, random) => {
        expect(delay(code, failedBefore + 1, random)).toBeGreaterThanOrEqual(delay(code, failedBefore, random));
      }),
    );
  });

  test('never falls below what the venue asked for, up to an hour', () => {
    fc.assert(
      fc.property(fc.nat({ max: 3_600_000 }), fc.nat({ max: 50 }), anyRandom, (asked, failedBefore, random) => {
        expect(delay('server-busy', failedBefore, random, asked)).toBeGreaterThanOrEqual(asked);
      }),
    );
  });
});

describe('the ceiling of dials', () => {
  /** Dials as early as allowed for each wish, one after the other. */
  const dialsFor = (pauses: readonly number[]) => {
    let now = 0;
    let dials: readonly number[] = [];
    return pauses.map((pause) => {
      const wanted = now + pause;
      now = earliestDial(dials, wanted);
      dials = withDial(dials, now);
      return { wanted, dialled: now };
    });
  };
  const wishes = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 500 }), fc.nat({ max: 90_000 })), {
    minLength: 11,
    maxLength: 200,
  });

  test('lets ten dials pass at once and holds the eleventh for a minute', () => {
    expect(dialsFor(Array.from({ length: 11 }, () => 0)).map(({ dialled }) => dialled)).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60_000,
    ]);
  });

  test('is never exceeded in any window of 60 s, for any sequence of wishes', () => {
    fc.assert(
      fc.property(wishes, (pauses) => {
        const dials = dialsFor(pauses).map(({ dialled }) => dialled);
        for (const [index, dialled] of dials.entries()) {
          expect(dials[index + 10] ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(dialled + 60_000);
        }
      }),
    );
  });

  test('never holds a dial back without need', () => {
    fc.assert(
      fc.property(wishes, (pauses) => {
        const dials = dialsFor(pauses);
        for (const [index, { wanted, dialled }] of dials.entries()) {
          const tenthLast = dials[index - 10]?.dialled ?? Number.NEGATIVE_INFINITY;
          expect(dialled).toBe(Math.max(wanted, tenthLast + 60_000));
        }
      }),
    );
  });

  test('remembers no more than it needs', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => index);
    expect(many.reduce<readonly number[]>(withDial, [])).toEqual(many.slice(-10));
  });
});
