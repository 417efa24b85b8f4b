/** The field names and types of the venue's channel pages; times are unix ms, prices in units of the base currency. */

export type Direction = 'buy' | 'sell';

export type RfqStatus = 'open' | 'filled' | 'filledPartial' | 'cancelled' | 'expired';

export interface RfqLeg {
  readonly instrumentId: number;
  readonly instrumentName: string;
  readonly direction: Direction;
  readonly ratio: number;
  readonly expiry: string;
  readonly amount: number;
}

export interface Hedge {
  readonly amount: number;
  readonly direction: Direction;
  readonly expiry: string;
  readonly instrumentId: number;
  readonly instrumentName: string;
  readonly price: number;
}

export interface RfqTrade {
  readonly direction: Direction;
  readonly price: number;
  readonly amount: number;
  readonly instrumentName: string;
  readonly exchangeTradeId: string;
  readonly createdAt: number;
}

/** A quote as an RFQ lists it. */
export interface ListedQuote {
  readonly rfqQuoteId: number;
  readonly direction: Direction;
  readonly price: number;
  readonly amount: number;
  readonly makers: readonly string[];
  readonly createdAt: number;
}

/** An RFQ, as on `rfq.maker` and `rfq.taker` and from `GET /v1/rfq`. */
export interface Rfq {
  readonly rfqId: number;
  readonly productId: number;
  readonly kind: 'option';
  readonly strategy: string;
  readonly description: string;
  readonly status: RfqStatus;
  readonly baseCurrency: string;
  readonly quoteCurrency: string;
  readonly amount: number;
  readonly anonymous: boolean;
  readonly role: 'maker' | 'taker';
  readonly markPrice: number;
  readonly tradeDirection?: Direction;
  readonly tradePrice?: number;
  readonly tradeAmount?: number;
  readonly tradeCreatedAt?: number;
  readonly tradeId?: number;
  readonly legs: readonly RfqLeg[];
  readonly hedge?: Hedge;
  readonly settlementOptions: readonly string[];
  readonly quoteCurrencies: Readonly<Record<string, string>>;
  readonly quotes: readonly ListedQuote[];
  readonly trades: readonly RfqTrade[];
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface QuoteLeg {
  readonly instrumentId: number;
  readonly instrumentName: string;
  readonly direction: Direction;
  readonly price: number;
}

/** A quote; `label` and `settlementCredentials` are seen by its maker only, `makers` by the taker only. */
export interface Quote {
  readonly rfqQuoteId: number;
  readonly rfqId: number;
  readonly label?: string;
  readonly direction: Direction;
  readonly price: number;
  readonly amount: number;
  readonly settlementOption: string;
  readonly quoteCurrency: string;
  readonly settlementCredentials?: number;
  readonly makers?: readonly string[];
  readonly legs: readonly QuoteLeg[];
  readonly hedge?: Hedge;
  readonly createdAt: number;
}

export type QuoteEvent = 'created' | 'updated' | 'deleted' | 'cancelled' | 'filled';

/** How many closed RFQs the book keeps for `GET /v1/rfq`: about 10 MB. */
const keptClosed = 5000;

/** An open RFQ with the quotes on it. */
export interface OpenRfq {
  rfq: Rfq;
  readonly quotes: Map<number, Quote>;
  /** Prices of the legs when the RFQ was made, in the order of its legs. */
  readonly legPrices: readonly number[];
}

/** All RFQs the venue knows: the open ones, and a bounded history. */
export class Book {
  readonly #open = new Map<number, OpenRfq>();
  /** In the order in which they closed. */
  readonly #closed = new Map<number, Rfq>();

  get open(): ReadonlyMap<number, OpenRfq> {
    return this.#open;
  }

  add(entry: OpenRfq): void {
    this.#open.set(entry.rfq.rfqId, entry);
  }

  /** Moves an RFQ, in its final form, to the history. */
  close(rfq: Rfq): void {
    this.#open.delete(rfq.rfqId);
    this.#closed.set(rfq.rfqId, rfq);
    const oldest = this.#closed.keys().next();
    if (this.#closed.size > keptClosed && oldest.done !== true) this.#closed.delete(oldest.value);
  }

  find(rfqId: number): Rfq | undefined {
    return this.#open.get(rfqId)?.rfq ?? this.#closed.get(rfqId);
  }

  /** Every RFQ known, by ascending id, which is also the order of creation. */
  all(): readonly Rfq[] {
    const open = [...this.#open.values()].map((entry) => entry.rfq);
    return [...this.#closed.values(), ...open].sort((left, right) => left.rfqId - right.rfqId);
  }
}
