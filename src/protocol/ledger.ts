/** Whether what was missed in a gap has been fetched: null until that is known. */
export type Reconciled = boolean | 'not-attempted' | null;

/** One time in which figd could not hear the venue. Moments are unix milliseconds on this host's clock. */
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
  readonly heardAt: number | null;
  /** The venue's clock minus this host's at that moment, in milliseconds; null where it was not known. */
  readonly heardClockOffsetMs: number | null;
  /** Moments of the latest dials and token requests, oldest first. */
  readonly paces: Readonly<Record<Paced, readonly number[]>>;
}

/**
 * Where the ledger is kept. No method throws: what cannot be written is kept in memory and told to whoever made the
 * store, because a full disk must not end a session.
 */
export interface LedgerStore {
  recall(): LedgerMemory;
  /** Writes a gap, in the place of what was written under its id before. */
  save(gap: GapRecord): void;
  /** The gaps that were not over at `since`, oldest first. */
  gapsSince(since: number): readonly GapRecord[];
  /** Remembers when the venue was last heard, or with null that figd is not live. */
  markHeard(at: number | null, clockOffsetMs: number | null): void;
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
