/** What `status` counts, since the start. */
export function emptyCounters() {
  return {
    dials: 0,
    sessionsLive: 0,
    closes: 0,
    renewals: 0,
    rotations: 0,
    tokensGranted: 0,
    tokenFailures: 0,
    /** Replies that no call waited for any more. */
    strayReplies: 0,
    /** Comparisons with the venue's list that were made, and that could not be made. */
    comparisons: 0,
    comparisonsFailed: 0,
    /** Events that were fetched afterwards. */
    reconciled: 0,
    suspends: 0,
    stalls: 0,
    clockSteps: 0,
  };
}

export type Counters = ReturnType<typeof emptyCounters>;
