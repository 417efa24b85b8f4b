import type { RfqPage, RfqQuery } from '../../../src/adapters/rfq-listing.ts';
import { Reconciliation } from '../../../src/daemon/reconciliation.ts';
import { WantedChannels } from '../../../src/daemon/wanted-channels.ts';
import { EventLog } from '../../../src/log/event-log.ts';
import { passingNumbers } from '../../../src/log/numbers.ts';
import { RfqIndex } from '../../../src/log/rfq-index.ts';
import type { GapRecord } from '../../../src/protocol/ledger.ts';
import { epoch, TestClock } from './test-clock.ts';

const second = 1_000;
const minute = 60 * second;
export const lookback = 15 * minute;

export interface ListedRfq {
  readonly rfqId: number;
  readonly status: string;
  readonly role: string;
  readonly amount: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly tradeCreatedAt?: number;
}

export const rfq = (rfqId: number, told: Partial<ListedRfq> = {}): ListedRfq => ({
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
  until: epoch,
  blindMs: null,
  channels: ['rfq.maker', 'rfq.taker'],
  clockOffsetMs: null,
  reconciled: null,
};

/** A comparison, what the venue lists to it, page by page, and all that comes of it. */
export class ReconciliationStage {
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
    onCompared: (gaps, until) => {
      if (this.gap !== null && gaps.includes(this.gap.id)) this.gap = { ...this.gap, comparedUntil: until };
    },
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

  /** Puts a gap 10 s ago, on a daemon that has compared before. */
  async afterGap(): Promise<void> {
    await this.compare();
    await this.clock.time.advance(5 * minute);
    this.gap = { id: 4, since: this.clock.wall() - 10 * second };
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
