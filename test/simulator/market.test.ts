import { createClock } from '@sinonjs/fake-timers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Quote, QuoteEvent, Rfq } from '../../src/simulator/book.ts';
import { Flow } from '../../src/simulator/flow.ts';
import { channels } from '../../src/simulator/frames.ts';
import { listedExpiries, optionPrice } from '../../src/simulator/instruments.ts';
import { Market, type MarketEvent } from '../../src/simulator/market.ts';
import { epoch, virtualVenue } from './harness.ts';

type QuoteMessage = Quote & { readonly event: QuoteEvent };

/** Steps a market through `steps` steps, 200 ms apart. */
function run(seed: number, steps: number): { events: MarketEvent[]; market: Market } {
  const market = new Market(seed);
  const events = Array.from({ length: steps }, (_, step) => market.step(epoch + 200 * step)).flat();
  return { events, market };
}

test('whatever the seed, the events tell a consistent story', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const rfqs = new Map<number, Rfq>();
      const quotes = new Map<number, QuoteMessage>();
      for (const { channel, data } of run(seed, 400).events) {
        if ('event' in data) checkQuote(channel, data, rfqs, quotes);
        else checkRfq(channel, data, rfqs, quotes);
      }
      expect(rfqs.size).toBeGreaterThan(0);
    }),
    { numRuns: 50 },
  );
});

function checkRfq(channel: string, rfq: Rfq, rfqs: Map<number, Rfq>, quotes: Map<number, QuoteMessage>): void {
  const before = rfqs.get(rfq.rfqId);
  expect(channel).toBe(`rfq.${rfq.role}`);
  if (before === undefined) expect([rfq.status, rfq.quotes, rfq.trades]).toEqual(['open', [], []]);
  else {
    expect(before.status).toBe('open');
    expect(rfq).toMatchObject({ role: before.role, legs: before.legs, createdAt: before.createdAt });
  }
  const live = [...quotes.values()].filter((quote) => quote.rfqId === rfq.rfqId && isLive(quote));
  if (rfq.status === 'open' && rfq.role === 'taker') {
    expect(rfq.quotes.map((quote) => quote.rfqQuoteId)).toEqual(live.map((quote) => quote.rfqQuoteId));
  }
  if (rfq.status !== 'open') expect(live).toEqual([]);
  if (rfq.status === 'filled' || rfq.status === 'filledPartial') checkTrade(rfq, quotes);
  else expect(rfq).not.toHaveProperty('tradeId');
  rfqs.set(rfq.rfqId, rfq);
}

function checkTrade(rfq: Rfq, quotes: Map<number, QuoteMessage>): void {
  expect(rfq).toMatchObject({ tradeId: expect.any(Number), tradeCreatedAt: expect.any(Number) });
  expect(rfq.trades.map((trade) => trade.instrumentName)).toEqual(rfq.legs.map((leg) => leg.instrumentName));
  expect(rfq.trades.map((trade) => trade.createdAt)).toEqual(rfq.legs.map(() => rfq.tradeCreatedAt));
  const ofRfq = [...quotes.values()].filter((quote) => quote.rfqId === rfq.rfqId);
  expect(ofRfq.map((quote) => quote.price)).toContain(rfq.tradePrice);
  if (rfq.role === 'maker') expect(ofRfq.filter((quote) => quote.event === 'filled').length).toBe(1);
  if (rfq.status === 'filled') expect(rfq.tradeAmount).toBe(rfq.amount);
  else expect(rfq.tradeAmount).toBeLessThan(rfq.amount);
}

function checkQuote(
  channel: string,
  quote: QuoteMessage,
  rfqs: Map<number, Rfq>,
  quotes: Map<number, QuoteMessage>,
): void {
  const rfq = rfqs.get(quote.rfqId);
  expect(rfq?.status).toBe('open');
  expect(channel).toBe(`rfq_quote.${rfq?.role}`);
  const before = quotes.get(quote.rfqQuoteId);
  if (quote.event === 'created') expect(before).toBeUndefined();
  else expect(before !== undefined && isLive(before)).toBe(true);
  if (channel === 'rfq_quote.taker') expect(['created', 'updated', 'deleted']).toContain(quote.event);
  const sum = quote.legs.reduce(
    (total, { direction, price }, index) =>
      total + (direction === 'buy' ? 1 : -1) * (rfq?.legs[index]?.ratio ?? 0) * price,
    0,
  );
  expect(quote.price).toBeCloseTo(sum, 6);
  for (const leg of quote.legs) expect(leg.price).toBeGreaterThan(0);
  quotes.set(quote.rfqQuoteId, quote);
}

function isLive(quote: QuoteMessage): boolean {
  return quote.event === 'created' || quote.event === 'updated';
}

