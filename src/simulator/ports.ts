/**
 * What the simulated venue needs from the world, and what it tells the world. The core knows no sockets, no system
 * clock and no randomness of its own, so the same venue runs behind real sockets and in virtual time.
 */

/** Time as the venue sees it. `createClock()` of `@sinonjs/fake-timers` fits after wrapping its `now`. */
export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
  /** Calls `fn` once, `ms` milliseconds from now. */
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** One WebSocket as the core sees it: the client at the other end. */
export interface Peer {
  send(frame: string | Uint8Array): void;
  /** Starts the closing handshake of RFC 6455. */
  close(code: number, reason: string): void;
  /** Cuts the connection without a closing handshake. */
  terminate(): void;
  /**
   * The network path to this peer is gone: whatever is written from now on, pongs and close frames included, must not
   * arrive. Called at most once. An in-memory transport whose `send` and `close` are all it has may leave it out.
   */
  blackhole?(): void;
}

/** The venue's end of a WebSocket, returned by `Venue.connect`. */
export interface SessionHandle {
  /** Ordinal of the connection since the venue started, from 1. */
  readonly connection: number;
  /** A frame has arrived from the client. Never throws. */
  receive(frame: string | Uint8Array): void;
  /** The connection is gone, with the close code of RFC 6455 (1006 when there was none). Calling it again does nothing. */
  disconnected(code: number, reason?: string): void;
}

/** An HTTP request. Header names are lower case, `path` includes the query string. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as they came; a string stands for its UTF-8. */
  readonly body: string | Uint8Array;
}

/** A body of which no more exists at a time than the other side takes. */
export interface GeneratedBody {
  /** Bytes. */
  readonly length: number;
  chunks(): Iterable<Uint8Array>;
}

/** An HTTP reply. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A string stands for its UTF-8. */
  readonly body: string | Uint8Array | GeneratedBody;
  /** How long the venue takes for it, in milliseconds; none unless given. */
  readonly delayMs?: number;
}

/** An HTTP reply whose body is empty or JSON: everything the venue documents. */
export interface TextReply extends HttpReply {
  readonly body: string;
}

/** The answer to a WebSocket handshake. */
export type UpgradeReply = { readonly accepted: true } | ({ readonly accepted: false } & TextReply);

/** An event frame that was handed to a peer, exactly as sent. */
export interface SentRecord {
  readonly connection: number;
  /** Ordinal of the authenticated session since the venue started, from 1. */
  readonly session: number;
  /** Unix ms. */
  readonly sentAt: number;
  /** `null` for a malformed frame that names no channel. */
  readonly channel: string | null;
  readonly frame: string | Uint8Array;
}

/** A market event, told once however many sessions it goes to. */
export interface EventRecord {
  /** Unix ms. */
  readonly at: number;
  readonly channel: string;
  readonly frame: string;
  /** How many sessions are subscribed to the channel. */
  readonly listeners: number;
}

/** Something a person watching the venue wants to know. Carries no token and no secret. */
export type Activity =
  | { readonly event: 'token'; readonly grant: string; readonly outcome: 'issued' | 'refused' }
  | { readonly event: 'http-error'; readonly method: string; readonly path: string; readonly status: number }
  | { readonly event: 'connected'; readonly connection: number; readonly path: string }
  | { readonly event: 'upgrade-refused'; readonly path: string; readonly status: number }
  | {
      readonly event: 'authenticated';
      readonly connection: number;
      readonly session: number;
      readonly expiresAt: number;
    }
  | { readonly event: 'extended'; readonly connection: number; readonly session: number; readonly expiresAt: number }
  | { readonly event: 'auth-refused'; readonly connection: number }
  | {
      readonly event: 'subscribed' | 'unsubscribed';
      readonly connection: number;
      readonly channels: readonly string[];
      readonly refused: readonly string[];
    }
  | {
      readonly event: 'closed';
      readonly connection: number;
      readonly by: 'venue' | 'client';
      readonly code: number;
      readonly reason: string;
    }
  | { readonly event: 'fault-started' | 'fault-ended'; readonly id: number; readonly kind: string };

/** The world, as the venue is given it. */
export interface VenuePorts {
  readonly clock: Clock;
  /** Uniform in [0, 1). Used for tokens only: the market has a seed of its own. */
  readonly random: () => number;
  readonly onSent?: (record: SentRecord) => void;
  /** Told of each market event, also of one that nobody listens to; not of one that a fault keeps back. */
  readonly onEvent?: (record: EventRecord) => void;
  readonly onActivity?: (activity: Activity) => void;
  /** The venue has gone down (`false`) or come back (`true`): the `down` fault. */
  readonly onAvailability?: (up: boolean) => void;
}

/** What an in-memory transport gets when it talks to a venue that is down; the shell closes its listener instead. */
export class VenueDownError extends Error {
  override readonly name = 'VenueDownError';
  /** The code Node gives when nobody listens. */
  readonly code = 'ECONNREFUSED';

  constructor() {
    super('the venue is down: connection refused');
  }
}
