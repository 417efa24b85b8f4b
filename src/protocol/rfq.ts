import { isRecord } from './json-rpc.ts';

/** What figd reads of an RFQ, wherever it comes from. Moments are unix milliseconds on the venue's clock. */
export interface RfqFacts {
  readonly id: number;
  readonly role: string | null;
  readonly isOpen: boolean;
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  /** The latest moment that it tells of: its trade, its newest quote, its creation. */
  readonly latestAt: number | null;
  readonly status: string;
  /** Changes when anything changes that a trader would want to know: status, trade, amount, quotes. */
  readonly fingerprint: string;
}

/** Fields are numbers and short words: of what the venue sends instead no more is kept, and nothing of it is called. */
const longestField = 64;

const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);

/** A field as the fingerprint has it. */
function mark(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? '?' : String(value).slice(0, longestField);
}

/** The facts of an RFQ, or null where the value is none: documented fields only, all but id and status optional. */
export function readRfq(value: unknown): RfqFacts | null {
  if (!isRecord(value)) return null;
  const { rfqId, status } = value;
  if (typeof rfqId !== 'number' || typeof status !== 'string') return null;
  const quotes = Array.isArray(value['quotes']) ? value['quotes'].filter(isRecord) : [];
  const createdAt = number(value['createdAt']);
  const moments = [createdAt, number(value['tradeCreatedAt']), ...quotes.map((quote) => number(quote['createdAt']))];
  const latestAt = moments.reduce<number | null>(
    (latest, at) => (at === null ? latest : Math.max(latest ?? at, at)),
    null,
  );
  const role = value['role'];
  return {
    id: rfqId,
    role: typeof role === 'string' ? role : null,
    isOpen: status === 'open',
    createdAt,
    expiresAt: number(value['expiresAt']),
    latestAt,
    status,
    fingerprint: [
      ...[status, value['amount'], value['tradeId'], value['tradeAmount'], value['tradePrice']].map(mark),
      ...quotes.map((quote) => `${mark(quote['rfqQuoteId'])}:${mark(quote['price'])}x${mark(quote['amount'])}`).sort(),
    ].join('|'),
  };
}

/** The channel on which the events of an RFQ come; null where its role is none that is documented. */
export function channelOf({ role }: RfqFacts): string | null {
  return role === 'maker' || role === 'taker' ? `rfq.${role}` : null;
}

/** The RFQ in a notification, wherever the dialect puts its payload; null where there is none. */
export function rfqInFrame(frame: unknown): RfqFacts | null {
  if (!isRecord(frame)) return null;
  const params = isRecord(frame['params']) ? frame['params'] : {};
  const result = isRecord(frame['result']) ? frame['result'] : {};
  for (const payload of [params['data'], frame['data'], params['result'], result['data'], params, frame]) {
    const rfq = readRfq(payload);
    if (rfq !== null) return rfq;
  }
  return null;
}

/**
 * Whether an RFQ may have changed since a moment, by what it tells of itself. Rather yes: a false alarm costs a reader
 * one event too many, silence would be wrong for ever.
 */
export function mayHaveChangedSince(rfq: RfqFacts, moment: number): boolean {
  if (rfq.latestAt === null || rfq.latestAt >= moment) return true;
  switch (rfq.status) {
    case 'open':
    case 'filled':
    case 'filledPartial':
      return false;
    default:
      // When it was cancelled it does not tell, and how long after its time a venue calls it expired nobody knows.
      return true;
  }
}
