import type { AnyActorRef } from 'xstate';
import type { Failure } from '../protocol/failure.ts';
import type { ChannelBook } from './policies/channel-book.ts';
import type { ClockJumped } from './token.events.ts';

export interface SessionSettings {
  /** The channels that are wanted. */
  readonly channels: readonly string[];
  /** Lengths in milliseconds. */
  readonly connectTimeout: number;
  readonly heartbeatInterval: number;
  /**
   * How the session moves to a new token: `in-place` on its own socket, `rotate` by a second session that takes over,
   * `reconnect` by ending it; `auto` in place, and by rotation where the venue does not do that.
   */
  readonly renewal: 'auto' | 'in-place' | 'rotate' | 'reconnect';
}

/** A token as the session knows it. */
export interface TokenOfSession {
  readonly generation: number;
  /** When it dies (monotonic milliseconds), and the session with it. */
  readonly expiresAt: number;
}

export interface SessionInput {
  /** Number of the session since the daemon started, from 1. */
  readonly id: number;
  readonly supervisor: AnyActorRef;
  readonly settings: SessionSettings;
  /** The newest token when the session was dialled; null where there was none. */
  readonly token: TokenOfSession | null;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface HeartbeatAck {
  readonly rttMs: number;
  /** Venue clock minus ours in milliseconds, or null where the venue told no time. */
  readonly clockOffsetMs: number | null;
  /** Why the venue did not take the heartbeat, although it answered. */
  readonly refusal?: Failure;
}

export interface SessionContext extends Omit<SessionInput, 'token'>, ChannelBook {
  /** Generation of the newest token; 0 where there is none. */
  readonly newestToken: number;
  /** The latest tokens, newest last: which one the session is authenticated with, only the venue's answer tells. */
  readonly tokens: readonly TokenOfSession[];
  readonly connectedAt: number | null;
  readonly authenticatedAt: number | null;
  readonly liveAt: number | null;
  /** Generation of the token shown to the venue when it was last asked to let a session in; 0 before. */
  readonly presentedToken: number;
  /** Generation of the token this session was authenticated with. */
  readonly authenticatedWith: number;
  readonly lastHeartbeatSentAt: number;
  readonly lastHeartbeat: (HeartbeatAck & { readonly at: number }) | null;
  /** How often in a row the channels could not be made what is wanted: refused, or not changed at all. */
  readonly subscribeRetries: number;
  /** Why the channels could not be changed the last time; null where they could. */
  readonly subscriptionFailure: Failure | null;
  /** The session that is to take over, or the one that has been taken over from and says goodbye. */
  readonly successor: number | null;
  readonly predecessor: number | null;
  /** When the token of the one that has been taken over from dies (monotonic); null where that is not known. */
  readonly predecessorExpiresAt: number | null;
  readonly successorToken: number;
  /** When its socket opened (monotonic); null before. */
  readonly successorOpenedAt: number | null;
  /** The channels it was asked for, which the venue may send on it. */
  readonly successorAsked: readonly string[];
  /** What was known of the first session when the second one took over, and when (monotonic); null once it is proven. */
  readonly takeover: { readonly at: number; readonly proof: ProofOfLife } | null;
  readonly rotationsFailed: number;
  /** Until when the venue wants to be left alone before it takes a subscription (monotonic); null where it did not say so. */
  readonly limitedUntil: number | null;
  /** Why the session is not on the newest token; null while it is, or is on its way. */
  readonly renewalFailure: Failure | null;
  readonly ending: Failure | null;
}

export interface SessionOutput {
  readonly id: number;
  readonly failure: Failure;
  /** Generation of the token the session used, or would have used. */
  readonly token: number;
  /** How long it was live, in milliseconds; null when it never was. */
  readonly liveForMs: number | null;
  /** How long ago it was authenticated, in milliseconds; null when it never was. */
  readonly authenticatedForMs: number | null;
  /** Whether its socket opened, so that the venue could be asked to let it in. */
  readonly wasOpen: boolean;
  /** The session whose last proof of life counts: one that was taken over from, until it has shown that it was alive. */
  readonly unproven: number;
  /** What the heartbeats of that one proved, in monotonic milliseconds. */
  readonly proof: ProofOfLife;
}

/** What is known of the link when a session has ended. */
export interface ProofOfLife {
  /** When the latest heartbeat that was answered left: all that the venue sent before has arrived. Null before the first. */
  readonly provenAt: number | null;
  /** When the latest heartbeat left, answered or not; null before the first. */
  readonly heartbeatSentAt: number | null;
  /** Round trip of the latest heartbeat that was answered. */
  readonly rttMs: number;
}

/** Between which moments (monotonic milliseconds) a session that cannot be renewed is to be cut. */
export interface CuttingTime {
  readonly from: number;
  /** At the latest: its token is about to die. Null where nobody knows when that is. */
  readonly until: number | null;
}

/** Facts from the sockets, by the number of the session each belongs to. */
export type SocketFact =
  | { readonly type: 'socket.opened'; readonly session: number }
  | { readonly type: 'socket.closed'; readonly session: number; readonly failure: Failure };

export type SocketCommand =
  /** Open a second socket. */
  | { readonly type: 'dial'; readonly session: number }
  /** Close with a handshake (RFC 6455, 7.1.2). */
  | { readonly type: 'hang up'; readonly session: number }
  /** End at once and report nothing any more. */
  | { readonly type: 'cut'; readonly session: number };

export type SessionEvent =
  | SocketFact
  /** A newer token is in use; the session must move to it before its own dies. */
  | ({ readonly type: 'token.renewed' } & TokenOfSession)
  /** A second session may be opened to take over, under this number. */
  | { readonly type: 'succeed'; readonly session: number }
  /** Hand over to a second session although nothing demands it. */
  | { readonly type: 'rotate' }
  /** The second session has taken over; the parts of the machine turn to it. */
  | { readonly type: 'took over' }
  /** The configuration has changed: other channels may be wanted, or another pace. */
  | { readonly type: 'settings.changed'; readonly settings: SessionSettings }
  /** The parts of the machine look at what has changed. */
  | { readonly type: 'settings noted' }
  | ClockJumped
  /** End the session in good order, for the reason given. */
  | { readonly type: 'close'; readonly failure: Failure };

/** The channels of a session after some were asked for. */
export interface ChannelChange {
  /** Those that were not confirmed before. */
  readonly added: readonly string[];
  readonly confirmed: readonly string[];
  readonly refused: readonly string[];
}

/** What a session tells its supervisor. */
export type SessionReport =
  | { readonly type: 'session.authenticated'; readonly id: number }
  | {
      readonly type: 'session.live';
      readonly id: number;
      readonly confirmed: readonly string[];
      readonly refused: readonly string[];
    }
  | ({ readonly type: 'session.resubscribed'; readonly id: number } & ChannelChange)
  /** The venue does not send these any more, as nobody wants them. */
  | { readonly type: 'session.unsubscribed'; readonly id: number; readonly channels: readonly string[] }
  /** Channels could not be asked for, or given up; it is tried again. */
  | { readonly type: 'session.channels-failed'; readonly id: number; readonly failure: Failure }
  /** The venue limits the first subscription: the session waits, and is not live. */
  | {
      readonly type: 'session.subscription-limited';
      readonly id: number;
      readonly failure: Failure;
      readonly retryInMs: number;
    }
  | ({ readonly type: 'session.heartbeat'; readonly id: number } & HeartbeatAck)
  | { readonly type: 'session.renewed'; readonly id: number; readonly generation: number }
  /** It asks for a number under which a second session may be dialled. */
  | { readonly type: 'session.wants-successor'; readonly id: number }
  | ({ readonly type: 'session.rotated'; readonly id: number; readonly previous: number } & ChannelChange)
  /**
   * The first session ended while a second one was about to take over, which goes on in its place: a gap until that is
   * live.
   */
  | {
      readonly type: 'session.stepped-in';
      readonly id: number;
      readonly previous: number;
      readonly failure: Failure;
      /** How long the first one was live and authenticated, in milliseconds. */
      readonly liveForMs: number | null;
      readonly authenticatedForMs: number | null;
      readonly proof: ProofOfLife;
    }
  /** The session that was taken over from had been dead, nobody knows since when: there was a gap after all. */
  | {
      readonly type: 'session.blind-spot';
      readonly id: number;
      readonly previous: number;
      readonly proof: ProofOfLife;
      /** When the second session was subscribed (monotonic). */
      readonly until: number;
    }
  | {
      readonly type: 'session.rotation-failed';
      readonly id: number;
      readonly failure: Failure;
      /** Generation of the token that was presented. */
      readonly token: number;
    };
