import { longestRetryAfterMs } from '../machines/policies/backoff.ts';
import { isRecord, parseJson } from '../protocol/json-rpc.ts';
import type { HttpAnswer } from './http-failures.ts';

/** The time by which a moment that the venue names is measured. */
export interface Reference {
  /** Unix milliseconds. */
  readonly now: number;
  /** Whether that is the venue's own time, so that it does not matter how wrong the clock of this host is. */
  readonly isVenues: boolean;
}

const secondMs = 1_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;
/** In seconds this is the year 5138, in milliseconds 1973: a larger number counts milliseconds. */
const largestUnixSeconds = 1e11;

/**
 * How long the venue asks to wait, in milliseconds: `Retry-After` (RFC 9110, 10.2.3: seconds or a date), else
 * `X-RateLimit-Reset` or the body's `reset` (both unix seconds). Moments are measured by the answer's own `Date`
 * (RFC 9110, 6.6.1) where it has one. Never longer than figd would wait.
 * @param wall unix milliseconds
 */
export function retryAfter(answer: HttpAnswer, wall: number): number | undefined {
  return retryAfterHeader(answer, wall) ?? limitResetHeader(answer, wall) ?? limitResetBody(answer, wall);
}

/** What `Retry-After` alone says, in milliseconds. */
export function retryAfterHeader({ headers }: HttpAnswer, wall: number): number | undefined {
  const header = one(headers['retry-after']);
  if (header === undefined || header === '') return undefined;
  const seconds = Number(header);
  return Number.isFinite(seconds)
    ? bounded(seconds * secondMs)
    : waitUntil(Date.parse(header), referenceOf(headers, wall));
}

/** When more of the rate limit is left, in milliseconds from now, by `X-RateLimit-Reset` alone. */
export function limitResetHeader({ headers }: Pick<HttpAnswer, 'headers'>, wall: number): number | undefined {
  return untilReset(one(headers['x-ratelimit-reset']), headers, wall);
}

function limitResetBody({ headers, body }: HttpAnswer, wall: number): number | undefined {
  const parsed = parseJson(body);
  return isRecord(parsed) ? untilReset(parsed['reset'], headers, wall) : undefined;
}

function untilReset(told: unknown, headers: HttpAnswer['headers'], wall: number): number | undefined {
  const reset = numeric(told);
  return reset === undefined ? undefined : waitUntil(unixMs(reset), referenceOf(headers, wall));
}

/** A `Date` more than a day from our time is believed less than our own clock, which TLS has checked by certificates. */
function referenceOf(headers: HttpAnswer['headers'], wall: number): Reference {
  const date = Date.parse(one(headers['date']) ?? '');
  return Math.abs(date - wall) <= dayMs ? { now: date, isVenues: true } : { now: wall, isVenues: false };
}

/**
 * How long until a moment, or undefined where it tells nothing: by our own clock a moment in the past may only mean
 * that the clock is wrong, and one more than a day ago is no moment to wait for.
 */
function waitUntil(moment: number, { now, isVenues }: Reference): number | undefined {
  const wait = moment - now;
  if (!(wait >= (isVenues ? -dayMs : 0))) return undefined;
  return bounded(wait);
}

const waitsInMs = ['retryAfterMs', 'retry_after_ms'];
const waitsInSeconds = ['retryAfter', 'retry_after'];
const moments = ['reset', 'resetAt', 'reset_at'];

/**
 * How long the `data` of a JSON-RPC error asks to wait, in milliseconds: a wait or a moment, in it or in one of its
 * objects. The venue does not document what `data` holds; nothing but the number is taken out of it.
 */
export function waitInData(data: unknown, reference: Reference): number | undefined {
  if (!isRecord(data)) return undefined;
  for (const part of [data, ...Object.values(data).filter(isRecord)]) {
    const wait = waitIn(part, reference);
    if (wait !== undefined) return wait;
  }
  return undefined;
}

function waitIn(part: Readonly<Record<string, unknown>>, reference: Reference): number | undefined {
  const first = (keys: readonly string[]) => keys.map((key) => numeric(part[key])).find((value) => value !== undefined);
  const ms = first(waitsInMs);
  if (ms !== undefined) return bounded(ms);
  const seconds = first(waitsInSeconds);
  if (seconds !== undefined) return bounded(seconds * secondMs);
  const moment = first(moments);
  return moment === undefined ? undefined : waitUntil(unixMs(moment), reference);
}

const waitWords = /\b(?:re)?try[ _-]?(?:again[ _-])?(?:after|in)[ :=]{0,3}(\d{1,9}(?:\.\d{1,9})?) ?([a-z]*)/i;
const units: readonly (readonly [RegExp, number])[] = [
  [/^(ms|msecs?|millis|milliseconds?)$/i, 1],
  [/^(|s|secs?|seconds?)$/i, secondMs],
  [/^(m|mins?|minutes?)$/i, minuteMs],
];

/** How long words such as "retry after 30s" or "try again in 2 minutes" ask to wait, in milliseconds. */
export function waitInWords(text: string): number | undefined {
  const [, count, unit = ''] = waitWords.exec(text) ?? [];
  const factor = units.find(([name]) => name.test(unit))?.[1];
  return count === undefined || factor === undefined ? undefined : bounded(Number(count) * factor);
}

function bounded(wait: number): number {
  return Math.min(longestRetryAfterMs, Math.max(0, wait));
}

function unixMs(moment: number): number {
  return moment > largestUnixSeconds ? moment : moment * secondMs;
}

/** The number that a value is or spells. */
export function numeric(value: unknown): number | undefined {
  if (typeof value === 'string') return /^\d{1,16}(\.\d{1,9})?$/.test(value) ? Number(value) : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The first of a header's values. */
export function one(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header[0] : header;
}
