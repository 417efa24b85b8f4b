/** What an answer of the venue tells about its rate limit, in plain numbers. */
export interface RateLimit {
  /** The HTTP status of the answer. */
  readonly status: number;
  /** Requests in any minute, as the venue counts them. */
  readonly limit?: number | undefined;
  /** How many of them are left. */
  readonly remaining?: number | undefined;
  /** When more will be left, in milliseconds from now. */
  readonly resetInMs?: number | undefined;
  /** How long the venue asks to stay away, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** What is known of the request that an answer belongs to. */
export interface Asked {
  /** When it was sent (monotonic). */
  readonly at: number;
  /** The most requests of ours that the venue may have counted in the minute it tells about. */
  readonly mostOfOurs: number;
  /** Whether it asked for a token. */
  readonly isForToken: boolean;
}

/** The venue's documented window, and by how much two clocks that are slewed run apart in it (NTP: 500 ppm at most). */
const minuteMs = 60_000;
const driftMs = 100;
/** How long the venue may count a request after it has answered it. */
export const windowMs = minuteMs + driftMs;

/** Moments are told in whole seconds, and may be over when they are read. */
const shortestMs = 1_000;
const firstWaitMs = 2_000;
const tooManyRequests = 429;
const firstServerError = 500;

/** What the venue's answers say about its count of requests, beyond what figd counts itself. */
export class VenueCount {
  #limit = Number.POSITIVE_INFINITY;
  #others = 0;
  /** The limit of which the others have used so much. */
  #othersOf = 0;
  #othersUntil = Number.NEGATIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;
  #freshUntil = Number.NEGATIVE_INFINITY;
  #closedUntil = Number.NEGATIVE_INFINITY;
  #refusals = 0;

  /** The limit the venue told last, or infinity. */
  get limit(): number {
    return this.#limit;
  }

  /** Until when nothing but token requests may be sent (monotonic), in the past where nothing forbids it. */
  get closedUntil(): number {
    return this.#closedUntil;
  }

  /** Until when the latest answer is to be believed (monotonic); then it is a guess that has to be asked about. */
  get freshUntil(): number {
    return this.#freshUntil;
  }

  /** When what is known of others has left the venue's window too (monotonic). */
  get othersUntil(): number {
    return this.#othersUntil;
  }

  /** How many requests of a limit others are known to have used. */
  othersAt(now: number, limit: number): number {
    return now < this.#othersUntil ? Math.max(0, this.#others - Math.max(0, this.#othersOf - limit)) : 0;
  }

  /**
   * Takes in what an answer says. Answers overtake each other, and each was given at some moment while its request was
   * under way: what one says of others is the least it can mean, and an older one cannot take back what a newer one said.
   * @param limit the limit as it is known, for an answer that does not tell it
   */
  hear(told: RateLimit, asked: Asked, limit: number, now: number): void {
    // Identity providers, and sign-in pages, have limits of their own.
    if (asked.isForToken && (told.limit === undefined || told.limit < limit)) return;
    const isRefusal = told.status === tooManyRequests;
    // A proxy on the way that found nobody has counted nothing.
    if (told.status >= firstServerError && told.remaining === undefined) return;
    if (isRefusal) this.#close(told.retryAfterMs, asked.at, now);
    else if (asked.at >= this.#closedUntil) this.#refusals = 0;
    if (told.limit !== undefined && !asked.isForToken) this.#limit = told.limit;
    const of = told.limit ?? limit;
    const remaining = told.remaining ?? (isRefusal ? 0 : undefined);
    const others = remaining === undefined ? 0 : Math.max(0, of - remaining - asked.mostOfOurs);
    if (asked.at <= this.#heardAt && others < this.othersAt(now, of)) return;
    this.#others = others;
    this.#othersOf = of;
    this.#heardAt = now;
    this.#freshUntil = now < this.#closedUntil ? now : now + (others > 0 ? untilReset(told.resetInMs) : windowMs);
    this.#othersUntil = Math.max(now, this.#closedUntil) + windowMs;
  }

  /** Refused requests that were under way together are one refusal. */
  #close(retryAfterMs: number | undefined, askedAt: number, now: number): void {
    if (askedAt >= this.#closedUntil) this.#refusals += 1;
    const wait =
      retryAfterMs === undefined
        ? Math.min(windowMs, firstWaitMs * 2 ** (this.#refusals - 1))
        : Math.max(shortestMs, retryAfterMs);
    this.#closedUntil = Math.max(this.#closedUntil, now + wait);
  }
}

/** No request stays in the window for longer than a minute, whatever a reset says. */
function untilReset(resetInMs = windowMs): number {
  return Math.min(windowMs, Math.max(shortestMs, resetInMs));
}
