import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ListedRfq, lookback, ReconciliationStage, rfq } from './support/reconciliation-stage.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

let stage: ReconciliationStage;
beforeEach(() => {
  stage = new ReconciliationStage();
});
afterEach(() => stage.clock.time.expectNoTimers());

describe('a channel that a reload has added', () => {
  const withoutTaker = ['rfq.maker'];
  const withTaker = ['rfq.maker', 'rfq.taker'];
  const taken = (id: number, told: Partial<ListedRfq> = {}) => rfq(id, { role: 'taker', ...told });
  const ids = () => stage.published.map(({ gap, data }) => [JSON.parse(data).rfqId, gap]);

  test('was not missed before: what it would have told is not published', async () => {
    stage.wanted.change(withoutTaker);
    await stage.compare();
    stage.pages = [[taken(1, { createdAt: stage.clock.wall() - second })]];
    stage.wanted.change(withTaker);
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
  });

  test('is compared from then on, also with what came before the comparison after it', async () => {
    stage.wanted.change(withoutTaker);
    await stage.compare();
    stage.wanted.change(withTaker);
    await stage.clock.time.advance(10 * second);
    stage.pages = [[taken(1, { createdAt: stage.clock.wall() - 5 * second })]];
    expect([await stage.compare(), ids()]).toEqual([1, [[1, null]]]);
  });

  test('is compared when it has been before', async () => {
    stage.wanted.change(withoutTaker);
    await stage.compare();
    stage.wanted.change(withTaker);
    await stage.compare();
    stage.pages = [[taken(1, { createdAt: stage.clock.wall() })]];
    expect([await stage.compare(), ids()]).toEqual([1, [[1, null]]]);
  });

  test('is not compared with what is known of it from an earlier time, however shortly it was away', async () => {
    await stage.compare();
    stage.tell(taken(1));
    await stage.clock.time.advance(minute);
    stage.wanted.change(withoutTaker);
    await stage.clock.time.advance(minute);
    stage.wanted.change(withTaker);
    stage.pages = [[taken(1, { status: 'filled', tradeCreatedAt: stage.clock.wall() - 30 * second })]];
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
  });

  test('was not missed in a gap that began before: the others were', async () => {
    stage.wanted.change(withoutTaker);
    await stage.compare();
    stage.gap = { id: 4, since: stage.clock.wall(), channels: withoutTaker };
    stage.wanted.change(withTaker);
    const createdAt = stage.clock.wall() - 500;
    stage.pages = [[rfq(1, { createdAt }), taken(2, { createdAt })]];
    expect([await stage.compare(), ids()]).toEqual([1, [[1, 4]]]);
  });

  test('was missed in a later one, though an earlier one is not settled either', async () => {
    stage.wanted.change(withoutTaker);
    await stage.compare();
    stage.gap = { id: 4, since: stage.clock.wall(), channels: withoutTaker };
    stage.wanted.change(withTaker);
    await stage.clock.time.advance(minute);
    stage.laterGaps = [{ id: 5, since: stage.clock.wall() }];
    await stage.clock.time.advance(10 * second);
    const createdAt = stage.clock.wall() - 5 * second;
    stage.pages = [[rfq(1, { createdAt }), taken(2, { createdAt }), taken(3, { createdAt: createdAt - 2 * minute })]];
    expect([await stage.compare(), ids()]).toEqual([
      2,
      [
        [1, 4],
        [2, 5],
      ],
    ]);
  });
});

describe('a channel that a reload has dropped', () => {
  test('is not compared any more', async () => {
    await stage.compare();
    stage.wanted.change(['rfq.maker']);
    stage.pages = [[rfq(1, { role: 'taker', createdAt: stage.clock.wall() })]];
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
  });

  test('was missed all the same in a gap that is not settled: what it would have told is published', async () => {
    await stage.afterGap();
    stage.wanted.change(['rfq.maker']);
    stage.pages = [[rfq(1, { role: 'taker', createdAt: stage.clock.wall() - 5 * second })]];
    expect(await stage.compare()).toBe(1);
    expect(stage.published).toMatchObject([{ gap: 4, channel: 'rfq.taker' }]);
  });
});

describe('a channel that is not heard while others are', () => {
  const deaf = (told: object = {}) => ({ id: 4, until: null, channels: ['rfq.taker'], since: 0, ...told });
  const taken = (id: number) => rfq(id, { role: 'taker', createdAt: stage.clock.wall() - 5 * second });

  beforeEach(async () => {
    await stage.compare();
    stage.gap = deaf({ since: stage.clock.wall() });
    await stage.clock.time.advance(5 * minute);
  });

  test('is compared while its gap is open, and what it would have told is published', async () => {
    stage.pages = [[taken(1)]];
    expect(await stage.compare()).toBe(1);
    expect(stage.published).toMatchObject([{ gap: 4, channel: 'rfq.taker' }]);
  });

  test('is compared from the last comparison on, though its gap has lasted for hours', async () => {
    await stage.clock.time.advance(5 * hour);
    await stage.compare();
    const comparedAt = stage.clock.wall() - minute;
    await stage.compare();
    expect(stage.queries.at(-1)?.startTime).toBeGreaterThan(comparedAt - lookback - minute);
    stage.gap = { ...stage.gap, ...deaf({ since: stage.gap?.since, until: stage.clock.wall() }) };
    stage.pages = [[taken(1)]];
    expect(await stage.compare()).toBe(1);
    expect(stage.queries.at(-1)?.startTime).toBeGreaterThan(comparedAt - lookback - minute);
  });
});

test('what a channel would have told before a gap that is over by now, by a run before this one, is published', async () => {
  const createdAt = stage.clock.wall() + second;
  const deaf = { id: 4, until: null, channels: ['rfq.taker'], since: stage.clock.wall() };
  await stage.clock.time.advance(minute);
  // Handed over first, as those that are over are.
  stage.gap = { id: 5, since: stage.clock.wall() };
  stage.laterGaps = [deaf];
  stage.pages = [[rfq(1, { role: 'taker', createdAt })]];
  expect(await stage.compare()).toBe(1);
  expect(stage.published).toMatchObject([{ gap: 4, channel: 'rfq.taker' }]);
});
