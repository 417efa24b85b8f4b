import type { OverallState } from './status.ts';

/** Version of the local protocol, told in `hello`; it changes when a client that follows the documentation could break. */
export const localProtocolVersion = 1;

/** A request line longer than this is answered with an error and the connection is closed. */
export const maxRequestLineBytes = 1_048_576;

export const eventsSocketName = 'events.sock';
export const controlSocketName = 'control.sock';
/** Speaks HTTP, and is there only where the configuration says so. */
export const gatewaySocketName = 'gateway.sock';

/** Channels of figd's own facts; they reach every subscriber whatever its filter. */
export const stateChannel = 'figd.state';
export const gapChannel = 'figd.gap';
/** Channel of events that were fetched afterwards because they had been missed. */
export const reconcileChannel = 'figd.reconcile';
/** Channel of a venue frame whose own channel cannot be found. */
export const unroutedChannel = 'venue.unrouted';

/** The first line a consumer gets. */
export interface Hello {
  readonly protocol: typeof localProtocolVersion;
  readonly version: string;
  readonly epoch: string;
  readonly head: number;
  readonly oldest: number;
  readonly state: OverallState;
}

/**
 * Where a subscription starts: a position in an epoch, the first event received at a moment (unix milliseconds) or
 * later, the oldest event held, or the next one to come.
 */
export type From = { readonly epoch: string; readonly seq: number } | { readonly since: number } | 'oldest' | 'now';

export interface SubscribeParams {
  readonly channels?: readonly string[];
  readonly from?: From;
  readonly ticks?: boolean;
}

export interface SubscribeResult {
  readonly epoch: string;
  /** The first sequence number that will be delivered (or the first that exists, if later). */
  readonly from: number;
  readonly head: number;
  readonly resumed: boolean;
  readonly reason?: 'epoch' | 'expired';
}

/** How `params.message` carries a venue frame that cannot stand there as it is. Absent: the frame itself, byte for byte. */
export type FrameEncoding = 'text' | 'base64';

export interface EventParams {
  readonly seq: number;
  readonly channel: string;
  /** Unix milliseconds with a microsecond fraction. */
  readonly receivedAt: number;
  /** Number of the venue session that received it; 0 for figd's own facts. */
  readonly session: number;
  readonly encoding?: FrameEncoding;
  readonly message: unknown;
}

export interface StateMessage {
  readonly state: OverallState;
  readonly previous: OverallState | null;
  readonly reason: string;
  readonly next: string;
}

export type GapMessage =
  | {
      readonly phase: 'open';
      readonly id: number;
      readonly cause: string;
      readonly since: number;
      readonly channels: readonly string[];
    }
  | {
      readonly phase: 'closed';
      readonly id: number;
      readonly until: number;
      readonly blindMs: number;
      readonly reconciled: boolean | 'not-attempted';
    };

/** An RFQ as the venue lists it, which differs from what the events have told. */
export interface ReconcileMessage {
  /** The gap in which it was missed; null where it was lost on a link that looked well. */
  readonly gap: number | null;
  /** The channel on which it would have come. */
  readonly channel: string;
  /** The venue's own bytes. */
  readonly data: unknown;
}

/**
 * Why events cannot be delivered: they were older than what is kept (`expired`); figd was killed before it had written
 * them (`crash`); the disk could not be written for too long, or not be read again (`unwritten`).
 */
export type LostReason = 'expired' | 'crash' | 'unwritten';

/** A range of sequence numbers that cannot be delivered any more. */
export interface Lost {
  readonly from: number;
  readonly to: number;
  readonly reason: LostReason;
}

/** Sent every second, outside the sequence. */
export interface Tick {
  readonly head: number;
  readonly state: OverallState;
  readonly lastReceivedAt: number | null;
  readonly now: number;
  /**
   * The number with which this reader goes on: all before it that it has chosen has been written to it. A reader whose
   * filter lets little through comes back with this one, and not with the one behind its last event.
   */
  readonly position: number;
}

export interface Bye {
  readonly reason: string;
  readonly head: number;
}
