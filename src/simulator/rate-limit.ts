/** The verdict on one request: whether it may pass, and the numbers of the `X-RateLimit-…` headers. */
export interface RateVerdict {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Unix seconds at which the next slot becomes free. */
  readonly reset: number;
}

/** A sliding window: at most `limit` requests in any `window` ms. Refused requests do not count. */
export class SlidingWindow {
  readonly limit: number;
  readonly window: number;
  /** Times of the requests inside the window, oldest first. */
  readonly #times: number[] = [];

  constructor(limit: number, window: number) {
    this.limit = limit;
    this.window = window;
  }

  /** Counts a request at `now` (unix ms) if it is allowed. */
  admit(now: number): RateVerdict {
    const firstInside = this.#times.findIndex((time) => time > now - this.window);
    this.#times.splice(0, firstInside === -1 ? this.#times.length : firstInside);
    const allowed = this.#times.length < this.limit;
    if (allowed) this.#times.push(now);
    const oldest = this.#times[0] ?? now;
    return {
      allowed,
      limit: this.limit,
      remaining: this.limit - this.#times.length,
      reset: Math.ceil((oldest + this.window) / 1000),
    };
  }
}
