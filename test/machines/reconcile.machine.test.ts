import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReconcileReport } from '../../src/machines/reconcile.events.ts';
import { type Failure, type FailureCode, failure, failureCodes } from '../../src/protocol/failure.ts';
import { ReconcileStage } from './support/reconcile-stage.ts';
import { seeded } from './support/virtual-time.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const down = failure('connection-refused', 'GET /v1/rfq: connection refused');
const complete = (missed: number): ReconcileReport => ({
  type: 'reconcile.finished',
  outcome: 'complete',
  missed,
  failure: null,
});
const failed = (found: Failure): ReconcileReport => ({
  type: 'reconcile.finished',
  outcome: 'failed',
  missed: 0,
  failure: found,
});

let stage: ReconcileStage;
const open = (...given: ConstructorParameters<typeof ReconcileStage>) => {
  stage?.strike();
  stage = new ReconcileStage(...given);
};
beforeEach(() => open());
afterEach(() => {
  stage.strike();
  stage.time.expectNoTimers();
});

/** Fails every comparison until the machine gives up; returns when the comparisons began. */
async function failUntilReported(found: Failure): Promise<readonly number[]> {
  await stage.latest.fail(found);
  while (stage.reports.length === 0) {
    await stage.time.toNextTimer();
    await stage.latest.fail(found);
  }
  return stage.moments;
}

describe('a comparison', () => {
  test('begins as soon as a session is live, and not before', async () => {
    await stage.time.advance(hour);
    expect([stage.state, stage.moments]).toEqual(['blind', []]);
    await stage.send('session.live');
    expect([stage.state, stage.moments, stage.reports]).toEqual(['comparing', [hour], []]);
    await stage.latest.find(3);
    expect([stage.state, stage.reports]).toEqual(['resting', [complete(3)]]);
  });

  test('is made again every interval, counted from the end of the one before', async () => {
    await stage.send('session.live');
    await stage.time.advance(7 * second);
    await stage.latest.find(0);
    for (let times = 0; times < 2; times++) {
      await stage.time.advance(5 * minute);
      await stage.latest.find(0);
    }
    expect(stage.moments).toEqual([0, 5 * minute + 7 * second, 10 * minute + 7 * second]);
    expect(stage.reports).toEqual([complete(0), complete(0), complete(0)]);
  });

  test('is not made where it is off, and that is said of each session that is live', async () => {
    open({ interval: null });
    await stage.send('session.live');
    await stage.send('session.lost');
    await stage.send('session.live');
    await stage.time.advance(hour);
    const off: ReconcileReport = { type: 'reconcile.finished', outcome: 'not-attempted', missed: 0, failure: null };
    expect([stage.state, stage.moments, stage.reports]).toEqual(['off', [], [off, off]]);
  });

  test('is made once at a time: a second session that is live does not begin another', async () => {
    await stage.send('session.live');
    await stage.send('session.live');
    expect([stage.moments, stage.latest.signal.aborted]).toEqual([[0], false]);
  });
});

describe('the loss of the session', () => {
  test('aborts the comparison under way, of which nothing is told', async () => {
    await stage.send('session.live');
    await stage.send('session.lost');
    expect([stage.state, stage.latest.signal.aborted]).toEqual(['blind', true]);
    await stage.latest.find(9);
    expect([stage.state, stage.reports]).toEqual(['blind', []]);
  });

  test.each([
    ['waits for another try', () => stage.latest.fail(down)],
    ['rests', () => stage.latest.find(0)],
  ])('ends it where it %s, and the next session has one at once', async (_, end) => {
    await stage.send('session.live');
    await end();
    await stage.send('session.lost');
    expect(stage.time.timers()).toBe(0);
    await stage.time.advance(hour);
    await stage.send('session.live');
    expect(stage.moments).toEqual([0, hour]);
  });

  test('gives the next comparison patience of its own', async () => {
    await stage.send('session.live');
    await stage.time.advance(89 * second);
    await stage.send('session.lost');
    await stage.send('session.live');
    await stage.latest.fail(down);
    expect([stage.state, stage.reports]).toEqual(['waiting', []]);
  });
});

