import type { Failure } from './failure.ts';
import type { UnknownCode } from './unknown-codes.ts';

/** The one state a user sees. */
export const overallStates = ['live', 'degraded', 'down', 'blocked'] as const;
export type OverallState = (typeof overallStates)[number];

/** The layers a live daemon stands on, from the wire up: the first that is not ok is the one that is broken. */
export const layerNames = ['transport', 'session', 'token', 'subscriptions', 'data'] as const;
export type LayerName = (typeof layerNames)[number];

/** Times in this document are unix milliseconds unless the name says `Ms` (a length). */
export interface Layer {
  readonly name: LayerName;
  readonly ok: boolean;
  readonly since: number;
  /** Why figd believes so: the last proof of life, or what failed. */
  readonly evidence: string;
}

/** `unsubscribed`: it has brought events since the start, and nobody wants it now. */
export type ChannelState = 'confirmed' | 'pending' | 'refused' | 'unsubscribed';

/** A program that reads the events. */
export interface ConsumerState {
  readonly id: number;
  readonly channels: readonly string[];
  /** The sequence number it gets next. */
  readonly position: number;
  /** Events between it and the head of the log. */
  readonly lag: number;
  readonly bufferedBytes: number;
  readonly connectedAt: number;
}

export interface ConsumerDetail extends ConsumerState {
  /** Where it reads: what has just come, what is held in memory, or what is on disk. */
  readonly reads: 'new' | 'memory' | 'disk';
  /** Age of the event it is at; 0 where it has been given all, null where that event cannot be had any more. */
  readonly behindMs: number | null;
}

/** What `figd consumers --json` prints and the method `consumers` returns. */
export interface ConsumersReport {
  readonly now: number;
  /** The newest sequence number. */
  readonly head: number;
  /** How many there may be. */
  readonly maxConsumers: number;
  readonly consumers: readonly ConsumerDetail[];
}

/** What `figd status --json` prints and the method `status` returns. It never holds a secret or a token. */
export interface StatusDocument {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly state: OverallState;
  readonly since: number;
  /** Which layer is broken and why, in one sentence; when live, what proves it. */
  readonly reason: string;
  /** What figd does next, and when, or what it needs from a human. */
  readonly next: string;
  readonly layers: readonly Layer[];
  readonly token: {
    readonly state: string;
    readonly expiresAt: number | null;
    readonly refreshAt: number | null;
    readonly refreshes: number;
    readonly lastError: Failure | null;
  };
  readonly session: {
    readonly id: number | null;
    readonly state: string;
    readonly url: string;
    readonly connectedAt: number | null;
    /** Dials since the last time the session was live for `session.backoff.resetAfter`. */
    readonly attempts: number;
    readonly nextAttemptAt: number | null;
    readonly heartbeat: {
      readonly rttMs: number | null;
      readonly lastAckAt: number | null;
      readonly missed: number;
    };
    /** Venue clock minus ours, from the last heartbeat; positive when the venue is ahead. */
    readonly clockOffsetMs: number | null;
    readonly lastClose: (Failure & { readonly at: number }) | null;
  };
  readonly channels: readonly {
    readonly name: string;
    readonly state: ChannelState;
    readonly events: number;
    readonly lastEventAt: number | null;
  }[];
  readonly consumers: readonly ConsumerState[];
  readonly journal: {
    readonly enabled: boolean;
    readonly epoch: string;
    readonly oldest: number;
    readonly head: number;
    /** The newest sequence number on disk; null where there is no journal. */
    readonly written: number | null;
    /** On disk. */
    readonly bytes: number;
    /** In memory. */
    readonly ringBytes: number;
    /** Why something cannot be kept on disk at present; null when all is well. */
    readonly trouble: string | null;
  };
  /** Calls of local programs to the venue's REST API, and what is left of its limit. */
  readonly gateway: {
    /** Path of `gateway.sock`; null where it is off. */
    readonly socket: string | null;
    /** Calls on it that are not answered yet. */
    readonly inFlight: number;
    readonly limit: {
      readonly requestsPerMinute: number;
      /** Of the last minute: of figd and its callers, and of others with the same key or address as far as is known. */
      readonly used: number;
      readonly usedByOthers: number;
      /** Requests that wait for room. */
      readonly waiting: number;
      /** For how long the venue wants no more requests (after a 429); 0 where it takes them. */
      readonly closedForMs: number;
    };
  };
  readonly gaps: { readonly open: number; readonly total: number; readonly blindMsTotal: number };
  /** What the venue said in codes that figd does not know, the latest first. */
  readonly unknownCodes: readonly UnknownCode[];
  readonly counters: Readonly<Record<string, number>>;
}
