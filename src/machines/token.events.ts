import type { AnyActorRef } from 'xstate';
import type { Failure } from '../protocol/failure.ts';
import type { BackoffSettings } from './policies/backoff.ts';
import type { RefreshSettings } from './policies/token-times.ts';

/** What the machine may know of a token: never the token itself. */
export interface Grant {
  /** The life the venue gave it (`expires_in`), in milliseconds. */
  readonly lifeMs: number;
}

/** How the adapter asks: with the credentials, or, where the venue gave one, with the refresh token. */
export type GrantKind = 'credentials' | 'refresh';

export interface TokenRequest {
  /** Numbers the attempts, so that a late answer to an abandoned one is recognised. */
  readonly generation: number;
  readonly kind: GrantKind;
}

export interface TokenSettings extends RefreshSettings {
  readonly backoff: BackoffSettings;
}

export interface TokenInput {
  readonly supervisor: AnyActorRef;
  /** Moments of the latest requests of an earlier run (monotonic), oldest first: the ceiling holds across restarts. */
  readonly earlierRequests: readonly number[];
  readonly settings: TokenSettings;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
}

export interface TokenContext extends TokenInput {
  readonly generation: number;
  /** Moments of the latest requests (monotonic), oldest first. */
  readonly requests: readonly number[];
  /** When the latest request of this run was sent (monotonic), or null before the first. */
  readonly requestedAt: number | null;
  /** When the token in use dies (monotonic), or null when there is none to use. */
  readonly expiresAt: number | null;
  readonly refreshAt: number | null;
  /** When the next request is sent while waiting or blocked (monotonic). */
  readonly retryAt: number | null;
  readonly failedInARow: number;
  /** How often in a row the socket refused what the venue had just granted. */
  readonly refusedInARow: number;
  readonly refreshes: number;
  readonly lastFailure: Failure | null;
  /** Whether a refresh was asked for while a request was under way, perhaps with credentials that changed since. */
  readonly askedMeanwhile: boolean;
}

export type TokenEvent =
  | { readonly type: 'start' }
  /** Somebody wants a new token now: an operator, or changed credentials. */
  | { readonly type: 'refresh' }
  /** The venue refused this generation of the token although it had not expired. */
  | { readonly type: 'token.refused'; readonly generation: number }
  /** The venue keeps letting no session in with this generation of the token, and does not say that it is the token. */
  | { readonly type: 'token.doubted'; readonly generation: number }
  /** The venue took the token: refusals before it do not count any more. */
  | { readonly type: 'token.accepted' }
  /** The configuration has changed. */
  | { readonly type: 'settings.changed'; readonly settings: TokenSettings }
  | { readonly type: 'expiry.reached' }
  | ClockJumped;

/** Time has moved on without the timers: the host was suspended, the process was stopped, or the clock was set. */
export interface ClockJumped {
  readonly type: 'clock.jumped';
}

/** What the token tells its supervisor. */
export type TokenReport =
  | { readonly type: 'token.requested' }
  | {
      readonly type: 'token.granted';
      readonly generation: number;
      /** When it dies (monotonic). */
      readonly expiresAt: number;
      readonly lifeMs: number;
      readonly renewal: boolean;
    }
  | { readonly type: 'token.failed'; readonly failure: Failure; readonly retryInMs: number; readonly renewal: boolean }
  | { readonly type: 'token.lost'; readonly why: 'expired' | 'refused'; readonly generation: number };
