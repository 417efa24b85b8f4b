import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ListedRfq, ReconciliationStage, rfq } from './support/reconciliation-stage.ts';

const second = 1_000;
const minute = 60 * second;

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

  test('is compared from then on', async () => {
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
    stage.pages = [[rfq(1, { createdAt }), taken(2, { createdAt }), taken(3, { createdAt: createdAt - minute })]];
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
