/** A local program that has figd ask the venue something: one connection of it. */
export interface Caller {
  readonly id: number | string;
  /** Whether its connection has ended, so that nobody waits for an answer any more. */
  readonly isGone: boolean;
}
