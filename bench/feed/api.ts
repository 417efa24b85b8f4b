/** What the feed can be asked. */
export interface FeedApi {
  /** Opens the venue on a free port, and the socket on which consumers tell how far they are. */
  readonly listen: (params: { readonly progressSocket: string }) => Promise<{ readonly port: number }>;
  /** Resolves when the contender of that name has connected and subscribed. */
  readonly subscribed: (params: { readonly target: string }) => Promise<void>;
  /** The number of the next event. */
  readonly nextNumber: (params: null) => number;
  /** Sends as fast as TCP and the slowest consumer take it. */
  readonly flatOut: (params: FlatOut) => Promise<Sent>;
  /** Sends one event at a time, at a rate. */
  readonly paced: (params: Paced) => Promise<Sent>;
  /** Cuts the connection of a contender, and tells when (nanoseconds of the monotonic clock). */
  readonly drop: (params: { readonly target: string }) => Promise<number>;
}

export interface FlatOut {
  readonly target: string;
  /** How long to send, in milliseconds. */
  readonly ms: number;
  /** Most events to send; no limit when absent. */
  readonly count?: number;
  /** How many events the feed may be ahead of the slowest consumer that reads. */
  readonly window: number;
  readonly size: 'realistic' | 'small';
}

export interface Paced {
  readonly target: string;
  readonly perSecond: number;
  readonly count: number;
}

/** What was sent: the numbers of the first and last event, and when the first one went (nanoseconds). */
export interface Sent {
  readonly first: number;
  readonly last: number;
  readonly startedAt: number;
  readonly endedAt: number;
}
