import type { AnyActorRef } from 'xstate';
import type { Failure } from '../protocol/failure.ts';

export interface SessionSettings {
  /** Lengths in milliseconds. */
  readonly connectTimeout: number;
  readonly heartbeatInterval: number;
  /**
   * How the session moves to a new token: `in-place` on its own socket, `rotate` by a second session that takes over,
   * `reconnect` by ending it; `auto` in place, and by rotation where the venue does not do that.
   */
  readonly renewal: 'auto' | 'in-place' | 'rotate' | 'reconnect';
}

export interface SessionInput {
  /** Number of the session since the daemon started, from 1. */
  readonly id: number;
  readonly supervisor: AnyActorRef;
  readonly settings: SessionSettings;
  /** Generation of the newest token when the session was dialled. */
  readonly newestToken: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface HeartbeatAck {
  readonly rttMs: number;
  /** Venue clock minus ours in milliseconds, or null where the venue told no time. */
  readonly clockOffsetMs: number | null;
}

export interface SubscriptionAnswer {
  readonly confirmed: readonly string[];
  readonly refused: readonly string[];
}

export interface SessionContext extends SessionInput {
  readonly connectedAt: number | null;
  readonly liveAt: number | null;
  /** Generation of the token shown to the venue when it was last asked to let a session in; 0 before. */
  readonly presentedToken: number;
  /** Generation of the token this session was authenticated with. */
  readonly authenticatedWith: number;
  readonly lastHeartbeatSentAt: number;
  readonly lastHeartbeat: (HeartbeatAck & { readonly at: number }) | null;
  readonly confirmed: readonly string[];
  readonly refused: readonly string[];
  /** How often the refused channels were asked for again. */
  readonly subscribeRetries: number;
  /** The session that is to take over, or the one that has been taken over from and says goodbye. */
  readonly successor: number | null;
  readonly predecessor: number | null;
  readonly successorToken: number;
  readonly rotationsFailed: number;
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
  | { readonly type: 'token.renewed'; readonly generation: number }
  /** A second session may be opened to take over, under this number. */
  | { readonly type: 'succeed'; readonly session: number }
  /** Hand over to a second session although nothing demands it. */
  | { readonly type: 'rotate' }
  /** The second session has taken over; the parts of the machine turn to it. */
  | { readonly type: 'took over' }
  /** End the session in good order, for the reason given. */
  | { readonly type: 'close'; readonly failure: Failure };

/** What a session tells its supervisor. */
export type SessionReport =
  | { readonly type: 'session.authenticated'; readonly id: number }
  | {
      readonly type: 'session.live';
      readonly id: number;
      readonly confirmed: readonly string[];
      readonly refused: readonly string[];
    }
  | {
      readonly type: 'session.resubscribed';
      readonly id: number;
      readonly confirmed: readonly string[];
      readonly refused: readonly string[];
    }
  | { readonly type: 'session.heartbeat'; readonly id: number; readonly rttMs: number }
  | { readonly type: 'session.renewed'; readonly id: number; readonly generation: number }
  /** It asks for a number under which a second session may be dialled. */
  | { readonly type: 'session.wants-successor'; readonly id: number }
  | { readonly type: 'session.rotated'; readonly id: number; readonly previous: number }
  | {
      readonly type: 'session.rotation-failed';
      readonly id: number;
      readonly failure: Failure;
      /** Generation of the token that was presented. */
      readonly token: number;
    };
