import type { AnyActorRef } from 'xstate';
import type { Failure } from '../protocol/failure.ts';

export interface ReconcileInput {
  readonly supervisor: AnyActorRef;
  /** Time between two comparisons in milliseconds; null where there are to be none. */
  readonly interval: number | null;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface ReconcileContext extends ReconcileInput {
  /** When the first try of this comparison began (monotonic). */
  readonly startedAt: number | null;
  /** When the next one is due (monotonic). */
  readonly nextAt: number | null;
  readonly failedInARow: number;
  /** Chance's part in the pause after this try: drawn once, so that whoever asks for that pause gets the same answer. */
  readonly draw: number;
}

export type ReconcileEvent =
  | { readonly type: 'session.live' }
  | { readonly type: 'session.lost' }
  /** Though a session is live something was missed up to now: what is known of the list by then does not tell it. */
  | { readonly type: 'look again' }
  /** The configuration has changed; the interval as in {@link ReconcileInput}. */
  | { readonly type: 'settings.changed'; readonly interval: number | null };

/** What a comparison found. */
export interface Comparison {
  /** Events that figd had not published and now has. */
  readonly missed: number;
}

/** What the reconciliation tells its supervisor. */
export interface ReconcileReport {
  readonly type: 'reconcile.finished';
  readonly outcome: 'complete' | 'failed' | 'not-attempted';
  readonly missed: number;
  readonly failure: Failure | null;
}
