export interface RefreshSettings {
  /** Fraction of a token's life after which it is refreshed. */
  readonly refreshAt: number;
  /** How long before expiry a refresh starts at the latest, in milliseconds. */
  readonly refreshMargin: number;
}

/** Lives shorter than four margins keep a quarter of their life as margin. */
const shortLifeMargin = 0.25;
/** Spreads refreshes of many hosts that started together: ±5 %. */
const spread = 0.05;

/**
 * How long after its request a token is refreshed, in milliseconds.
 * @param lifeMs the token's whole life, from `expires_in`
 * @param random uniform in [0, 1)
 */
export function refreshDelay(lifeMs: number, settings: RefreshSettings, random: () => number): number {
  const margin = Math.min(settings.refreshMargin, lifeMs * shortLifeMargin);
  const planned = lifeMs * settings.refreshAt * (1 + spread * (2 * random() - 1));
  return Math.max(0, Math.min(planned, lifeMs - margin));
}

/** At least this long between two token requests, except where a refused refresh token is replaced at once. */
export const tokenRequestSpacingMs = 5_000;

/** Never more token requests than this in any minute, whatever happens. */
export const tokenRequestsPerMinute = 12;
const minuteMs = 60_000;

/**
 * The earliest moment the next token request keeps the ceiling of {@link tokenRequestsPerMinute}.
 * @param requests moments of the latest requests, oldest first
 */
export function earliestRequest(requests: readonly number[], now: number): number {
  const limiting = requests.at(-tokenRequestsPerMinute);
  return limiting === undefined ? now : Math.max(now, limiting + minuteMs);
}

/** The latest requests that still matter to {@link earliestRequest}, with one more. */
export function withRequest(requests: readonly number[], now: number): readonly number[] {
  return [...requests.slice(1 - tokenRequestsPerMinute), now];
}

/** After so many failed requests in a row a token is renewed with the credentials, whatever failed. */
export const failuresOfRefreshToken = 2;

/** How often in a row the socket may refuse a token fresh from the venue before the credentials count as refused. */
export const freshTokenRefusalsTolerated = 3;
