import type { FailureCode } from '../protocol/failure.ts';
import { rpcErrorCode } from '../protocol/json-rpc.ts';

/**
 * What the codes on the wire mean. Each kind has one table here; docs/failures.md is made from them. A code that stands
 * in none is unknown: figd tries again, counts it and shows it.
 */
type Meanings = Readonly<Record<number, FailureCode>>;

/**
 * HTTP statuses, by the venue's documentation and RFC 9110 (15). A redirect is in no table: figd follows none, for
 * credentials go to the configured address alone. Neither is 2xx, which is no failure, nor the rest of 5xx.
 */
export const httpStatuses: Meanings = {
  400: 'bad-reply',
  401: 'token-refused',
  403: 'permission-denied',
  404: 'not-found',
  // A wrong address often leads to a resource that exists and takes another method.
  405: 'not-found',
  406: 'bad-reply',
  408: 'server-error',
  410: 'not-found',
  411: 'bad-reply',
  413: 'bad-reply',
  414: 'bad-reply',
  415: 'bad-reply',
  422: 'bad-reply',
  426: 'bad-reply',
  429: 'rate-limited',
  431: 'bad-reply',
  500: 'server-error',
  501: 'server-error',
  502: 'server-error',
  503: 'server-error',
  504: 'server-error',
};

/** What these meanings say in reply to the handshake of a WebSocket is that there is no WebSocket to be had there. */
export const handshakeRefusals: readonly FailureCode[] = ['bad-reply', 'not-found', 'http-unknown'];

/** Errors of RFC 6749, 5.2, with HTTP 400, that say the client itself is not accepted. */
export const clientRefusals: readonly string[] = ['invalid_client', 'unauthorized_client', 'access_denied'];

/**
 * Words of a refusal which say that the address it came from is not on the allow-list of the key. The venue documents
 * that list and not how it refuses.
 */
export const addressWords =
  /\b(?:allow|white)[ _-]?list|\b(?:ip|source|address)\b.{0,60}\b(?:not|denied|refused|forbidden|blocked|unauthori[sz]ed)\b|\b(?:not|denied|forbidden|blocked|unauthori[sz]ed|invalid)\b.{0,60}\bip\b/i;

/** Words which say that the venue does not, or no longer, take what the session was authenticated with. */
export const authenticationWords =
  /\bauthentication (?:failed|error|required)|\b(?:not |un)authenticated|\b(?:invalid|expired|revoked|bad)\b.{0,20}\btoken|\btoken\b.{0,20}\b(?:invalid|expired|revoked)/i;

/**
 * Close codes: RFC 6455 (7.4.1) and the IANA registry up to 3999. What a code from 4000 on means the venue does not
 * document; those that mirror an HTTP status are read that way.
 */
export const closeCodes: Meanings = {
  1000: 'closed-by-venue',
  1001: 'server-error',
  1002: 'bad-reply',
  1003: 'bad-reply',
  1005: 'closed-by-venue',
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

export interface CloseWords {
  readonly words: RegExp;
  readonly means: FailureCode;
  readonly example: string;
}

/** Words in a close reason that tell more than the code does; the first that fit count. */
export const closeWords: readonly CloseWords[] = [
  {
    words: /too many (sessions|connections)|(session|connection) limit/i,
    means: 'too-many-sessions',
    example: 'too many sessions',
  },
  { words: /rate.?limit|too many requests/i, means: 'rate-limited', example: 'rate limit exceeded' },
  { words: addressWords, means: 'address-refused', example: 'IP address is not on the allow-list' },
  { words: /heartbeat|ping timeout/i, means: 'heartbeat-overdue', example: 'heartbeat timeout' },
  { words: /expired/i, means: 'session-expired', example: 'token expired' },
  { words: authenticationWords, means: 'session-expired', example: 'invalid token' },
  { words: /unauthori[sz]ed/i, means: 'session-expired', example: 'unauthorized' },
];

/**
 * JSON-RPC error codes: those the venue documents, and those that mirror an HTTP status, as the `code` in the bodies of
 * its HTTP errors does.
 */
export const rpcCodes: Meanings = {
  [rpcErrorCode.parseError]: 'rpc-error',
  [rpcErrorCode.invalidRequest]: 'rpc-error',
  [rpcErrorCode.methodNotFound]: 'rpc-error',
  [rpcErrorCode.invalidParams]: 'rpc-error',
  [rpcErrorCode.internalError]: 'server-error',
  400: 'rpc-error',
  401: 'rpc-error',
  403: 'permission-denied',
  404: 'rpc-error',
  422: 'rpc-error',
  429: 'rate-limited',
  500: 'server-error',
  501: 'server-error',
  502: 'server-error',
  503: 'server-error',
  504: 'server-error',
};

/** Those of {@link rpcCodes} that, in reply to a call that authenticates, refuse what it presented. */
export const rpcRefusals: readonly number[] = [rpcErrorCode.parseError, 401];

/**
 * Errors of the network, below HTTP and WebSocket, by the `code` that Node, undici or ws gives them. A name that ends
 * in `*` stands for all that begin so. A name in no group is a lost connection.
 */
export const networkCodes: Readonly<Partial<Record<FailureCode, readonly string[]>>> = {
  // EACCES and EPERM come from a packet filter on this host.
  'connection-refused': ['ECONNREFUSED', 'EACCES', 'EPERM'],
  // getaddrinfo says EAI_NONAME and EAI_NODATA; Node makes ENOTFOUND of both.
  'dns-failed': ['ENOTFOUND', 'EAI_*'],
  'proxy-refused': ['PROXY_REFUSED'],
  'connect-timeout': [
    'ETIMEDOUT',
    'PROXY_WITHOUT_WAY',
    'UND_ERR_CONNECT_TIMEOUT',
    'EHOSTUNREACH',
    'EHOSTDOWN',
    'ENETUNREACH',
    'ENETDOWN',
    'EADDRNOTAVAIL',
  ],
  'reply-timeout': ['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'TimeoutError'],
  // `socket hang up` comes as ECONNRESET, `other side closed` as UND_ERR_SOCKET.
  'connection-lost': [
    'ECONNRESET',
    'ECONNABORTED',
    'ENETRESET',
    'ENOTCONN',
    'EPIPE',
    'UND_ERR_SOCKET',
    'HPE_INVALID_EOF_STATE',
  ],
  // The names Node gives the results of OpenSSL's verification (nodejs.org/api/tls.html, "X509 certificate error codes").
  'tls-failed': [
    'CERT_*',
    'CRL_*',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_*',
    'ERROR_IN_*',
    'HOSTNAME_MISMATCH',
    'INVALID_CA',
    'INVALID_PURPOSE',
    'PATH_LENGTH_EXCEEDED',
    'UNSPECIFIED',
    'ERR_TLS_*',
    'ERR_SSL_*',
    'EPROTO',
  ],
  'bad-reply': ['HPE_*', 'UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_*'],
  // What runs out is ours: descriptors (`ulimit -n`, LimitNOFILE) or memory of this host.
  internal: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'OUT_OF_MEM'],
};
