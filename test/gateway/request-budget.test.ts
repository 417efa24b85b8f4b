import { describe, expect, it } from 'vitest';
import { type Lane, type RateLimit, RequestBudget, type Slip } from '../../src/gateway/request-budget.ts';
import { FailureError, failureOf } from '../../src/protocol/failure.ts';
import { VirtualTime } from '../machines/support/virtual-time.ts';
import { BudgetStage } from './support/budget-stage.ts';

const minuteMs = 60_000;
const goneMs = minuteMs + 100;

/** A budget in virtual time, of which the test itself gives back what it was given. */
function bare(limit = 1_000, tokenRequests = 12) {
  const time = new VirtualTime();
  const { now, clock } = time;
  const budget = new RequestBudget({
    limit,
    tokenRequests,
    clock: { monotonic: now, setTimeout: clock.setTimeout, clearTimeout: (id) => clock.clearTimeout(Number(id)) },
  });
  const enter = (lane: Lane, caller: string, ms = 0, signal?: AbortSignal) =>
    budget.enter(lane, caller, { ms, ...(signal === undefined ? {} : { signal }) });
  const refusal = async (lane: Lane, caller = 'one', ms = 0) =>
    failureOf(
      await enter(lane, caller, ms).then(
        () => null,
        (error: unknown) => error,
      ),
    );
  /** Takes all there is at once in a lane. */
  const takeAll = (lane: Lane, caller: string): readonly Slip[] => {
    const slips: Slip[] = [];
    for (let slip = budget.tryEnter(lane, caller); slip !== null; slip = budget.tryEnter(lane, caller))
      slips.push(slip);
    return slips;
  };
  /** Has the venue's count known. */
  const acquaint = (told: Partial<RateLimit> = {}) =>
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit, remaining: limit - 1, ...told });
  return { time, budget, enter, refusal, takeAll, acquaint };
}

const ok: RateLimit = { status: 200 };

describe('the lanes', () => {
  it('share the limit: callers leave room for figd, and figd for its token requests', () => {
    const { budget, takeAll, acquaint } = bare(1_000);
    acquaint();
    const busy = takeAll('caller', 'busy').length;
    const modest = takeAll('caller', 'modest').length;
    expect([busy, modest]).toEqual([887, 10]);
    for (let each = 0; each < 40; each += 1) budget.tryEnter('caller', `c${each}`);
    expect(budget.view().used).toBe(938);
    expect(budget.tryEnter('caller', 'new')).toBeNull();
    expect(takeAll('own', 'figd').length).toBe(50);
    expect(budget.view().used).toBe(988);
  });

  it('let a token request through whatever else there is', () => {
    const { budget, takeAll, acquaint } = bare(30);
    acquaint();
    takeAll('own', 'figd');
    const tokens = Array.from({ length: 30 }, () => budget.tryEnter('token', 'figd'));
    expect([tokens.includes(null), budget.view().used]).toEqual([false, 48]);
  });

  it.each([1, 2, 3, 8, 24, 60, 1_000, 100_000])('leave something for everybody of a limit of %d', (limit) => {
    const alone = bare(limit);
    alone.acquaint();
    if (limit > 2) expect(alone.takeAll('caller', 'one').length).toBeGreaterThan(0);
    const { budget } = bare(limit);
    expect(budget.tryEnter('caller', 'one')).not.toBeNull();
    expect(bare(limit).budget.tryEnter('own', 'figd')).not.toBeNull();
  });
});

describe('a place in the limit', () => {
  it('is held until a minute after the answer', async () => {
    const { time, takeAll, acquaint } = bare(24);
    acquaint();
    const [first, ...rest] = takeAll('own', 'figd');
    await time.advance(90_000);
    first?.answered(ok);
    // What has made the venue's count known is over for so long; all else is under way.
    expect(takeAll('own', 'figd').length).toBe(1);
    await time.advance(30_000);
    for (const slip of rest) slip.answered(ok);
    await time.advance(goneMs - 30_001);
    expect(takeAll('own', 'figd').length).toBe(0);
    await time.advance(1);
    expect(takeAll('own', 'figd').length).toBe(1);
  });

  it('is held as long where no answer came, and given back at once where nothing was sent', async () => {
    const { time, budget } = bare();
    budget.tryEnter('caller', 'one')?.failed();
    budget.tryEnter('caller', 'one')?.unsent();
    expect(budget.view().used).toBe(1);
    await time.advance(goneMs);
    expect(budget.view().used).toBe(0);
  });

  it('is given back once, however often somebody says so', async () => {
    const { time, budget } = bare();
    const slip = budget.tryEnter('caller', 'one');
    slip?.answered(ok);
    slip?.failed();
    slip?.unsent();
    expect(budget.view().used).toBe(1);
    await time.advance(goneMs);
    expect(budget.view().used).toBe(0);
  });
});

