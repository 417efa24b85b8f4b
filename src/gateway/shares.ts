/** How many requests of the limit each lane may hold; whoever is above its share waits until requests grow old. */
export interface Shares {
  /** figd's own calls: all but what token requests may need. */
  readonly own: number;
  /** Local callers: all but what is kept for figd. */
  readonly caller: number;
  /** A caller that has asked often in this minute: it leaves room for those who have not. */
  readonly busyCaller: number;
  /** From so many requests in a minute on a caller has asked often. */
  readonly busyFrom: number;
  /** How many requests may be under way while nobody has told lately how much of the limit is used. */
  readonly unseen: number;
}

/** A twentieth is enough to compare 50,000 RFQs with the venue, and of a small limit still something. */
const reservedShare = 0.05;
const busyShare = 0.01;
/** Of a limit too small to share, most is left to those who ask. */
const mostReserved = 1 / 8;
const mostForTokens = 1 / 2;

/**
 * How the limit is shared. At the venue's 1,000 requests a minute, with 12 token requests in any of them, 988 are there
 * for figd's own calls, 938 for local callers, and 888 for callers that have asked ten times already.
 * @param limit requests in any minute
 * @param tokenRequests the most token requests in any minute
 */
export function sharesOf(limit: number, tokenRequests: number): Shares {
  const reserve = Math.min(Math.ceil(limit * reservedShare), Math.floor(limit * mostReserved));
  const own = limit - Math.min(tokenRequests, Math.floor(limit * mostForTokens));
  const caller = own - reserve;
  return {
    own,
    caller,
    busyCaller: caller - reserve,
    busyFrom: Math.max(1, Math.floor(limit * busyShare)),
    unseen: Math.max(1, reserve),
  };
}
