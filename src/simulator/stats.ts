import { type EchoStats, emptyEchoStats } from './echo-stats.ts';
import type { Channel } from './frames.ts';

/** How many closed connections, times of dials and of token requests, and names of counters are remembered. */
const remembered = 1000;

export type TokenGrant = 'json' | 'client_credentials' | 'refresh_token' | 'other';

/** One WebSocket connection, open or closed. Times are unix ms. */
export interface ConnectionStats {
  readonly connection: number;
  readonly path: string;
  readonly connectedAt: number;
  /** Ordinal of the authenticated session; absent before authentication. */
  session?: number;
  authenticatedAt?: number;
  /** When the session expires with its token. */
  expiresAt?: number;
  channels: readonly string[];
  heartbeats: number;
  lastHeartbeatAt?: number;
  /** The longest time without a heartbeat so far, counted from connecting. */
  maxHeartbeatGapMs: number;
  /** Event frames handed to the peer. */
  eventsSent: number;
  /** Whether the connection was struck by the `half-open` fault. */
  halfOpen: boolean;
  closedAt?: number;
  closeCode?: number;
  closeReason?: string;
  closedBy?: 'venue' | 'client';
}

/** Counters since the venue was made. */
export interface VenueStats {
  readonly tokenRequests: Record<TokenGrant, { issued: number; refused: number }>;
  /** Unix ms of the latest 1,000 requests to the token endpoints, faulty replies included. */
  readonly tokenRequestTimes: number[];
  /** HTTP requests by path without query; `/v1/rfq/:id` counts as one path. */
  readonly requestsByPath: Record<string, number>;
  /** HTTP replies of 400 and above, by status. */
  readonly httpErrors: Record<string, number>;
  rateLimited: number;
  /** Where signatures are verified: REST requests with a correct one, by path as above, and those without. */
  readonly signatures: { readonly accepted: Record<string, number>; refused: number };
  /** WebSocket connections accepted. */
  dials: number;
  /** Unix ms of the latest 1,000 attempts to open a WebSocket, refused ones included. */
  readonly dialTimes: number[];
  upgradesRefused: number;
  readonly auths: { authenticated: number; extended: number; refused: number };
  heartbeats: number;
  subscribes: number;
  unsubscribes: number;
  /** Requests to the echo, and calls of `simulator/echo`; by `x-request-key` and by the parameter `key`. */
  readonly echoes: EchoStats;
  /** Market events that happened, by channel, whether or not anybody was subscribed. */
  readonly events: Record<Channel, number>;
  /** Event frames handed to peers, malformed ones included. */
  eventsSent: number;
  readonly openConnections: ConnectionStats[];
  /** The latest 1,000, oldest first. */
  readonly closedConnections: ConnectionStats[];
}

export function emptyStats(): VenueStats {
  const outcomes = (): { issued: number; refused: number } => ({ issued: 0, refused: 0 });
  return {
    tokenRequests: {
      json: outcomes(),
      client_credentials: outcomes(),
      refresh_token: outcomes(),
      other: outcomes(),
    },
    tokenRequestTimes: [],
    requestsByPath: {},
    httpErrors: {},
    rateLimited: 0,
    signatures: { accepted: {}, refused: 0 },
    dials: 0,
    dialTimes: [],
    upgradesRefused: 0,
    auths: { authenticated: 0, extended: 0, refused: 0 },
    heartbeats: 0,
    subscribes: 0,
    unsubscribes: 0,
    echoes: emptyEchoStats(),
    events: { 'rfq.maker': 0, 'rfq.taker': 0, 'rfq_quote.maker': 0, 'rfq_quote.taker': 0 },
    eventsSent: 0,
    openConnections: [],
    closedConnections: [],
  };
}

/** Appends to a list that remembers only the latest entries. */
export function remember<Item>(list: Item[], item: Item): void {
  list.push(item);
  if (list.length > remembered) list.shift();
}

/** Adds one to a counter by name; when there are too many names, to `other`. */
export function count(counters: Record<string, number>, name: string): void {
  const known = Object.hasOwn(counters, name) || Object.keys(counters).length < remembered;
  const key = known ? name : 'other';
  counters[key] = (counters[key] ?? 0) + 1;
}
