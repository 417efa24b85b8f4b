import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lookback, ReconciliationStage, rfq } from './support/reconciliation-stage.ts';
import { epoch } from './support/test-clock.ts';

const second = 1_000;
const minute = 60 * second;

let stage: ReconciliationStage;
beforeEach(() => {
  stage = new ReconciliationStage();
});
afterEach(() => stage.clock.time.expectNoTimers());

describe('what was missed', () => {
  test('is published once, with the gap and in the venue’s own bytes', async () => {
    await stage.afterGap();
    const missed = rfq(1, { createdAt: stage.clock.wall() - 5 * second });
    stage.pages = [[missed]];
    expect(await stage.compare()).toBe(1);
    expect(stage.published).toEqual([{ gap: 4, channel: 'rfq.maker', data: JSON.stringify(missed) }]);
    stage.gap = null;
    expect([await stage.compare(), stage.published.length]).toEqual([0, 1]);
  });

  test('is published without a gap where it was lost on a link that looked well', async () => {
    await stage.compare();
    stage.pages = [[rfq(1, { role: 'taker', createdAt: stage.clock.wall() })]];
    expect(await stage.compare()).toBe(1);
    expect(stage.published).toMatchObject([{ gap: null, channel: 'rfq.taker' }]);
  });

  test('is a change too of an RFQ that is known', async () => {
    stage.tell(rfq(1));
    await stage.clock.time.advance(10 * second);
    stage.pages = [[rfq(1, { status: 'filled', tradeCreatedAt: epoch + second })]];
    expect(await stage.compare()).toBe(1);
    expect(stage.published).toMatchObject([{ gap: null, channel: 'rfq.maker' }]);
  });

  test('is what may have changed in a gap, of RFQs that are not known: this run never heard of them', async () => {
    stage.gap = { id: 1, since: epoch };
    await stage.clock.time.advance(10 * second);
    stage.pages = [
      [
        rfq(1, { createdAt: epoch - minute, status: 'filled', tradeCreatedAt: epoch + second }),
        rfq(2, { createdAt: epoch - minute, status: 'cancelled' }),
        rfq(3, { createdAt: epoch - minute }),
        rfq(4, { createdAt: epoch - minute, status: 'filled', tradeCreatedAt: epoch - 2 * second }),
        rfq(5, { createdAt: epoch + second }),
        // Stamped before the gap, and perhaps sent in it.
        rfq(6, { createdAt: epoch - minute, status: 'filled', tradeCreatedAt: epoch - 500 }),
      ],
    ];
    expect(await stage.compare()).toBe(4);
    expect(stage.published.map(({ data }) => JSON.parse(data).rfqId)).toEqual([1, 2, 5, 6]);
  });

  test('is judged by the venue’s clock, where ours differs', async () => {
    stage.offset = -30 * second;
    stage.gap = { id: 1, since: epoch };
    stage.pages = [[rfq(1, { createdAt: epoch - 20 * second }), rfq(2, { createdAt: epoch - 40 * second })]];
    expect(await stage.compare()).toBe(1);
    expect(stage.published).toMatchObject([{ data: expect.stringContaining('"rfqId":1,') }]);
    expect(stage.queries[0]).toMatchObject({
      startTime: epoch - 30 * second - lookback,
      endTime: epoch - 30 * second,
    });
  });
});

describe('nothing is published', () => {
  test('that the events have told', async () => {
    await stage.afterGap();
    const known = rfq(1, { createdAt: stage.clock.wall() });
    stage.tell(known);
    stage.pages = [[known]];
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
  });

  test('that an event tells while the comparison is under way, before it or after the page', async () => {
    await stage.afterGap();
    const late = rfq(1, { createdAt: stage.clock.wall() });
    const later = rfq(2, { createdAt: stage.clock.wall() });
    stage.pages = [[late, later]];
    stage.meanwhile = () => stage.tell(late);
    stage.clock.setTimeout(() => stage.tell(later), 999);
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
  });

  test('that an event tells otherwise meanwhile: it is newer than the list', async () => {
    stage.tell(rfq(1));
    stage.pages = [[rfq(1, { amount: 50 })]];
    stage.meanwhile = () => stage.tell(rfq(1, { status: 'cancelled' }));
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
  });

  test('of an RFQ that is over: a list that lags behind does not open it again', async () => {
    stage.tell(rfq(1, { status: 'cancelled' }));
    stage.pages = [[rfq(1)]];
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
  });

  test('of an RFQ that changed within 10 s, without a gap: the list may lag, and the next comparison is soon', async () => {
    stage.tell(rfq(1));
    await stage.clock.time.advance(10 * second - 1);
    stage.pages = [[rfq(1, { amount: 30 })]];
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
    expect([await stage.compare(), stage.published.length]).toEqual([1, 1]);
  });

  test('of what was there before figd first looked', async () => {
    stage.pages = [[rfq(1, { createdAt: epoch - second }), rfq(2, { createdAt: epoch - minute, status: 'expired' })]];
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
    stage.pages = [[rfq(1, { createdAt: epoch - second, amount: 30 })]];
    expect(await stage.compare()).toBe(1);
  });

  test('of a role that is not subscribed to, nor of what is no RFQ', async () => {
    await stage.afterGap();
    const createdAt = stage.clock.wall();
    stage.pages = [[rfq(1, { role: 'broker', createdAt }), { rfqId: 'x' }, {}]];
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
  });
});

test('much that was missed in a gap is published 32 at a time, with a turn for everybody else between', async () => {
  await stage.afterGap();
  const createdAt = stage.clock.wall();
  stage.pages = [Array.from({ length: 70 }, (_, id) => rfq(id + 1, { createdAt }))];
  const turns: number[] = [];
  const endTurn = () => turns.push(stage.published.length);
  stage.onPublished = (count) => {
    if (count === (turns.at(-1) ?? 0) + 1) stage.clock.setTimeout(endTurn, 0);
  };
  expect(await stage.compare()).toBe(70);
  expect(turns).toEqual([32, 64, 70]);
});

test('what changed within 10 s is published where a gap accounts for it', async () => {
  stage.tell(rfq(1));
  await stage.clock.time.advance(5 * second);
  stage.gap = { id: 4, since: stage.clock.wall() - second };
  stage.pages = [[rfq(1, { amount: 30 })]];
  expect([await stage.compare(), stage.published.map(({ gap }) => gap)]).toEqual([1, [4]]);
});
