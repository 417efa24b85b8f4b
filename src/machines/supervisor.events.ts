import type { Failure, FailureCode } from '../protocol/failure.ts';
import type { BackoffSettings } from './policies/backoff.ts';
import type { RefreshSettings } from './policies/token-times.ts';
import type { ReconcileReport } from './reconcile.events.ts';
import type { ProofOfLife, SessionReport, SessionSettings, TokenOfSession } from './session.events.ts';
import type { ClockJumped, TokenReport } from './token.events.ts';

export interface SupervisorSettings {
  /** Whether the socket is authenticated with the access token or with the credentials themselves. */
  readonly authenticateWith: 'token' | 'credentials';
  readonly session: SessionSettings;
  /** `resetAfter`: how long a session must be live before its loss counts as the first failure, in milliseconds. */
  readonly backoff: BackoffSettings & { readonly resetAfter: number };
  readonly token: RefreshSettings;
  /** Time between two comparisons with the venue's list in milliseconds; null: never. */
  readonly reconcileInterval: number | null;
}

export interface SupervisorInput {
  readonly settings: SupervisorSettings;
  /** What an earlier run did in the last minute (monotonic moments, oldest first): the ceilings hold across restarts. */
  readonly earlier: { readonly dials: readonly number[]; readonly tokenRequests: readonly number[] };
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface SupervisorContext extends SupervisorInput {
  /** Sessions dialled since the start; the number of the latest one. */
  readonly sessions: number;
  /** Moments of the latest dials, for the ceiling per minute. */
  readonly dials: readonly number[];
  /** Sessions in a row that ended before they were live for `resetAfter`. */
  readonly failedInARow: number;
  /** Sessions in a row that the venue ended soon after they had begun. */
  readonly cutShort: number;
  /** Sessions in a row that opened and that the venue did not let in. */
  readonly notLetIn: number;
  readonly nextDialAt: number | null;
  /** Whether the next dial waits longer than it has to, for the sake of the ceiling per minute. */
  readonly heldByCeiling: boolean;
  /** The newest token, usable or not; null before the first. */
  readonly token: (TokenOfSession & { readonly usable: boolean }) | null;
  readonly lastClose: (Failure & { readonly at: number }) | null;
}

export type SupervisorEvent =
  | TokenReport
  | SessionReport
  | ReconcileReport
  | ClockJumped
  /** Drop the session and dial again, or stop waiting and dial now. */
  | { readonly type: 'reconnect' }
  /** Open a second session and let it take over. */
  | { readonly type: 'rotate' }
  /** Ask for a new token now. */
  | { readonly type: 'refresh' }
  /** Ask for a new token now, and leave the session alone. */
  | { readonly type: 'renew the token' }
  /** A gap is over without news from the session: compare what was missed. */
  | { readonly type: 'compare' }
  /** The configuration has changed. */
  | { readonly type: 'settings.changed'; readonly settings: SupervisorSettings }
  | { readonly type: 'successor.due' }
  | { readonly type: 'stop' };

/** What the supervisor makes known to logs, metrics and the ledger of gaps. */
export type SupervisorFact =
  | TokenReport
  | SessionReport
  | ReconcileReport
  | { readonly type: 'session.dialled'; readonly id: number; readonly attempt: number; readonly cause: string }
  | {
      readonly type: 'session.closed';
      readonly id: number;
      readonly failure: Failure;
      readonly liveForMs: number | null;
      readonly retryInMs: number | null;
    }
  /** A live session was lost. */
  | {
      readonly type: 'gap.opened';
      readonly cause: FailureCode;
      /** The session that was lost. */
      readonly session: number;
      readonly proof: ProofOfLife;
    }
  /** A session is live: the venue is heard again. `at`: since when (monotonic), or null for now. */
  | { readonly type: 'gap.ended'; readonly at: number | null };