describe('a comparison that fails', () => {
  test('is tried again ever more slowly, and told as failed when it would take more than 90 s', async () => {
    await stage.send('session.live');
    // Half of 2 s, 4 s, 8 s, 16 s, then of 30 s.
    expect(await failUntilReported(down)).toEqual(
      [0, 1, 3, 7, 15, 30, 45, 60, 75, 90].map((seconds) => seconds * second),
    );
    expect([stage.state, stage.reports]).toEqual(['resting', [failed(down)]]);
  });

  test('is told as complete where a later try succeeds', async () => {
    await stage.send('session.live');
    await stage.latest.fail(down);
    await stage.time.advance(second);
    await stage.latest.find(2);
    expect([stage.moments, stage.reports]).toEqual([[0, second], [complete(2)]]);
  });

  test('is made again after the interval, with patience as at first', async () => {
    await stage.send('session.live');
    await failUntilReported(down);
    const before = stage.comparisons.length;
    await stage.time.advance(5 * minute);
    expect(stage.moments.slice(before)).toEqual([6.5 * minute]);
    await stage.latest.fail(down);
    expect([stage.state, stage.reports.length]).toEqual(['waiting', 1]);
    await stage.time.advance(second);
    expect(stage.latest.at).toBe(6.5 * minute + second);
  });

  test('waits as long as the venue asks, and gives up where that is too long', async () => {
    await stage.send('session.live');
    await stage.latest.fail(failure('rate-limited', 'HTTP 429', 40 * second));
    await stage.time.advance(42 * second - 1);
    expect(stage.moments).toEqual([0]);
    await stage.time.advance(1);
    expect(stage.moments).toEqual([0, 42 * second]);
    const patience = failure('rate-limited', 'HTTP 429', 60 * second);
    await stage.latest.fail(patience);
    expect([stage.state, stage.reports]).toEqual(['resting', [failed(patience)]]);
  });

  test.each(['not-found', 'permission-denied', 'address-refused'] as const)(
    'with %s is told at once, and made again in an hour',
    async (code) => {
      const absent = failure(code, 'GET /v1/rfq: HTTP 404');
      await stage.send('session.live');
      await stage.latest.fail(absent);
      expect([stage.state, stage.reports]).toEqual(['resting', [failed(absent)]]);
      await stage.time.advance(hour - 1);
      expect(stage.moments).toEqual([0]);
      await stage.time.advance(1);
      expect(stage.moments).toEqual([0, hour]);
      await stage.latest.find(0);
      await stage.time.advance(5 * minute);
      expect(stage.moments.slice(2)).toEqual([hour + 5 * minute]);
    },
  );

  test('for want of a token that lives waits for one, and does not ask in a loop', async () => {
    await stage.send('session.live');
    const moments = await failUntilReported(failure('token-refused', 'GET /v1/rfq: there is no access token yet'));
    expect(moments.length).toBeLessThanOrEqual(91);
  });
});

test('whatever fails, the venue is asked at most once a second, and 90 s after its start each comparison is decided', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(fc.constantFrom(...(Object.keys(failureCodes) as FailureCode[])), { minLength: 1, maxLength: 20 }),
      async (seed, codes) => {
        const each = new ReconcileStage({ random: seeded(seed) });
        await each.send('session.live');
        for (let turn = 0; each.reports.length === 0; turn++) {
          await each.latest.fail(failure(codes[turn % codes.length] ?? 'internal', 'any'));
          if (each.state === 'waiting') await each.time.toNextTimer();
        }
        expect(each.time.now()).toBeLessThanOrEqual(90 * second + 1);
        for (const [index, at] of each.moments.entries()) {
          expect(at - (each.moments[index - 1] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(second);
        }
        each.strike();
        each.time.expectNoTimers();
      },
    ),
    { numRuns: 50 },
  );
});

describe('a change of the interval', () => {
  test('moves the comparison that is waited for, counted from the one before', async () => {
    await stage.send('session.live');
    await stage.latest.find(0);
    await stage.time.advance(minute);
    await stage.change(2 * minute);
    await stage.time.advance(minute - 1);
    expect(stage.moments).toEqual([0]);
    await stage.time.advance(1);
    expect(stage.moments).toEqual([0, 2 * minute]);
    await stage.latest.find(0);
    await stage.change(10 * minute);
    await stage.time.advance(10 * minute);
    expect(stage.moments).toEqual([0, 2 * minute, 12 * minute]);
  });

  test('has it made at once where it should have been by now', async () => {
    await stage.send('session.live');
    await stage.latest.find(0);
    await stage.time.advance(4 * minute);
    await stage.change(minute);
    await stage.time.advance(0);
    expect(stage.moments).toEqual([0, 4 * minute]);
  });

  test('leaves the pause after a failure as it is', async () => {
    await stage.send('session.live');
    await stage.latest.fail(down);
    await stage.change(hour);
    await stage.time.advance(second);
    expect(stage.moments).toEqual([0, second]);
    await stage.latest.find(0);
    await stage.time.advance(hour);
    expect(stage.moments).toEqual([0, second, second + hour]);
  });
});
