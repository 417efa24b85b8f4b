import type { FailureCode } from './failure.ts';

/** Whether what was missed in a gap has been fetched: null until that is known. */
export type Reconciled = boolean | 'not-attempted' | null;

/** Cause of a gap of one channel: a session was live, and the venue did not send this channel. Others have no such cause. */
export const channelGapCause = 'channels-refused' satisfies FailureCode;

/** One time in which figd could not hear the venue, or one channel of it. Moments are unix milliseconds on this host's clock. */
export interface GapRecord {
  /** Numbered from 1 for as long as the ledger exists, restarts included. */
  readonly id: number;
  /** Code of the failure that began it. */
  readonly cause: string;
  /** The last moment at which all that the venue had sent is known to have arrived. */
  readonly since: number;
  /** When the venue was heard again; null while figd is blind. */
  readonly until: number | null;
  /**
   * Length of the blindness; unlike `until` − `since` it is not bent by steps of the clock. Null while figd is blind, and
   * of a gap that began in an earlier run, until the venue has told the time.
   */
  readonly blindMs: number | null;
  readonly channels: readonly string[];
  /**
   * The venue's clock minus this host's when the gap began, in milliseconds; null where it was not known. The venue's
   * clock is the one that a step of ours, or a restart in between, does not bend.
   */
  readonly clockOffsetMs: number | null;
  readonly reconciled: Reconciled;
  /**
   * Of a gap of one channel: up to when, by the venue's clock, what its list told of the channel has been published while
   * the gap was open. Absent before that was done.
   */
  readonly comparedUntil?: number;
}

/** Whether one channel was not heard while others were. */
export const isOfOneChannel = ({ cause }: GapRecord): boolean => cause === channelGapCause;

/** What is remembered of a live session: should figd die, a gap began there. */
export interface HeardMark {
  /** When the venue was last heard (unix milliseconds). */
  readonly at: number;
  /** The venue's clock minus this host's at that moment, in milliseconds; null where it was not known. */
  readonly clockOffsetMs: number | null;
  /** The channels that were wanted then, or are since; empty in the ledger of a figd that did not write them. */
  readonly channels: readonly string[];
}

/** What is done so often at most, across restarts of the daemon too. */
export type Paced = 'dial' | 'token';

/** What an earlier run of the daemon left in the ledger. */
export interface LedgerMemory {
  /** Since when the ledger is complete: from the first live session on. */
  readonly beganAt: number;
  /** The highest number given to a gap; 0 before the first. */
  readonly lastId: number;
  /** Gaps in which figd is still blind, or of which it is not known whether they can be reconciled; oldest first. */
  readonly unfinished: readonly GapRecord[];
  /** When the venue was last heard on a live session; null where figd was not live when it ended. */
  readonly heard: HeardMark | null;
  /** Moments of the latest dials and token requests, oldest first. */
  readonly paces: Readonly<Record<Paced, readonly number[]>>;
}

/**
 * Where the ledger is kept. No method throws: what cannot be written is kept in memory and told to whoever made the
 * store, because a full disk must not end a session.
 */
export interface LedgerStore {
  recall(): LedgerMemory;
  /** Writes a gap, in the place of what was written under its id before, and at once with it when the venue was heard. */
  save(gap: GapRecord, heard?: HeardMark | null): void;
  /** The gaps that were not over at `since`, oldest first. */
  gapsSince(since: number): readonly GapRecord[];
  /** Remembers when the venue was last heard, or with null that figd is not live. */
  markHeard(heard: HeardMark | null): void;
  /** Remembers a dial or a token request. */
  pace(what: Paced, at: number): void;
}

/** The answer to the method `outages`. */
export interface OutageReport {
  readonly now: number;
  readonly beganAt: number;
  /** The gaps that were not over at the moment asked for, oldest first. */
  readonly gaps: readonly GapRecord[];
}
