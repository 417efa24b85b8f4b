import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayHaveChangedSince, type RfqFacts, readRfq, rfqInFrame } from '../../src/protocol/rfq.ts';

const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../fixtures/venue/${name}.json`, import.meta.url), 'utf8'));
const quote = (rfqQuoteId: number, createdAt: number, price = 0.05) => ({ rfqQuoteId, price, amount: 25, createdAt });
const rfq = {
  rfqId: 31_002,
  status: 'open',
  role: 'maker',
  amount: 25,
  quotes: [quote(1, 3_000), quote(2, 2_000)],
  createdAt: 1_000,
  expiresAt: 9_000,
};

describe('an RFQ', () => {
  test('is read by its documented fields', () => {
    expect(readRfq(rfq)).toEqual({
      id: 31_002,
      role: 'maker',
      isOpen: true,
      createdAt: 1_000,
      expiresAt: 9_000,
      latestAt: 3_000,
      status: 'open',
      fingerprint: 'open|25||||1:0.05x25|2:0.05x25',
    });
  });

  test('tells of its trade as the latest thing', () => {
    const traded = { ...rfq, status: 'filled', tradeCreatedAt: 5_000, tradeId: 7, tradeAmount: 25, tradePrice: 0.05 };
    expect(readRfq(traded)).toMatchObject({
      isOpen: false,
      latestAt: 5_000,
      fingerprint: 'filled|25|7|25|0.05|1:0.05x25|2:0.05x25',
    });
  });

  test('needs no field but its id and its status', () => {
    expect(readRfq({ rfqId: 1, status: 'expired' })).toEqual({
      id: 1,
      role: null,
      isOpen: false,
      createdAt: null,
      expiresAt: null,
      latestAt: null,
      status: 'expired',
      fingerprint: 'expired||||',
    });
  });

  const deep = JSON.parse(`${'['.repeat(9_000)}${']'.repeat(9_000)}`);

  test.each([{ toString: 1 }, { toString: null, valueOf: null }, deep, 'x'.repeat(1_000_000)])(
    'with a field that is none of those documented is read all the same, and costs little',
    (odd) => {
      const odds = { amount: odd, tradeId: odd, tradeAmount: odd, tradePrice: odd };
      const read = readRfq({ ...rfq, ...odds, quotes: [{ rfqQuoteId: odd, price: odd, amount: odd }, odd] });
      expect(read).toMatchObject({ id: 31_002, isOpen: true });
      expect(read?.fingerprint.length).toBeLessThan(1_000);
    },
  );

  test('is read without a fault, whatever its fields are', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(rfq), 'tradeId', 'tradePrice'), fc.jsonValue()),
        (odd) => {
          expect(readRfq({ ...rfq, ...odd, rfqId: 1, status: 'open' })?.id).toBe(1);
        },
      ),
    );
  });

  test.each([null, 7, 'rfq', [], {}, { rfqId: '1', status: 'open' }, { rfqId: 1 }, { status: 'open' }])(
    'is not what is told by %j',
    (value) => {
      expect(readRfq(value)).toBeNull();
    },
  );

  test('has the same fingerprint however its quotes are ordered', () => {
    const turned = { ...rfq, quotes: [...rfq.quotes].reverse() };
    expect(readRfq(turned)?.fingerprint).toBe(readRfq(rfq)?.fingerprint);
  });

  test.each<[string, Record<string, unknown>]>([
    ['status', { status: 'cancelled' }],
    ['amount', { amount: 50 }],
    ['trade', { tradeId: 8 }],
    ['quotes', { quotes: [quote(1, 3_000)] }],
    ["quotes' prices", { quotes: [quote(1, 3_000, 0.06), quote(2, 2_000)] }],
  ])('has another fingerprint when its %s changed', (_, change) => {
    expect(readRfq({ ...rfq, ...change })?.fingerprint).not.toBe(readRfq(rfq)?.fingerprint);
  });

  test('is read from anything without a crash', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (quotes) => {
        const read = readRfq({ rfqId: 1, status: 'open', quotes, createdAt: quotes, role: quotes });
        expect(read).toMatchObject({ id: 1, status: 'open' });
        expect(readRfq(quotes)).toBeNull();
      }),
    );
  });
});

describe('a notification', () => {
  test.each(['rfq.maker', 'rfq.taker'])('of %s in the venue’s own sample holds its RFQ', (channel) => {
    const found = rfqInFrame(fixture(channel));
    expect(found?.role).toBe(channel.slice('rfq.'.length));
    expect(found?.id).toBeGreaterThan(0);
  });

  test.each(['rfq_quote.maker', 'rfq_quote.taker'])('of %s holds none', (channel) => {
    expect(rfqInFrame(fixture(channel))).toBeNull();
  });

  test.each<[string, unknown]>([
    ['params.data', { params: { channel: 'rfq.maker', data: rfq } }],
    ['data', { channel: 'rfq.maker', data: rfq }],
    ['params.result', { params: { channel: 'rfq.maker', result: rfq } }],
    ['result.data', { result: { channel: 'rfq.maker', data: rfq } }],
    ['params', { method: 'rfq.maker', params: rfq }],
    ['the frame itself', rfq],
  ])('holds it in %s', (_, frame) => {
    expect(rfqInFrame(frame)).toEqual(readRfq(rfq));
  });

  test.each([null, 'text', [rfq], { params: [rfq] }])('that is %j holds none', (frame) => {
    expect(rfqInFrame(frame)).toBeNull();
  });
});

describe('since a moment', () => {
  const facts = (told: Partial<RfqFacts>): RfqFacts => ({
    id: 1,
    role: 'maker',
    isOpen: false,
    createdAt: 1_000,
    expiresAt: 9_000,
    latestAt: 3_000,
    status: 'open',
    fingerprint: '',
    ...told,
  });

  test.each<[boolean, string, Partial<RfqFacts>]>([
    [true, 'tells of something later', { latestAt: 5_000 }],
    [true, 'tells of no moment at all', { latestAt: null }],
    [false, 'is open, with everything that it tells of before', {}],
    [false, 'was filled before', { status: 'filled' }],
    [false, 'was filled in part before', { status: 'filledPartial' }],
    [true, 'expired later', { status: 'expired' }],
    [true, 'expired before, and the venue may have said so later', { status: 'expired', expiresAt: 4_000 }],
    [true, 'was cancelled, perhaps later', { status: 'cancelled' }],
    [true, 'was cancelled, perhaps after its time', { status: 'cancelled', expiresAt: 4_000 }],
    [true, 'is over and tells no expiry', { status: 'cancelled', expiresAt: null }],
    [true, 'has a status that nobody knows', { status: 'suspended' }],
  ])('may have changed: %s, where it %s', (may, _, told) => {
    expect(mayHaveChangedSince(facts(told), 5_000)).toBe(may);
  });
});
