import type { Failure } from '../protocol/failure.ts';
import type { BackoffSettings } from './policies/backoff.ts';
import type { RefreshSettings } from './policies/token-times.ts';
import type { SessionReport, SessionSettings } from './session.events.ts';
import type { TokenReport } from './token.events.ts';

export interface SupervisorSettings {
  /** Whether the socket is authenticated with the access token or with the credentials themselves. */
  readonly authenticateWith: 'token' | 'credentials';
  readonly session: SessionSettings;
  /** `resetAfter`: how long a session must be live before its loss counts as the first failure, in milliseconds. */
  readonly backoff: BackoffSettings & { readonly resetAfter: number };
  readonly token: RefreshSettings;
}

export interface SupervisorInput {
  readonly settings: SupervisorSettings;
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
  readonly nextDialAt: number | null;
  /** Whether the next dial waits longer than it has to, for the sake of the ceiling per minute. */
  readonly heldByCeiling: boolean;
  readonly token: { readonly generation: number; readonly usable: boolean };
  readonly lastClose: (Failure & { readonly at: number }) | null;
  /** When figd stopped hearing the venue, or null while it hears it (or never has). */
  readonly blindSince: number | null;
}

export type SupervisorEvent =
  | TokenReport
  | SessionReport
  /** Drop the session and dial again, or stop waiting and dial now. */
  | { readonly type: 'reconnect' }
  /** Open a second session and let it take over. */
  | { readonly type: 'rotate' }
  /** Ask for a new token now. */
  | { readonly type: 'refresh' }
  | { readonly type: 'successor.due' }
  | { readonly type: 'stop' };

/** What the supervisor makes known to logs, metrics and the ledger of gaps. */
export type SupervisorFact =
  | TokenReport
  | SessionReport
  | { readonly type: 'session.dialled'; readonly id: number; readonly attempt: number; readonly cause: string }
  | {
      readonly type: 'session.closed';
      readonly id: number;
      readonly failure: Failure;
      readonly liveForMs: number | null;
      readonly retryInMs: number | null;
    }
  | { readonly type: 'gap.opened'; readonly cause: string }
  | { readonly type: 'gap.closed' };
