import { describe, expect, it } from 'vitest';
import type { RateLimit } from '../../src/gateway/request-budget.ts';
import { FailureError, failureOf } from '../../src/protocol/failure.ts';
import { bareBudget, goneMs } from './support/bare-budget.ts';
import { BudgetStage } from './support/budget-stage.ts';

const minuteMs = 60_000;
const ok: RateLimit = { status: 200 };

describe('the lanes', () => {
  it('share the limit: callers leave room for figd, and figd for its token requests', () => {
    const { budget, takeAll, acquaint } = bareBudget(1_000);
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
    const { budget, takeAll, acquaint } = bareBudget(30);
    acquaint();
    takeAll('own', 'figd');
    const tokens = Array.from({ length: 30 }, () => budget.tryEnter('token', 'figd'));
    expect([tokens.includes(null), budget.view().used]).toEqual([false, 48]);
  });

  it.each([1, 2, 3, 8, 24, 60, 1_000, 100_000])('leave something for everybody of a limit of %d', (limit) => {
    const alone = bareBudget(limit);
    alone.acquaint();
    if (limit > 2) expect(alone.takeAll('caller', 'one').length).toBeGreaterThan(0);
    const { budget } = bareBudget(limit);
    expect(budget.tryEnter('caller', 'one')).not.toBeNull();
    expect(bareBudget(limit).budget.tryEnter('own', 'figd')).not.toBeNull();
  });
});

describe('a place in the limit', () => {
  it('is held until a minute after the answer', async () => {
    const { time, takeAll, acquaint } = bareBudget(24);
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
    const { time, budget } = bareBudget();
    budget.tryEnter('caller', 'one')?.failed();
    budget.tryEnter('caller', 'one')?.unsent();
    expect(budget.view().used).toBe(1);
    await time.advance(goneMs);
    expect(budget.view().used).toBe(0);
  });

  it('is given back once, however often somebody says so', async () => {
    const { time, budget } = bareBudget();
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
    const { time, enter, takeAll, acquaint } = bareBudget(24);
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
    const { time, refusal, takeAll, acquaint, budget } = bareBudget(24);
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
    const { time, refusal, takeAll, acquaint, budget } = bareBudget();
    acquaint();
    for (const slip of takeAll('caller', 'flood')) slip.answered(ok);
    await time.advance(30_000);
    expect((await refusal('caller', 'flood', 30_000)).retryAfterMs).toBe(30_100);
    expect(budget.tryEnter('caller', 'other')).not.toBeNull();
  });

  it('leaves at once when it is aborted', async () => {
    const { time, budget, enter, takeAll, acquaint } = bareBudget(24);
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
    const { time, budget, enter, takeAll, acquaint } = bareBudget(24);
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
    const { time, budget, enter, takeAll, acquaint } = bareBudget(24);
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
    const { time, budget, enter, takeAll, acquaint } = bareBudget(24);
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

it('throws nothing that is not a failure', async () => {
  const { enter, takeAll } = bareBudget(1);
  takeAll('own', 'figd');
  await expect(enter('own', 'figd', Number.NaN)).rejects.toBeInstanceOf(FailureError);
});