describe('whoever waits', () => {
  it('is let through as soon as there is room, in the order of asking', async () => {
    const stage = new BudgetStage({ limit: 24, network: { latency: 0 } });
    await stage.acquaint();
    const waiting = stage.burst(14, 'own', 'figd', 90_000);
    await stage.time.advance(2 * minuteMs);
    const times = waiting.map(({ settledAt = Number.NaN }) => Math.round(settledAt));
    expect(times.slice(0, 11)).toEqual(Array(11).fill(1_000));
    // The token request that had made the venue's count known was the first to grow old.
    // The network takes a moment, and timers whole milliseconds.
    expect(times.slice(11)).toEqual([goneMs + 1, goneMs + 1_001, goneMs + 1_001]);
  });

  it('is refused at its deadline, and told when there is room', async () => {
    const { time, enter, takeAll, acquaint } = bare(24);
    acquaint();
    takeAll('own', 'figd')[0]?.unsent();
    // One place is free: for figd, not for callers.
    let found: unknown;
    enter('caller', 'one', 61_000).catch((error: unknown) => {
      found = error;
    });
    await time.advance(60_999);
    expect(found).toBeUndefined();
    await time.advance(1);
    expect(failureOf(found)).toMatchObject({ class: 'limited', code: 'rate-limited' });
    time.expectNoTimers();
  });

  it('is refused at once where there can be no room before its deadline', async () => {
    const { time, refusal, takeAll, acquaint, budget } = bare(24);
    acquaint();
    for (const slip of takeAll('own', 'figd')) slip.answered(ok);
    await time.advance(20_000);
    expect(await refusal('own', 'figd', 40_000)).toEqual({
      class: 'limited',
      code: 'rate-limited',
      message:
        'the venue allows 24 HTTP requests a minute: 12 are used by figd and the programs on this host, and what is ' +
        'left is reserved; try again in 40.1 s',
      retryAfterMs: 40_100,
    });
    expect(budget.view().waiting).toBe(0);
    time.expectNoTimers();
  });

  it('is refused at once, as one that floods, until its own requests have grown old', async () => {
    const { time, refusal, takeAll, acquaint, budget } = bare();
    acquaint();
    for (const slip of takeAll('caller', 'flood')) slip.answered(ok);
    await time.advance(30_000);
    expect((await refusal('caller', 'flood', 30_000)).retryAfterMs).toBe(30_100);
    expect(budget.tryEnter('caller', 'other')).not.toBeNull();
  });

  it('leaves at once when it is aborted', async () => {
    const { time, budget, enter, takeAll, acquaint } = bare(24);
    acquaint();
    takeAll('own', 'figd');
    const leaving = new AbortController();
    const left = enter('own', 'figd', 90_000, leaving.signal);
    expect(budget.view().waiting).toBe(1);
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect(budget.view().waiting).toBe(0);
    time.expectNoTimers();
    await expect(enter('caller', 'one', 90_000, leaving.signal)).rejects.toThrow('gone');
  });

  it('is refused at once where so many of the same caller wait, or so many in all that each has had its share', async () => {
    const { time, budget, enter, takeAll, acquaint } = bare(24);
    acquaint();
    takeAll('own', 'figd');
    const outcomes = new Map<string, string[]>();
    const ask = (caller: string) => {
      const seen = outcomes.get(caller) ?? [];
      outcomes.set(caller, seen);
      enter('caller', caller, 3_600_000).catch((error: unknown) => seen.push(failureOf(error).message));
    };
    for (let each = 0; each < 200; each += 1) ask('a');
    expect(budget.view().waiting).toBe(128);
    for (const caller of 'bcdefgh') for (let each = 0; each < 200; each += 1) ask(caller);
    expect(budget.view().waiting).toBe(1_024);
    ask('modest');
    await time.advance(0);
    expect(budget.view().waiting).toBe(1_024);
    // The last of one of the long lines made room for it.
    expect([outcomes.get('modest')?.length, [...outcomes.values()].flat().length]).toEqual([0, 8 * 72 + 1]);
    expect(outcomes.get('a')?.[0]).toMatch(/^too many requests wait for room in the venue's limit/);
  });

  it('is not overtaken, however late its timer is', async () => {
    const { time, budget, enter, takeAll, acquaint } = bare(24);
    acquaint();
    for (const slip of takeAll('own', 'figd')) slip.answered(ok);
    const waiting = Array.from({ length: 11 }, () => enter('own', 'figd', 90_000));
    time.sleep(goneMs);
    // Twelve are free, eleven of them for those who wait; two go first to see what the venue counts.
    const answered = waiting[0]?.then((slip) => slip.answered({ ...ok, limit: 24, remaining: 22 }));
    expect([budget.tryEnter('own', 'figd'), budget.view().used]).toEqual([null, 2]);
    await answered;
    expect([budget.tryEnter('own', 'figd'), budget.tryEnter('own', 'figd'), budget.view().used]).toEqual([
      expect.anything(),
      null,
      12,
    ]);
  });

  it('does not wait any more once the limit is raised', async () => {
    const { time, budget, enter, takeAll, acquaint } = bare(24);
    acquaint({ limit: 1_000, remaining: 999 });
    takeAll('own', 'figd');
    const waiting = enter('caller', 'one', 90_000);
    budget.setLimit(100);
    expect(await waiting).toBeDefined();
    time.expectNoTimers();
    budget.setLimit(24);
    expect([budget.tryEnter('caller', 'one'), budget.view().limit]).toEqual([null, 24]);
  });
});

describe('callers', () => {
  it('take turns: one that floods delays another by a round', async () => {
    const stage = new BudgetStage({ limit: 60, network: { latency: 5 } });
    await stage.acquaint();
    const { time } = stage;
    // Everything is used up; then four flood, and at last one asks for two things.
    stage.burst(60, 'caller', 'early', 0);
    for (let each = 0; each < 10; each += 1) stage.send('caller', `few-${each}`);
    for (const caller of ['a', 'b', 'c', 'd']) stage.burst(40, 'caller', caller, 10 * minuteMs);
    const modest = stage.burst(2, 'caller', 'modest', 10 * minuteMs);
    await time.advance(9 * minuteMs);
    const waited = stage.admitted.filter(({ settledAt = 0 }) => settledAt > 2_000).map(({ caller }) => caller);
    expect(modest.map(({ outcome }) => outcome)).toEqual(['admitted', 'admitted']);
    expect(waited.slice(0, 12).join(' ')).toBe('a b c d modest a b c d modest a b');
  });

  it('that have asked little are let through while one that floods waits', async () => {
    const stage = new BudgetStage();
    await stage.acquaint();
    stage.burst(2_000, 'caller', 'flood', 90_000);
    expect(stage.budget.view().waiting).toBe(128);
    await stage.time.advance(5_000);
    const modest = stage.burst(9, 'caller', 'modest', 0);
    await stage.time.advance(1_000);
    expect(modest.map(({ outcome }) => outcome)).toEqual(Array(9).fill('admitted'));
  });

  it('never delay figd', async () => {
    const stage = new BudgetStage();
    await stage.acquaint();
    for (const caller of 'abcdefghijklmnopqrstuvwxyz') stage.burst(100, 'caller', caller, 30_000);
    await stage.time.advance(5_000);
    const own = stage.burst(50, 'own', 'figd', 0);
    await stage.time.advance(1_000);
    expect(own.filter(({ outcome }) => outcome === 'admitted').length).toBe(50);
    expect(stage.venue.refused).toBe(0);
  });
});

describe('what the venue tells', () => {
  const full = { limit: 1_000, remaining: 0 };

  it('closes the budget for as long as a refusal asks, but not for token requests', async () => {
    const { time, budget, enter, refusal } = bare();
    budget.tryEnter('own', 'figd')?.answered({ status: 429, ...full, retryAfterMs: 7_000 });
    expect(budget.view().closedForMs).toBe(7_000);
    expect(await refusal('own', 'figd', 6_999)).toMatchObject({
      message: 'the venue refuses requests for its rate limit (HTTP 429); try again in 7 s',
      retryAfterMs: 7_000,
    });
    budget.tryEnter('token', 'figd')?.failed();
    let letThroughAt: number | undefined;
    void enter('caller', 'one', 60_000).then(() => {
      letThroughAt = time.now();
    });
    await time.advance(6_999);
    expect(letThroughAt).toBeUndefined();
    await time.advance(60_000);
    expect(letThroughAt).toBe(7_000);
  });

  it('is asked for with a single request once a refusal is over', async () => {
    const { time, budget, takeAll } = bare();
    budget.tryEnter('own', 'figd')?.answered({ status: 429, ...full, retryAfterMs: 7_000 });
    await time.advance(7_000);
    const [asking, ...more] = takeAll('caller', 'one');
    expect(more).toEqual([]);
    asking?.answered({ status: 200, limit: 1_000, remaining: 997 });
    expect(takeAll('caller', 'one').length).toBeGreaterThan(800);
  });

  it('is asked for with a single request however long the refusal was', async () => {
    const { time, budget, takeAll } = bare();
    budget.tryEnter('own', 'figd')?.answered({ status: 429, ...full, retryAfterMs: 300_000 });
    await time.advance(300_000);
    expect(takeAll('caller', 'one').length).toBe(1);
  });

  it('is waited for longer with each refusal that names no time, up to a minute', async () => {
    const { time, budget } = bare();
    const waits: number[] = [];
    for (let each = 0; each < 7; each += 1) {
      const together = [budget.tryEnter('own', 'figd'), budget.tryEnter('token', 'figd')];
      for (const slip of together) slip?.answered({ status: 429, limit: 1_000 });
      const { closedForMs } = budget.view();
      waits.push(closedForMs);
      await time.advance(closedForMs);
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_100, 60_100]);
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 999 });
    budget.tryEnter('own', 'figd')?.answered({ status: 429, limit: 1_000 });
    expect(budget.view().closedForMs).toBe(2_000);
  });

  it('is never taken for leave to ask again at once', () => {
    const { budget } = bare();
    budget.tryEnter('own', 'figd')?.answered({ status: 429, ...full, retryAfterMs: 0 });
    expect(budget.view().closedForMs).toBe(1_000);
  });

  it('shows what others use, and their part is left to them until the reset', async () => {
    const { budget, takeAll, refusal } = bare();
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 20, resetInMs: 30_000 });
    expect(budget.view()).toMatchObject({ used: 1, others: 979 });
    expect(takeAll('own', 'figd').length).toBe(8);
    expect(await refusal('caller', 'one', 5_000)).toMatchObject({
      message: expect.stringContaining('9 are used by figd and the programs on this host, some 979 by others'),
      retryAfterMs: 30_000,
    });
  });

  it('is asked for once a reset is over, with one request, and believed again', async () => {
    const { time, budget, takeAll } = bare();
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 0, resetInMs: 30_000 });
    await time.advance(29_999);
    expect(budget.tryEnter('own', 'figd')).toBeNull();
    await time.advance(1);
    const [asking, ...more] = takeAll('own', 'figd');
    expect(more).toEqual([]);
    asking?.answered({ status: 200, limit: 1_000, remaining: 0, resetInMs: 2_000 });
    expect([budget.tryEnter('own', 'figd'), budget.view().others]).toEqual([null, 998]);
  });

  it('is asked for by whoever waits as soon as a reset is over', async () => {
    const { time, budget, enter } = bare();
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 0, resetInMs: 5_000 });
    let letThroughAt: number | undefined;
    void enter('caller', 'one', 30_000).then(() => {
      letThroughAt = time.now();
    });
    await time.advance(30_000);
    expect(letThroughAt).toBe(5_000);
    time.expectNoTimers();
  });

  it('is no cause to wait for ever where nothing is sent and so nothing newer is told', async () => {
    const stage = new BudgetStage({ limit: 100, network: { latency: 10 } });
    const { time, venue } = stage;
    for (let each = 0; each < 100; each += 1) venue.other(0);
    stage.send('own', 'figd');
    await time.advance(1_000);
    const waiting = stage.burst(40, 'own', 'figd', 90_000);
    await time.advance(90_000);
    expect(waiting.filter(({ outcome }) => outcome === 'admitted').length).toBe(40);
    expect(venue.refused).toBeLessThanOrEqual(3);
    time.expectNoTimers();
  });

  it('counts requests under way as ours, whenever the venue counted them', () => {
    const { budget } = bare();
    const slips = Array.from({ length: 40 }, () => budget.tryEnter('own', 'figd'));
    // The venue has counted them in another order than they were sent in.
    slips.at(-1)?.answered({ status: 200, limit: 1_000, remaining: 999 });
    slips[0]?.answered({ status: 200, limit: 1_000, remaining: 960 });
    expect(budget.view()).toMatchObject({ used: 40, others: 0 });
  });

  it('is not taken back by an older answer that comes late', async () => {
    const { time, budget } = bare();
    const late = budget.tryEnter('own', 'figd');
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 498, resetInMs: 30_000 });
    expect(budget.view().others).toBe(500);
    late?.answered({ status: 200, limit: 1_000, remaining: 999 });
    expect(budget.view().others).toBe(500);
    await time.advance(1);
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 997 });
    expect(budget.view().others).toBe(0);
  });

  it('lowers the limit, and raises it again no further than configured', () => {
    const { budget, acquaint } = bare();
    const told = (limit: number) => {
      acquaint({ limit, remaining: limit - budget.view().used - 1 });
      return budget.view().limit;
    };
    expect([told(600), told(800), told(5_000)]).toEqual([600, 800, 1_000]);
  });

  it('of a limit above the configured one is room that others may use', () => {
    const { budget } = bare(300);
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 399, resetInMs: 30_000 });
    expect(budget.view().others).toBe(0);
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 198, resetInMs: 30_000 });
    expect(budget.view().others).toBe(100);
  });

  it('is not believed of an identity provider that has a limit of its own', () => {
    const { budget } = bare();
    budget.tryEnter('token', 'figd')?.answered({ status: 429, limit: 30, remaining: 0, retryAfterMs: 300_000 });
    budget.tryEnter('token', 'figd')?.answered({ status: 429, retryAfterMs: 300_000 });
    expect(budget.view()).toMatchObject({ limit: 1_000, others: 0, closedForMs: 0 });
    budget.tryEnter('token', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 100, resetInMs: 9_000 });
    expect(budget.view().others).toBe(897);
  });

  it('is nothing where a server on the way has answered', async () => {
    const { time, budget } = bare();
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 500, resetInMs: 30_000 });
    await time.advance(1);
    budget.tryEnter('own', 'figd')?.answered({ status: 502 });
    expect(budget.view().others).toBe(499);
    budget.tryEnter('own', 'figd')?.answered({ status: 200 });
    expect(budget.view().others).toBe(0);
  });
});

describe('before the venue has told anything', () => {
  it('says so to whoever cannot wait', async () => {
    const { takeAll, refusal } = bare();
    takeAll('caller', 'one');
    expect(await refusal('caller')).toMatchObject({
      message: 'the venue has yet to answer what figd asks it at present; try again in 1 s',
      retryAfterMs: 1_000,
    });
  });

  it('a few requests go out at once, so that what an earlier run used is not exceeded by much', () => {
    const { budget, takeAll } = bare();
    const first = takeAll('caller', 'one');
    expect(first.length).toBe(50);
    first[0]?.answered({ status: 200, limit: 1_000, remaining: 40, resetInMs: 20_000 });
    expect([takeAll('caller', 'one').length, budget.view().others]).toEqual([0, 910]);
  });

  it('as after a minute in which nothing was asked', async () => {
    const { time, takeAll, acquaint } = bare();
    acquaint();
    await time.advance(goneMs);
    expect(takeAll('caller', 'one').length).toBe(50);
  });
});

it('throws nothing that is not a failure', async () => {
  const { enter, takeAll } = bare(1);
  takeAll('own', 'figd');
  await expect(enter('own', 'figd', Number.NaN)).rejects.toBeInstanceOf(FailureError);
});
