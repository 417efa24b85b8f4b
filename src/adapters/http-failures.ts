import { type Failure, failure } from '../protocol/failure.ts';
import { isRecord, parseJson } from '../protocol/json-rpc.ts';

/** An HTTP answer as far as it matters for what went wrong. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** Cleans the venue's own words for a message. */
export type Quote = (text: string) => string;

const secondMs = 1_000;

/**
 * How long the venue asks to wait, in milliseconds: `Retry-After` (RFC 9110, 10.2.3: seconds or a date), else
 * `X-RateLimit-Reset` or the body's `reset` (both unix seconds).
 * @param wall unix milliseconds
 */
export function retryAfter(answer: HttpAnswer, wall: number): number | undefined {
  return retryAfterHeader(answer, wall) ?? limitReset(answer, wall);
}

function retryAfterHeader({ headers }: HttpAnswer, wall: number): number | undefined {
  const header = one(headers['retry-after']);
  if (header === undefined || header === '') return undefined;
  const seconds = Number(header);
  const moment = Number.isFinite(seconds) ? wall + seconds * secondMs : Date.parse(header);
  return Number.isFinite(moment) ? Math.max(0, moment - wall) : undefined;
}

function limitReset({ headers, body }: HttpAnswer, wall: number): number | undefined {
  const parsed = parseJson(body);
  const reset = Number(one(headers['x-ratelimit-reset']) ?? (isRecord(parsed) ? parsed['reset'] : undefined));
  return Number.isFinite(reset) && reset > 0 ? Math.max(0, reset * secondMs - wall) : undefined;
}

/** What an HTTP status other than 2xx means, by the venue's documentation and RFC 9110. */
export function statusFailure(what: string, answer: HttpAnswer, quote: Quote, wall: number): Failure {
  const { status } = answer;
  const words = venueWords(answer.body);
  const said = `${what}: HTTP ${status}${words === '' ? '' : `, "${quote(words)}"`}`;
  if (status === 401) return failure('token-refused', said);
  if (status === 403) return failure('permission-denied', said);
  if (status === 404) return failure('not-found', said);
  if (status === 429) return failure('rate-limited', said, retryAfter(answer, wall));
  // Every reply of the venue tells when its window of the rate limit resets; only Retry-After asks to stay away.
  const wait = retryAfterHeader(answer, wall);
  if (status === 503 && wait !== undefined) return failure('server-busy', said, wait);
  if (status === 408 || status >= 500) return failure('server-error', said);
  return failure('bad-reply', said);
}

const networkCodes: Readonly<
  Record<string, 'connection-refused' | 'dns-failed' | 'connect-timeout' | 'reply-timeout'>
> = {
  ECONNREFUSED: 'connection-refused',
  ENOTFOUND: 'dns-failed',
  EAI_AGAIN: 'dns-failed',
  EAI_NODATA: 'dns-failed',
  EAI_NONAME: 'dns-failed',
  ETIMEDOUT: 'connect-timeout',
  EHOSTUNREACH: 'connect-timeout',
  ENETUNREACH: 'connect-timeout',
  UND_ERR_CONNECT_TIMEOUT: 'connect-timeout',
  UND_ERR_HEADERS_TIMEOUT: 'reply-timeout',
  UND_ERR_BODY_TIMEOUT: 'reply-timeout',
  ETIMEDOUT_REPLY: 'reply-timeout',
};

const tlsCode = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$)/;

/** What an error of the network, below HTTP and WebSocket, means. */
export function networkFailure(what: string, error: unknown): Failure {
  const { code, message } = innermost(error);
  const said = `${what}: ${message}`;
  const known = networkCodes[code];
  if (known !== undefined) return failure(known, said);
  if (tlsCode.test(code)) return failure('tls-failed', said);
  return failure('connection-lost', said);
}

/** Node wraps: the cause, or the first of several addresses tried, says what happened. */
function innermost(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  if (!(error instanceof Error)) return { code: '', message: 'unknown error' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === '' && error.cause !== undefined) return innermost(error.cause);
  if (error.name === 'TimeoutError') return { code: 'ETIMEDOUT_REPLY', message: 'no complete answer in time' };
  return { code, message: error.message === '' ? code : error.message };
}

function venueWords(body: string): string {
  const parsed = parseJson(body);
  if (!isRecord(parsed)) return '';
  const { message, error_description: description, error, reason } = parsed;
  const isText = (part: unknown): part is string => typeof part === 'string' && part.length > 0;
  const words = [description, message, error].find(isText);
  const details = [reason].flat().filter(isText);
  return [...(words === undefined ? [] : [words]), ...details].join(': ');
}

function one(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header[0] : header;
}
