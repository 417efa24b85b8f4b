import type { HistogramData } from '../histogram.ts';
import type { ProtocolName } from '../wire/protocols.ts';

/** Where a contender serves: a Unix socket, a TCP port on the loopback, or the URL of the feed itself. */
export type Endpoint = { readonly path: string } | { readonly port: number } | { readonly url: string };

/** What the process of the consumers can be asked. */
export interface ConsumersApi {
  /** Connects and subscribes; resolves when all subscriptions stand. */
  readonly connect: (params: Connecting) => Promise<void>;
  /** Begins a measurement in which `next` is the number of the first event; `timed`: latencies are of interest. */
  readonly expect: (params: { readonly next: number; readonly timed: boolean }) => void;
  /** Resolves when all that read have the event `last`, or nothing has come for `quietMs`. */
  readonly finish: (params: { readonly last: number; readonly quietMs: number }) => Promise<Report>;
  /** The number that all who read have got so far. */
  readonly reached: (params: null) => number;
  /** Lets the stalled ones read. */
  readonly resume: (params: null) => void;
  readonly disconnect: (params: null) => void;
}

export interface Connecting {
  readonly protocol: ProtocolName;
  readonly endpoint: Endpoint;
  /** How many read. */
  readonly reading: number;
  /** How many subscribe and do not read. */
  readonly stalled: number;
  /** How many read and come back every second, from where they were (figd only). */
  readonly restless: number;
}

/** What a group of consumers got since `expect`. */
export interface Received {
  readonly messages: number;
  /** Numbers that were skipped. */
  readonly missing: number;
  /** Numbers that came again, or behind a larger one. */
  readonly doubled: number;
  /** Events that figd said were lost. */
  readonly told: number;
  /** Whether each consumer of the group got the last event. */
  readonly complete: boolean;
}

export interface Report {
  /** When the last consumer had its last event (nanoseconds of the monotonic clock). */
  readonly finishedAt: number;
  readonly reading: Received;
  readonly stalled: Received;
  readonly restless: Received;
  /** Times the restless ones came back. */
  readonly returns: number;
  /** From the feed's send to the consumer's read, in nanoseconds, of those that read. */
  readonly latency: HistogramData;
}
