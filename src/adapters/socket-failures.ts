import { type Failure, type FailureCode, failure } from '../protocol/failure.ts';
import { type RpcErrorObject, rpcErrorCode } from '../protocol/json-rpc.ts';

/**
 * Close codes and what they mean: RFC 6455 (7.4.1) and the IANA registry up to 3999. What a code from 4000 on means
 * the venue does not document; those that mirror an HTTP status are read that way, the rest stay unknown.
 */
const closeCodes: Readonly<Record<number, FailureCode>> = {
  1000: 'connection-lost',
  1001: 'connection-lost',
  1002: 'bad-reply',
  1003: 'bad-reply',
  1005: 'connection-lost',
  1006: 'connection-lost',
  1007: 'bad-reply',
  1008: 'server-busy',
  1009: 'frame-too-large',
  1011: 'server-error',
  1012: 'server-error',
  1013: 'server-busy',
  1014: 'server-error',
  3000: 'session-expired',
  3003: 'permission-denied',
  3008: 'heartbeat-overdue',
  4401: 'session-expired',
  4403: 'permission-denied',
  4408: 'heartbeat-overdue',
  4429: 'too-many-sessions',
};

/** Words in a close reason that tell more than the code does. */
const closeWords: readonly (readonly [RegExp, FailureCode])[] = [
  [/too many (sessions|connections)|(session|connection) limit/i, 'too-many-sessions'],
  [/rate.?limit|too many requests/i, 'rate-limited'],
  [/heartbeat|ping timeout/i, 'heartbeat-overdue'],
  [/expired/i, 'session-expired'],
];

/** What it means that the venue closed the socket. */
export function closeFailure(code: number, reason: string): Failure {
  const byWords = closeWords.find(([words]) => words.test(reason))?.[1];
  const said = `the venue closed the session with ${code}${reason === '' ? '' : `, "${reason}"`}`;
  const lost = code === 1006 ? 'the connection broke without a closing handshake' : said;
  return failure(byWords ?? closeCodes[code] ?? 'closed-unknown', lost);
}

const refusalWords = /auth|token|credential|unauthori[sz]ed|denied|forbidden|expired/i;
const limitWords = /limit|too many|throttl/i;

/**
 * What a JSON-RPC error means. In reply to `auth` the venue uses −32700 for an authentication error, which the
 * specification reserves for unreadable JSON.
 * @param authenticating the failure code of a refusal when the call was to authenticate, else null
 */
export function rpcFailure(method: string, error: RpcErrorObject, authenticating: FailureCode | null): Failure {
  const said = `${method}: error ${error.code}, "${error.message}"`;
  if (error.code === 429 || limitWords.test(error.message)) return failure('rate-limited', said);
  if (error.code === rpcErrorCode.internalError || error.code >= 500) return failure('server-error', said);
  if (error.code === 403) return failure('permission-denied', said);
  const documented: readonly number[] = [
    rpcErrorCode.invalidRequest,
    rpcErrorCode.methodNotFound,
    rpcErrorCode.invalidParams,
  ];
  const refusal =
    error.code === rpcErrorCode.parseError ||
    error.code === 401 ||
    (!documented.includes(error.code) && refusalWords.test(error.message));
  return authenticating !== null && refusal ? failure(authenticating, said) : failure('rpc-error', said);
}