test('the same seed gives the same frames, another seed others', async () => {
  const frames = async (seed: number): Promise<unknown[]> => {
    const { clock, live, venue } = virtualVenue({ rate: 50, seed });
    const { peer } = await live();
    venue.start();
    clock.tick(5000);
    return peer.frames;
  };
  const first = await frames(3);
  expect(first.length).toBeGreaterThan(200);
  expect(await frames(3)).toEqual(first);
  expect(await frames(4)).not.toEqual(first);
});

test('at five events a second all four channels speak within two seconds, and none is silent for long', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const { clock, venue } = virtualVenue({ rate: 5, seed });
      venue.start();
      for (let window = 0; window < 10; window += 1) {
        const before = { ...venue.stats.events };
        clock.tick(window === 0 ? 2000 : 3000);
        for (const channel of channels) expect(venue.stats.events[channel]).toBeGreaterThan(before[channel]);
      }
    }),
    { numRuns: 30 },
  );
});

test('payloads have the fields of the samples, in sizes a venue sends', () => {
  const { events } = run(11, 5000);
  const fieldsOf = (channel: string): ReadonlySet<string> =>
    new Set(events.filter((event) => event.channel === channel).flatMap((event) => Object.keys(event.data)));
  const rfq = [
    ...['rfqId', 'productId', 'kind', 'strategy', 'description', 'status', 'baseCurrency', 'quoteCurrency', 'amount'],
    ...['anonymous', 'role', 'markPrice', 'tradeDirection', 'tradePrice', 'tradeAmount', 'tradeCreatedAt', 'tradeId'],
    ...['legs', 'hedge', 'settlementOptions', 'quoteCurrencies', 'quotes', 'trades', 'createdAt', 'expiresAt'],
  ];
  const quote = ['rfqQuoteId', 'rfqId', 'direction', 'price', 'amount', 'settlementOption', 'quoteCurrency', 'legs'];
  expect(fieldsOf('rfq.maker')).toEqual(new Set(rfq));
  expect(fieldsOf('rfq.taker')).toEqual(new Set(rfq));
  expect(fieldsOf('rfq_quote.maker')).toEqual(
    new Set([...quote, 'label', 'settlementCredentials', 'hedge', 'createdAt', 'event']),
  );
  expect(fieldsOf('rfq_quote.taker')).toEqual(new Set([...quote, 'makers', 'hedge', 'createdAt', 'event']));

  const sizes = events
    .filter(({ channel }) => channel.startsWith('rfq.'))
    .map(({ data }) => JSON.stringify(data).length)
    .sort((left, right) => left - right);
  expect(sizes[0]).toBeGreaterThan(400);
  expect(sizes[Math.floor(0.95 * sizes.length)]).toBeLessThan(1400);
  const statuses = new Set(events.flatMap(({ data }) => ('status' in data ? [data.status] : [])));
  expect(statuses).toEqual(new Set(['open', 'filled', 'filledPartial', 'cancelled', 'expired']));
});

test('memory stays bounded', () => {
  const { market } = run(5, 60_000);
  expect(market.book.open.size).toBeLessThanOrEqual(50);
  expect(market.book.all().length).toBeLessThanOrEqual(5050);
});

test('instruments expire in the future, on Fridays at 08:00 UTC, whatever the day', () => {
  fc.assert(
    fc.property(fc.integer({ min: epoch, max: epoch + 10 * 365 * 86_400_000 }), (now) => {
      const expiries = listedExpiries(now);
      expect(expiries.length).toBeGreaterThanOrEqual(5);
      expect([...expiries].sort((left, right) => left - right)).toEqual(expiries);
      for (const expiry of expiries) {
        expect(expiry).toBeGreaterThan(now + 86_400_000);
        expect([new Date(expiry).getUTCDay(), expiry % 86_400_000]).toEqual([5, 8 * 3_600_000]);
      }
    }),
  );
});

test('option prices agree with Black-Scholes', () => {
  const year = 365 * 86_400_000;
  // At the money, one year, 55 %: 2·N(0.275) − 1 = 0.2167.
  expect(optionPrice('C', 100, 100, year)).toBeCloseTo(0.2167, 4);
  expect(optionPrice('P', 100, 100, year)).toBeCloseTo(0.2167, 4);
  expect(optionPrice('P', 100, 120, year) - optionPrice('C', 100, 120, year)).toBeCloseTo(0.2, 3);
});

test.each([5, 200, 2000])('the flow keeps its average rate of %i a second', (rate) => {
  const clock = createClock(epoch);
  let made = 0;
  const flow = new Flow(
    {
      now: () => clock.now,
      setTimeout: clock.setTimeout,
      clearTimeout: (handle) => clock.clearTimeout(handle as number),
    },
    rate,
    1,
    () => {
      made += 1;
      return 1;
    },
  );
  flow.start();
  flow.start();
  clock.tick(60_000);
  expect(Math.abs(made / (60 * rate) - 1)).toBeLessThan(0.05);
  flow.stop();
  expect(clock.countTimers()).toBe(0);
});
