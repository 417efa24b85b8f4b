import type { Direction, Hedge, OpenRfq, Quote, Rfq, RfqStatus, RfqTrade } from './book.ts';
import { type Asset, drawStrategy, roundPrice } from './instruments.ts';
import { integer, pick } from './random.ts';

/** Where ids come from: counters that never repeat, and one id for each instrument. */
export interface Numbering {
  next(counter: 'rfq' | 'product' | 'quote' | 'trade' | 'block'): number;
  instrument(name: string): number;
}

const settlements = [
  { settlementOptions: ['DBT'], quoteCurrencies: { DBT: 'BTC' } },
  { settlementOptions: ['BULL'], quoteCurrencies: { BULL: 'USDC' } },
  { settlementOptions: ['DBT', 'BULL'], quoteCurrencies: { DBT: 'BTC', BULL: 'USDC' } },
] as const;

const makers = ['maker-a', 'maker-b', 'maker-c', 'maker-d'] as const;

/** Draws a new RFQ, open and without quotes. */
export function newRfq(
  random: () => number,
  numbering: Numbering,
  { asset, spot, role, now }: { asset: Asset; spot: number; role: Rfq['role']; now: number },
): OpenRfq {
  const strategy = drawStrategy(random, asset, spot, now);
  const amount = pick(random, asset.amounts);
  const { settlementOptions, quoteCurrencies } = pick(random, settlements);
  const mark = strategy.legs.reduce((sum, leg) => sum + signed(leg.direction) * leg.ratio * leg.price, 0);
  const hedge: Hedge | undefined =
    random() < 0.4
      ? {
          amount: Math.round((amount * spot * 0.4) / 1000) * 1000,
          direction: random() < 0.5 ? 'buy' : 'sell',
          expiry: strategy.future.expiry,
          instrumentId: numbering.instrument(strategy.future.instrumentName),
          instrumentName: strategy.future.instrumentName,
          price: Math.round(spot * 1.004 * 2) / 2,
        }
      : undefined;
  const createdAt = Math.floor(now);
  const rfq: Rfq = {
    rfqId: numbering.next('rfq'),
    productId: numbering.next('product'),
    kind: 'option',
    strategy: strategy.code,
    description: strategy.description,
    status: 'open',
    baseCurrency: asset.name,
    quoteCurrency: 'USD',
    amount,
    anonymous: random() < 0.7,
    role,
    markPrice: roundPrice(mark),
    legs: strategy.legs.map(({ instrumentName, direction, ratio, expiry }) => ({
      instrumentId: numbering.instrument(instrumentName),
      instrumentName,
      direction,
      ratio,
      expiry,
      amount: amount * ratio,
    })),
    ...(hedge === undefined ? {} : { hedge }),
    settlementOptions,
    quoteCurrencies: Object.fromEntries(
      Object.entries(quoteCurrencies).map(([option, currency]) => [option, currency === 'BTC' ? asset.name : currency]),
    ),
    quotes: [],
    trades: [],
    createdAt,
    expiresAt: createdAt + 1000 * integer(random, 30, 300),
  };
  return { rfq, quotes: new Map(), legPrices: strategy.legs.map((leg) => leg.price) };
}

/** Draws a quote on an open RFQ. Its price is the sum of its legs', so fills add up. */
export function newQuote(random: () => number, numbering: Numbering, entry: OpenRfq, now: number): Quote {
  const { rfq, legPrices } = entry;
  const settlementOption = pick(random, rfq.settlementOptions);
  const spread = roundPrice(0.0001 * integer(random, 1, 12));
  const direction: Direction = random() < 0.5 ? 'buy' : 'sell';
  // A maker who sells asks for more than the mark, one who buys bids less; the last leg carries the spread.
  const last = rfq.legs.length - 1;
  const legs = rfq.legs.map(({ instrumentId, instrumentName, direction: legDirection, ratio }, index) => {
    const edge = index === last ? (-signed(direction) * signed(legDirection) * spread) / ratio : 0;
    const price = Math.max(roundPrice((legPrices[index] ?? 0) + edge), 0.0001);
    return { instrumentId, instrumentName, direction: legDirection, price };
  });
  const price = roundPrice(
    legs.reduce((sum, leg, index) => sum + signed(leg.direction) * (rfq.legs[index]?.ratio ?? 1) * leg.price, 0),
  );
  const mine = rfq.role === 'maker';
  return {
    rfqQuoteId: numbering.next('quote'),
    rfqId: rfq.rfqId,
    ...(mine ? { label: `desk-${integer(random, 1, 9)}` } : {}),
    direction,
    price,
    amount: rfq.amount,
    settlementOption,
    quoteCurrency: rfq.quoteCurrencies[settlementOption] ?? rfq.baseCurrency,
    ...(mine ? { settlementCredentials: 2204 } : { makers: [pick(random, makers)] }),
    legs,
    ...(rfq.hedge === undefined ? {} : { hedge: rfq.hedge }),
    createdAt: Math.floor(now),
  };
}

/** The same quote a few ticks better or worse, moved on a leg of ratio 1. */
export function repriced(random: () => number, quote: Quote): Quote {
  const ticks = pick(random, [-0.0003, -0.0002, -0.0001, 0.0001, 0.0002, 0.0003]);
  const first = quote.legs[0];
  if (first === undefined || first.price + ticks < 0.0001) return { ...quote };
  const moved = { ...first, price: roundPrice(first.price + ticks) };
  return {
    ...quote,
    price: roundPrice(quote.price + signed(first.direction) * ticks),
    legs: [moved, ...quote.legs.slice(1)],
  };
}

/** The final form of an RFQ; with `filled`, the quote that traded, it carries the trade and one fill for each leg. */
export function closedRfq(
  random: () => number,
  numbering: Numbering,
  entry: OpenRfq,
  end: { status: Exclude<RfqStatus, 'open'>; filled: Quote | undefined; now: number },
): Rfq {
  const { rfq } = entry;
  const { status, filled } = end;
  if (filled === undefined) return { ...rfq, status };
  const createdAt = Math.floor(end.now);
  const share = status === 'filledPartial' ? pick(random, [0.2, 0.4, 0.5, 0.8]) : 1;
  const tradeAmount = roundPrice(rfq.amount * share);
  const exchangeTradeId = `BLOCK-${numbering.next('block')}`;
  const trades = filled.legs.map(
    ({ instrumentName, direction, price }, index): RfqTrade => ({
      direction,
      price,
      amount: roundPrice(tradeAmount * (rfq.legs[index]?.ratio ?? 1)),
      instrumentName,
      exchangeTradeId,
      createdAt,
    }),
  );
  const { legs, hedge, settlementOptions, quoteCurrencies, quotes, createdAt: openedAt, expiresAt, ...head } = rfq;
  // Spelled out to keep the order of the fields that the venue's samples have.
  return {
    ...head,
    status,
    // The taker trades against the quote.
    tradeDirection: filled.direction === 'buy' ? 'sell' : 'buy',
    tradePrice: filled.price,
    tradeAmount,
    tradeCreatedAt: createdAt,
    tradeId: numbering.next('trade'),
    legs,
    ...(hedge === undefined ? {} : { hedge }),
    settlementOptions,
    quoteCurrencies,
    quotes,
    trades,
    createdAt: openedAt,
    expiresAt,
  };
}

function signed(direction: Direction): 1 | -1 {
  return direction === 'buy' ? 1 : -1;
}
