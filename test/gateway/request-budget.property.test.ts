import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Lane } from '../../src/gateway/request-budget.ts';
import { BudgetStage, type Network } from './support/budget-stage.ts';

const minuteMs = 60_000;
/** From here on token requests can have all they may need. */
const enoughForAll = 24;

const networks: fc.Arbitrary<Network> = fc.record({
  latency: fc.constantFrom(0, 1, 50, 2_000),
  slowAnswer: fc.constantFrom(0, 0, 30_000),
  lossRate: fc.constantFrom(0, 0, 0.2),
});

/** What a caller, or figd itself, asks for at once, at some moment in the first five minutes. */
interface Burst {
  readonly at: number;
  readonly lane: Lane;
  readonly caller: string;
  readonly count: number;
  readonly mayWaitMs: number;
}

const bursts: fc.Arbitrary<readonly Burst[]> = fc.array(
  fc.record({
    at: fc.oneof(
      fc.integer({ max: 5 * minuteMs, min: 0 }),
      fc.integer({ max: 3, min: 0 }).map((n) => n * minuteMs),
    ),
    lane: fc.constantFrom<Lane>('caller', 'caller', 'caller', 'own'),
    caller: fc.constantFrom('a', 'b', 'c', 'd'),
    count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 20, max: 80 })),
    mayWaitMs: fc.constantFrom(0, 10, 5_000, 30_000, 90_000),
  }),
  { minLength: 1, maxLength: 12 },
);

/** Token requests at most as often as the token machine asks. */
const tokenPace = fc.constantFrom(Number.POSITIVE_INFINITY, 30_000, 5_001);

interface Case {
  readonly limit: number;
  readonly network: Network;
  readonly plan: readonly Burst[];
  readonly tokenEvery: number;
  readonly clockRate: number;
  readonly seed: number;
}

const cases = fc.record<Case>({
  limit: fc.integer({ min: enoughForAll, max: 70 }),
  network: networks,
  plan: bursts,
  tokenEvery: tokenPace,
  clockRate: fc.constantFrom(1, 1.0005, 0.9995),
  seed: fc.nat(),
});

async function play({ plan, tokenEvery, ...options }: Case, disturb?: (stage: BudgetStage, at: number) => void) {
  const stage = new BudgetStage(options);
  const { time } = stage;
  for (const { at, lane, caller, count, mayWaitMs } of plan) {
    time.clock.setTimeout(() => stage.burst(count, lane, caller, mayWaitMs), at);
  }
  for (let at = 0; at < 5 * minuteMs; at += tokenEvery) time.clock.setTimeout(() => stage.send('token'), at);
  for (let at = 0; at < 5 * minuteMs; at += 500) if (disturb) time.clock.setTimeout(() => disturb(stage, at), at);
  // Whoever may wait the longest, and was let through last, has been answered.
  await time.advance(9 * minuteMs);
  return stage;
}

const settings = { numRuns: 25 };

describe('whatever is asked, and however long the network takes', () => {
  it('the venue never counts more than its limit in any minute', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        const { venue } = await play(given);
        expect([venue.mostOfOurs <= given.limit, venue.refused]).toEqual([true, 0]);
      }),
      settings,
    );
  });

  it('each is let through or refused by its deadline, a token request at once, and no timer is left', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        const { sent, time, budget } = await play(given);
        for (const { settledAt = Number.POSITIVE_INFINITY, askedAt, mayWaitMs, lane, outcome } of sent) {
          expect(settledAt - askedAt).toBeLessThanOrEqual(lane === 'token' ? 0 : mayWaitMs);
          if (outcome !== 'admitted') expect(outcome).toMatchObject({ code: 'rate-limited' });
        }
        expect(budget.view()).toMatchObject({ used: 0, waiting: 0 });
        time.expectNoTimers();
      }),
      settings,
    );
  });

  it('what the venue tells of its count costs nothing where nobody else uses the key', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        const seen: number[] = [];
        await play(given, ({ budget }) => seen.push(budget.view().others));
        expect(Math.max(...seen)).toBe(0);
      }),
      settings,
    );
  });
});

describe('where others use the same key', () => {
  const shared = fc.record({
    given: cases,
    /** How many requests of others come every half second, for how long. */
    others: fc.constantFrom(1, 3, 40),
    untilMs: fc.constantFrom(30_000, 3 * minuteMs),
  });

  const playShared = ({ given, others, untilMs }: { given: Case; others: number; untilMs: number }) =>
    play(given, ({ venue, time }, at) => {
      if (at < untilMs) for (let each = 0; each < others; each += 1) venue.other(time.now());
    });

  it('each is let through or refused by its deadline all the same', async () => {
    await fc.assert(
      fc.asyncProperty(shared, async (given) => {
        const { sent, time } = await playShared(given);
        for (const { settledAt = Number.POSITIVE_INFINITY, askedAt, mayWaitMs } of sent) {
          expect(settledAt - askedAt).toBeLessThanOrEqual(mayWaitMs);
        }
        time.expectNoTimers();
      }),
      settings,
    );
  });

  it('all of the limit is there again two minutes after they have gone', async () => {
    await fc.assert(
      fc.asyncProperty(shared, async (given) => {
        const stage = await playShared(given);
        const late = stage.burst(5, 'own', 'figd', 60_000);
        await stage.time.advance(2 * minuteMs);
        expect(late.map(({ outcome }) => outcome)).toEqual(Array(5).fill('admitted'));
        expect(stage.budget.view()).toMatchObject({ others: 0, closedForMs: 0 });
      }),
      settings,
    );
  });
});
