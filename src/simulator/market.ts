import { Book, type OpenRfq, type Quote, type QuoteEvent, type Rfq, type RfqStatus } from './book.ts';
import { closedRfq, type Numbering, newQuote, newRfq, repriced } from './deals.ts';
import { type Channel, channels } from './frames.ts';
import { type Asset, assets, roundPrice } from './instruments.ts';
import { integer, pick, seededRandom } from './random.ts';

/** One event of the market: a payload on a channel. */
export interface MarketEvent {
  readonly channel: Channel;
  readonly data: Rfq | (Quote & { readonly event: QuoteEvent });
}

/** Open RFQs the market hovers around; at twice as many, one of a role opens only when none of that role can close. */
const usualOpen = 24;
/** Live quotes on one RFQ at most, which also bounds the size of an RFQ's frame. */
const maxQuotes = 3;
/** After so many events without one on a channel, the next step makes one: within 2 s at the default rate. */
const quietLimit = 4;

type Role = Rfq['role'];

/**
 * A believable market as this user sees it: RFQs of others to quote on (role maker), own RFQs and the quotes others
 * make on them (role taker). Every step is a consistent change of the book together with the events that tell it, so a
 * client never sees a quote without its RFQ, or anything about an RFQ after its final status.
 */
export class Market {
  readonly book = new Book();
  readonly #random: () => number;
  readonly #spots = new Map<Asset, number>(assets.map((asset) => [asset, asset.spot]));
  readonly #numbering: Numbering;
  readonly #quiet = new Map<Channel, number>(channels.map((channel) => [channel, 0]));

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const random = this.#random;
    const instruments = new Map<string, number>();
    const counters = {
      rfq: integer(random, 10_000, 90_000),
      product: integer(random, 1000, 9000),
      quote: integer(random, 10_000, 90_000),
      trade: integer(random, 10_000, 90_000),
      block: integer(random, 100_000, 900_000),
    };
    this.#numbering = {
      next: (counter) => {
        counters[counter] += 1;
        return counters[counter];
      },
      // One id an instrument, for ever; their number is bounded by strikes times expiries.
      instrument: (name) => {
        const id = instruments.get(name) ?? 70_000 + instruments.size + 1;
        instruments.set(name, id);
        return id;
      },
    };
  }

  /** Lets one thing happen at `now` (unix ms); returns the events that tell it, at least one. */
  step(now: number): readonly MarketEvent[] {
    const events = this.#happen(now);
    for (const channel of channels) this.#quiet.set(channel, this.#silence(channel) + events.length);
    for (const event of events) this.#quiet.set(event.channel, 0);
    return events;
  }

  #happen(now: number): readonly MarketEvent[] {
    const quiet = channels.reduce((left, right) => (this.#silence(right) > this.#silence(left) ? right : left));
    if (this.#silence(quiet) >= quietLimit) return this.#speakOn(quiet, now);

    const due = this.#pickOpen((entry) => entry.rfq.expiresAt <= now);
    if (due !== undefined) return this.#close(due, now, 'expired');
    if (this.book.open.size < 6) return this.#open(now, this.#random() < 0.6 ? 'maker' : 'taker');

    const chance = this.#random();
    if (chance < 0.3) return this.#openOrClose(now, this.#random() < 0.6 ? 'maker' : 'taker');
    if (chance < 0.65) return this.#quote(now, this.#random() < 0.5 ? 'maker' : 'taker');
    return this.#moveQuote(now);
  }

  /** Events on other channels since the last one on this. */
  #silence(channel: Channel): number {
    return this.#quiet.get(channel) ?? 0;
  }

  /** Something that is told on `channel`. */
  #speakOn(channel: Channel, now: number): readonly MarketEvent[] {
    switch (channel) {
      case 'rfq.maker':
        return this.#openOrClose(now, 'maker');
      case 'rfq.taker':
        return this.#openOrClose(now, 'taker');
      case 'rfq_quote.maker':
        return this.#quote(now, 'maker');
      case 'rfq_quote.taker':
        return this.#quote(now, 'taker');
    }
  }

  /** An RFQ of this role appears or ends, so that the number of open ones hovers around a usual one. */
  #openOrClose(now: number, role: Role): readonly MarketEvent[] {
    const crowded = this.#random() * 2 * usualOpen < this.book.open.size;
    const entry = crowded ? this.#pickOpen(({ rfq }) => rfq.role === role) : undefined;
    return entry === undefined ? this.#open(now, role) : this.#closeSomehow(now, entry);
  }

  #open(now: number, role: Role): readonly MarketEvent[] {
    const asset = pick(this.#random, assets);
    const spot = this.#moveSpot(asset);
    const entry = newRfq(this.#random, this.#numbering, { asset, spot, role, now });
    this.book.add(entry);
    return [rfqEvent(entry.rfq)];
  }

  /** A quote on an RFQ in this role: ours on another's, or another's on ours. Opens an RFQ if there is none to quote. */
  #quote(now: number, role: Role): readonly MarketEvent[] {
    const entry = this.#pickOpen(({ rfq, quotes }) => rfq.role === role && quotes.size < maxQuotes);
    if (entry === undefined) {
      const opening = this.#open(now, role);
      return [...opening, ...this.#quote(now, role)];
    }
    const quote = newQuote(this.#random, this.#numbering, entry, now);
    entry.quotes.set(quote.rfqQuoteId, quote);
    return [quoteEvent(entry, quote, 'created'), ...this.#listQuotes(entry)];
  }

  /** A live quote gets a new price, or is withdrawn. */
  #moveQuote(now: number): readonly MarketEvent[] {
    const entry = this.#pickOpen(({ quotes }) => quotes.size > 0);
    if (entry === undefined) return this.#quote(now, 'maker');
    const quote = pick(this.#random, [...entry.quotes.values()]);
    if (this.#random() < 0.7) {
      const updated = repriced(this.#random, quote);
      entry.quotes.set(quote.rfqQuoteId, updated);
      return [quoteEvent(entry, updated, 'updated'), ...this.#listQuotes(entry)];
    }
    entry.quotes.delete(quote.rfqQuoteId);
    return [quoteEvent(entry, quote, 'deleted'), ...this.#listQuotes(entry)];
  }

  /** An RFQ, any one unless it is named, trades or is cancelled. */
  #closeSomehow(now: number, entry = this.#pickOpen(() => true)): readonly MarketEvent[] {
    if (entry === undefined) return this.#open(now, 'maker');
    if (entry.quotes.size === 0 || this.#random() < 0.2) return this.#close(entry, now, 'cancelled');
    return this.#close(entry, now, this.#random() < 0.8 ? 'filled' : 'filledPartial');
  }

  /** Ends an RFQ: first the fate of each quote is told, then the final status. */
  #close(entry: OpenRfq, now: number, status: Exclude<RfqStatus, 'open'>): readonly MarketEvent[] {
    const traded = status === 'filled' || status === 'filledPartial';
    const filled = traded ? pick(this.#random, [...entry.quotes.values()]) : undefined;
    const rfq = closedRfq(this.#random, this.#numbering, entry, { status, filled, now });
    const { role } = entry.rfq;
    const fates = [...entry.quotes.values()].map((quote): MarketEvent => {
      // The taker's channel knows no `filled` and no `cancelled`: a quote that has left the book is deleted.
      if (role === 'taker') return quoteEvent(entry, quote, 'deleted');
      return quoteEvent(entry, quote, quote === filled ? 'filled' : 'cancelled');
    });
    this.book.close(rfq);
    return [...fates, rfqEvent(rfq)];
  }

  /** Brings the RFQ's list of quotes up to date; the taker sees that as an event of the RFQ. */
  #listQuotes(entry: OpenRfq): readonly MarketEvent[] {
    const { rfq } = entry;
    if (rfq.role !== 'taker') return [];
    entry.rfq = {
      ...rfq,
      quotes: [...entry.quotes.values()].map(({ rfqQuoteId, direction, price, amount, makers = [], createdAt }) => ({
        rfqQuoteId,
        direction,
        price,
        amount,
        makers,
        createdAt,
      })),
    };
    return [rfqEvent(entry.rfq)];
  }

  #pickOpen(matches: (entry: OpenRfq) => boolean): OpenRfq | undefined {
    const candidates = [...this.book.open.values()].filter(matches);
    return candidates.length === 0 ? undefined : pick(this.#random, candidates);
  }

  /** A random walk within 20 % of where it started. */
  #moveSpot(asset: Asset): number {
    const spot = (this.#spots.get(asset) ?? asset.spot) * (1 + 0.002 * (this.#random() - 0.5));
    const bounded = Math.min(Math.max(spot, 0.8 * asset.spot), 1.2 * asset.spot);
    this.#spots.set(asset, bounded);
    return roundPrice(bounded);
  }
}

function rfqEvent(rfq: Rfq): MarketEvent {
  return { channel: rfq.role === 'maker' ? 'rfq.maker' : 'rfq.taker', data: rfq };
}

function quoteEvent(entry: OpenRfq, quote: Quote, event: QuoteEvent): MarketEvent {
  const channel = entry.rfq.role === 'maker' ? 'rfq_quote.maker' : 'rfq_quote.taker';
  return { channel, data: { ...quote, event } };
}
