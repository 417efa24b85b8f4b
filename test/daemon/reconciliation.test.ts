import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RfqPage, RfqQuery } from '../../src/adapters/rfq-listing.ts';
import { Reconciliation } from '../../src/daemon/reconciliation.ts';
import { WantedChannels } from '../../src/daemon/wanted-channels.ts';
import { EventLog } from '../../src/log/event-log.ts';
import { passingNumbers } from '../../src/log/numbers.ts';
import { RfqIndex } from '../../src/log/rfq-index.ts';
import type { GapRecord } from '../../src/protocol/ledger.ts';
import { epoch, TestClock } from './support/test-clock.ts';

const second = 1_000;
const minute = 60 * second;
const lookback = 15 * minute;

interface ListedRfq {
  readonly rfqId: number;
  readonly status: string;
  readonly role: string;
  readonly amount: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly tradeCreatedAt?: number;
}

const rfq = (rfqId: number, told: Partial<ListedRfq> = {}): ListedRfq => ({
  rfqId,
  status: 'open',
  role: 'maker',
  amount: 25,
  createdAt: epoch,
  expiresAt: epoch + 5 * minute,
  ...told,
});

const gapRecord = {
  cause: 'connection-lost',
  until: null,
  blindMs: null,
  channels: ['rfq.maker', 'rfq.taker'],
  clockOffsetMs: null,
  reconciled: null,
};

/** What the venue lists, page by page, and all that happens to it. */
class Stage {
  readonly clock = new TestClock();
  readonly log = new EventLog({
    numbers: passingNumbers('e'),
    journal: null,
    ringBytes: 1_048_576,
    schedule: () => undefined,
  });
  readonly index = new RfqIndex(this.log);
  readonly queries: (RfqQuery & { readonly at: number })[] = [];
  readonly published: { readonly gap: number | null; readonly channel: string; readonly data: string }[] = [];
  pages: (readonly object[])[] = [[]];
  gap: (Pick<GapRecord, 'id' | 'since'> & Partial<GapRecord>) | null = null;
  laterGaps: readonly (Pick<GapRecord, 'id' | 'since'> & Partial<GapRecord>)[] = [];
  readonly wanted = new WantedChannels(['rfq.maker', 'rfq.taker'], this.clock.monotonic);
  offset: number | null = 0;
  /** Done while a page is on its way. */
  meanwhile: () => void = () => undefined;
  onPublished: (count: number) => void = () => undefined;
  readonly reconciliation = new Reconciliation({
    clock: this.clock,
    log: this.log,
    index: this.index,
    listing: { page: (query) => this.#page(query) },
    outstanding: () => [this.gap, ...this.laterGaps].flatMap((gap) => (gap === null ? [] : [{ ...gapRecord, ...gap }])),
    clockOffset: () => this.offset,
    wantedSince: () => this.wanted.since,
    lookback,
    publish: (gap, channel, data) => {
      this.published.push({ gap, channel, data: data.toString() });
      this.onPublished(this.published.length);
      this.append('figd.reconcile', { gap, channel, data: JSON.parse(data.toString()) });
    },
  });

  /** An event of the venue. */
  tell(told: ListedRfq): void {
    const channel = `rfq.${told.role}`;
    this.append(channel, { method: 'subscription', params: { channel, data: told } });
  }

  append(channel: string, message: object): void {
    this.log.append({
      channel,
      message: Buffer.from(JSON.stringify(message)),
      receivedAt: this.clock.wall(),
      session: 1,
    });
  }

  /** Compares, and lets a minute pass. */
  async compare(): Promise<number> {
    const comparison = this.reconciliation.compare(new AbortController().signal);
    await this.clock.time.advance(minute);
    return (await comparison).missed;
  }

  async #page(query: RfqQuery): Promise<RfqPage> {
    const number = Number(query.cursor ?? 0);
    this.queries.push({ ...query, at: this.clock.monotonic() });
    await undefined;
    this.meanwhile();
    const rfqs = this.pages[number] ?? [];
    return {
      rfqs,
      bytesAt: (index) => Buffer.from(` ${JSON.stringify(rfqs[index])} `.trim()),
      cursor: number + 1 < this.pages.length ? String(number + 1) : null,
    };
  }
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => {
  stage.clock.time.expectNoTimers();
});

/** A gap since 10 s ago, on a daemon that has compared before. */
async function afterGap(): Promise<void> {
  await stage.compare();
  await stage.clock.time.advance(5 * minute);
  stage.gap = { id: 4, since: stage.clock.wall() - 10 * second };
}

describe('what was missed', () => {
  test('is published once, with the gap and in the venue’s own bytes', async () => {
    await afterGap();
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

describe('nothing is published', () => {
  test('that the events have told', async () => {
    await afterGap();
    const known = rfq(1, { createdAt: stage.clock.wall() });
    stage.tell(known);
    stage.pages = [[known]];
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
  });

  test('that an event tells while the comparison is under way, before it or after the page', async () => {
    await afterGap();
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
    await afterGap();
    const createdAt = stage.clock.wall();
    stage.pages = [[rfq(1, { role: 'broker', createdAt }), { rfqId: 'x' }, {}]];
    expect([await stage.compare(), stage.published]).toEqual([0, []]);
  });
});

test('much that was missed in a gap is published 32 at a time, with a turn for everybody else between', async () => {
  await afterGap();
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
    await afterGap();
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

    stage = new Stage();
    await afterGap();
    const createdAt = stage.clock.wall();
    stage.pages = [Array.from({ length: 10_001 }, (_, id) => rfq(id + 1, { createdAt }))];
    await expect(stage.reconciliation.compare(new AbortController().signal)).rejects.toMatchObject({
      failure: { code: 'bad-reply', message: 'GET /v1/rfq: nothing fits' },
    });
    expect(stage.published).toEqual([]);
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
    await afterGap();
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
    await afterGap();
    stage.wanted.change(['rfq.maker']);
    stage.pages = [[rfq(1, { role: 'taker', createdAt: stage.clock.wall() - 5 * second })]];
    expect(await stage.compare()).toBe(1);
    expect(stage.published).toMatchObject([{ gap: 4, channel: 'rfq.taker' }]);
  });
});
