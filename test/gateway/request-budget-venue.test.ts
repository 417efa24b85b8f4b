import { describe, expect, it } from 'vitest';
import { bareBudget, goneMs } from './support/bare-budget.ts';
import { BudgetStage } from './support/budget-stage.ts';

describe('what the venue tells', () => {
  const full = { limit: 1_000, remaining: 0 };

  it('closes the budget for as long as a refusal asks, but not for token requests', async () => {
    const { time, budget, enter, refusal } = bareBudget();
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
    const { time, budget, takeAll } = bareBudget();
    budget.tryEnter('own', 'figd')?.answered({ status: 429, ...full, retryAfterMs: 7_000 });
    await time.advance(7_000);
    const [asking, ...more] = takeAll('caller', 'one');
    expect(more).toEqual([]);
    asking?.answered({ status: 200, limit: 1_000, remaining: 997 });
    expect(takeAll('caller', 'one').length).toBeGreaterThan(800);
  });

  it('is asked for with a single request however long the refusal was', async () => {
    const { time, budget, takeAll } = bareBudget();
    budget.tryEnter('own', 'figd')?.answered({ status: 429, ...full, retryAfterMs: 300_000 });
    await time.advance(300_000);
    expect(takeAll('caller', 'one').length).toBe(1);
  });

  it('is waited for longer with each refusal that names no time, up to a minute', async () => {
    const { time, budget } = bareBudget();
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
    const { budget } = bareBudget();
    budget.tryEnter('own', 'figd')?.answered({ status: 429, ...full, retryAfterMs: 0 });
    expect(budget.view().closedForMs).toBe(1_000);
  });

  it('shows what others use, and their part is left to them until the reset', async () => {
    const { budget, takeAll, refusal } = bareBudget();
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 20, resetInMs: 30_000 });
    expect(budget.view()).toMatchObject({ used: 1, others: 979 });
    expect(takeAll('own', 'figd').length).toBe(8);
    expect(await refusal('caller', 'one', 5_000)).toMatchObject({
      message: expect.stringContaining('9 are used by figd and the programs on this host, some 979 by others'),
      retryAfterMs: 30_000,
    });
  });

  it('is asked for once a reset is over, with one request, and believed again', async () => {
    const { time, budget, takeAll } = bareBudget();
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
    const { time, budget, enter } = bareBudget();
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
    const { budget } = bareBudget();
    const slips = Array.from({ length: 40 }, () => budget.tryEnter('own', 'figd'));
    // The venue has counted them in another order than they were sent in.
    slips.at(-1)?.answered({ status: 200, limit: 1_000, remaining: 999 });
    slips[0]?.answered({ status: 200, limit: 1_000, remaining: 960 });
    expect(budget.view()).toMatchObject({ used: 40, others: 0 });
  });

  it('is not taken back by an older answer that comes late', async () => {
    const { time, budget } = bareBudget();
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
    const { budget, acquaint } = bareBudget();
    const told = (limit: number) => {
      acquaint({ limit, remaining: limit - budget.view().used - 1 });
      return budget.view().limit;
    };
    expect([told(600), told(800), told(5_000)]).toEqual([600, 800, 1_000]);
  });

  it('of a limit above the configured one is room that others may use', () => {
    const { budget } = bareBudget(300);
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 399, resetInMs: 30_000 });
    expect(budget.view().others).toBe(0);
    budget.tryEnter('own', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 198, resetInMs: 30_000 });
    expect(budget.view().others).toBe(100);
  });

  it('is not believed of an identity provider that has a limit of its own', () => {
    const { budget } = bareBudget();
    budget.tryEnter('token', 'figd')?.answered({ status: 429, limit: 30, remaining: 0, retryAfterMs: 300_000 });
    budget.tryEnter('token', 'figd')?.answered({ status: 429, retryAfterMs: 300_000 });
    expect(budget.view()).toMatchObject({ limit: 1_000, others: 0, closedForMs: 0 });
    budget.tryEnter('token', 'figd')?.answered({ status: 200, limit: 1_000, remaining: 100, resetInMs: 9_000 });
    expect(budget.view().others).toBe(897);
  });

  it('is nothing where a server on the way has answered', async () => {
    const { time, budget } = bareBudget();
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
    const { takeAll, refusal } = bareBudget();
    takeAll('caller', 'one');
    expect(await refusal('caller')).toMatchObject({
      message: 'the venue has yet to answer what figd asks it at present; try again in 1 s',
      retryAfterMs: 1_000,
    });
  });

  it('a few requests go out at once, so that what an earlier run used is not exceeded by much', () => {
    const { budget, takeAll } = bareBudget();
    const first = takeAll('caller', 'one');
    expect(first.length).toBe(50);
    first[0]?.answered({ status: 200, limit: 1_000, remaining: 40, resetInMs: 20_000 });
    expect([takeAll('caller', 'one').length, budget.view().others]).toEqual([0, 910]);
  });

  it('as after a minute in which nothing was asked', async () => {
    const { time, takeAll, acquaint } = bareBudget();
    acquaint();
    await time.advance(goneMs);
    expect(takeAll('caller', 'one').length).toBe(50);
  });
});
