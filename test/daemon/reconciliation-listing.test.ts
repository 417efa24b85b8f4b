import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lookback, ReconciliationStage, rfq } from './support/reconciliation-stage.ts';
import { epoch } from './support/test-clock.ts';

const second = 1_000;
const minute = 60 * second;

let stage: ReconciliationStage;
beforeEach(() => {
  stage = new ReconciliationStage();
});
afterEach(() => stage.clock.time.expectNoTimers());

describe('the clock of the venue', () => {
  test('is waited for: a list is not asked for before the first heartbeat of the session has told it', async () => {
    stage.offset = null;
    const comparison = stage.reconciliation.compare(new AbortController().signal);
    await stage.clock.time.advance(2_950);
    expect(stage.queries).toEqual([]);
    stage.offset = -30 * second;
    await stage.clock.time.advance(minute);
    expect(await comparison).toEqual({ missed: 0 });
    expect(stage.queries).toMatchObject([{ at: 3_000, endTime: epoch + 3_000 - 30 * second }]);
  });

  test('is looked at when the list is asked for: ours may be set while figd waits for what it told in an earlier run', async () => {
    stage.offset = -30 * second;
    const recalled = vi.spyOn(stage.index, 'isRecalled', 'get').mockReturnValue(false);
    const comparison = stage.reconciliation.compare(new AbortController().signal);
    await stage.clock.time.advance(950);
    stage.clock.step(-10 * minute);
    stage.offset += 10 * minute;
    recalled.mockReturnValue(true);
    await stage.clock.time.advance(minute);
    expect(await comparison).toEqual({ missed: 0 });
    expect(stage.queries).toMatchObject([{ at: second, endTime: epoch + second - 30 * second }]);
  });

  test('is not waited for any longer than the session lives', async () => {
    stage.offset = null;
    const lost = new AbortController();
    const aborted = expect(stage.reconciliation.compare(lost.signal)).rejects.toThrow('session lost');
    await stage.clock.time.advance(second);
    lost.abort(new Error('session lost'));
    await aborted;
    expect(stage.queries).toEqual([]);
  });

  test('is the one of the moment at which the gap began, where ours was set since', async () => {
    // Ours went an hour forward while figd was down.
    stage.offset = -60 * minute;
    stage.gap = { id: 1, since: epoch - 60 * minute - 10 * second, clockOffsetMs: 0 };
    const venueNow = epoch - 60 * minute;
    stage.pages = [[rfq(1, { createdAt: venueNow - 5 * second }), rfq(2, { createdAt: venueNow - 20 * second })]];
    expect(await stage.compare()).toBe(1);
    expect(stage.published).toMatchObject([{ data: expect.stringContaining('"rfqId":1,') }]);
    expect(stage.queries[0]?.startTime).toBe(venueNow - 10 * second - lookback);
  });
});

describe('the list', () => {
  test('is asked for from `lookback` before the gap, or before the last comparison', async () => {
    await stage.compare();
    expect(stage.queries).toEqual([{ startTime: epoch - lookback, endTime: epoch, cursor: null, at: 0 }]);
    await stage.compare();
    expect(stage.queries[1]).toMatchObject({ startTime: epoch - lookback, endTime: epoch + minute });
    stage.gap = { id: 1, since: epoch - 2 * minute };
    await stage.compare();
    expect(stage.queries[2]).toMatchObject({ startTime: epoch - 2 * minute - lookback, endTime: epoch + 2 * minute });
  });

  test('is read page by page, with a pause between two', async () => {
    await stage.afterGap();
    const createdAt = stage.clock.wall();
    stage.pages = [[rfq(1, { createdAt })], [rfq(2, { createdAt })], [rfq(3, { createdAt })]];
    const { monotonic } = stage.clock;
    const begun = monotonic();
    expect(await stage.compare()).toBe(3);
    expect(stage.queries.slice(1).map(({ cursor, at }) => [cursor, at - begun])).toEqual([
      [null, 0],
      ['1', 100],
      ['2', 200],
    ]);
    expect(stage.published.map(({ data }) => JSON.parse(data).rfqId)).toEqual([1, 2, 3]);
  });

  test('that does not end is given up, and so is one in which nothing fits', async () => {
    stage.pages = Array.from({ length: 300 }, () => [rfq(1)]);
    const endless = stage.reconciliation.compare(new AbortController().signal);
    const refused = expect(endless).rejects.toMatchObject({ failure: { code: 'bad-reply', message: /does not end/ } });
    await stage.clock.time.advance(minute);
    await refused;
    expect(stage.queries).toHaveLength(200);

    stage = new ReconciliationStage();
    await stage.compare();
    const createdAt = stage.clock.wall();
    stage.pages = [Array.from({ length: 10_001 }, (_, id) => rfq(id + 1, { createdAt }))];
    await expect(stage.reconciliation.compare(new AbortController().signal)).rejects.toMatchObject({
      failure: { code: 'bad-reply', message: 'GET /v1/rfq: the list differs from the events in more than 10000 RFQs' },
    });
    expect(stage.published).toEqual([]);
  });

  test('may tell any number of RFQs that a gap has hidden', async () => {
    await stage.afterGap();
    const createdAt = stage.clock.wall();
    stage.pages = Array.from({ length: 12 }, (_, page) =>
      Array.from({ length: 1_000 }, (_, id) => rfq(1 + page * 1_000 + id, { createdAt })),
    );
    expect([await stage.compare(), stage.published.length]).toEqual([12_000, 12_000]);
  });

  test('that failed is asked for from the same moment again', async () => {
    await stage.compare();
    stage.meanwhile = () => {
      throw new Error('down');
    };
    await expect(stage.reconciliation.compare(new AbortController().signal)).rejects.toThrow('down');
    stage.meanwhile = () => undefined;
    await stage.clock.time.advance(minute);
    await stage.compare();
    expect(stage.queries[2]?.startTime).toBe(epoch - lookback);
  });
});

describe('a comparison that is aborted', () => {
  test.each([
    ['while a page is on its way', 0],
    ['while it waits for events that may be late', 500],
  ])('%s publishes nothing and leaves no timer', async (_, ms) => {
    await stage.afterGap();
    stage.pages = [[rfq(1, { createdAt: stage.clock.wall() })]];
    const lost = new AbortController();
    const comparison = stage.reconciliation.compare(lost.signal);
    const aborted = expect(comparison).rejects.toThrow('session lost');
    if (ms > 0) await stage.clock.time.advance(ms);
    lost.abort(new Error('session lost'));
    await aborted;
    stage.clock.time.expectNoTimers();
    expect(stage.published).toEqual([]);
    expect(await stage.compare()).toBe(1);
  });
});
