/** What tells one local program from another: the number of its connection, or a name for what asks within figd. */
export type CallerId = string | number;

/** A local program that has figd ask the venue something: one connection of it. */
export interface Caller {
  readonly id: CallerId;
  /** Whether its connection has ended, so that nobody waits for an answer any more. */
  readonly isGone: boolean;
}

/** A local program that is heard of when its connection ends. */
export interface LeavingCaller extends Caller {
  /** Aborted then. */
  readonly gone: AbortSignal;
}
