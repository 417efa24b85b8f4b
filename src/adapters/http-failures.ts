import { type Failure, type FailureCode, failure, withUnknown } from '../protocol/failure.ts';
import { isRecord, parseJson } from '../protocol/json-rpc.ts';
import { retryAfter, retryAfterHeader } from './retry-after.ts';
import { addressWords, httpStatuses, networkCodes } from './wire-codes.ts';

/** An HTTP answer as far as it matters for what went wrong. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** Cleans the venue's own words for a message. */
export type Quote = (text: string) => string;

/** Whether a status is one of the 2xx, which tell of success (RFC 9110, 15.3). */
export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

/** What an HTTP status that is not a success means; see {@link httpStatuses}. */
export function statusFailure(what: string, answer: HttpAnswer, quote: Quote, wall: number): Failure {
  const { status } = answer;
  const words = venueWords(answer.body);
  const said = `${what}: HTTP ${status}${words === '' ? '' : `, "${quote(words)}"`}`;
  if (status === 429) return failure('rate-limited', said, retryAfter(answer, wall));
  // Every reply of the venue tells when its window of the rate limit resets; only Retry-After asks to stay away.
  const wait = retryAfterHeader(answer, wall);
  if (status === 503 && wait !== undefined) return failure('server-busy', said, wait);
  if ((status === 401 || status === 403) && addressWords.test(words)) return failure('address-refused', said);
  const known = httpStatuses[status];
  if (known !== undefined) return failure(known, said);
  // A success can only fail by its form.
  if (isSuccess(status)) return failure('bad-reply', said);
  // A status that is not known is to be treated as the first of its hundred (RFC 9110, 15).
  const isServers = status >= 500 && status <= 599;
  return withUnknown(failure(isServers ? 'server-error' : 'http-unknown', said), 'http', status);
}

/** What an error of the network, below HTTP and WebSocket, means; see {@link networkCodes}. */
export function networkFailure(what: string, error: unknown): Failure {
  const { code, message } = innermost(error);
  return failure(meanings.get(code) ?? byPrefix(code) ?? 'connection-lost', `${what}: ${message}`);
}

const named = Object.entries(networkCodes).flatMap(([means, names]) =>
  names.map((name) => [name, means as FailureCode] as const),
);
const meanings: ReadonlyMap<string, FailureCode> = new Map(named);
const prefixes = named.flatMap(([name, means]) => (name.endsWith('*') ? [[name.slice(0, -1), means] as const] : []));

function byPrefix(code: string): FailureCode | undefined {
  return prefixes.find(([prefix]) => code.startsWith(prefix))?.[1];
}

/** Node wraps: the cause, or the first of several addresses tried, says what happened. */
function innermost(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  if (!(error instanceof Error)) return { code: '', message: 'unknown error' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === '' && error.cause !== undefined) return innermost(error.cause);
  if (error.name === 'TimeoutError') return { code: error.name, message: 'no complete answer in time' };
  return { code, message: error.message === '' ? code : error.message };
}

/** The venue's own words in the body of an error, not yet cleaned. */
export function venueWords(body: string): string {
  const parsed = parseJson(body);
  if (!isRecord(parsed)) return '';
  const { message, error_description: description, error, reason } = parsed;
  const isText = (part: unknown): part is string => typeof part === 'string' && part.length > 0;
  const words = [description, message, error].find(isText);
  const details = [reason].flat().filter(isText);
  return [...(words === undefined ? [] : [words]), ...details].join(': ');
}
