/**
 * What went wrong, decided once at the adapter's edge and never again further in.
 *
 * - `refused`: the venue says no to who we are or what we may do; a human must act.
 * - `limited`: we ask too often; `retryAfterMs` says when to ask again, where the venue told.
 * - `transient`: nothing is wrong with either side for good; retry with backoff.
 * - `protocol`: they or we broke the rules; retry slowly, and somebody should look.
 * - `bug`: ours.
 */
export type FailureClass = 'refused' | 'limited' | 'transient' | 'protocol' | 'bug';

/**
 * A failure as data: it travels in events, logs, status and `figd.state`, so it never carries a secret. Text that
 * came from the venue is redacted before it gets here.
 */
export interface Failure {
  readonly class: FailureClass;
  /** Stable name of this kind of failure; a key of {@link failureCodes}. */
  readonly code: FailureCode;
  /** What happened, with the venue's own words where it had some. */
  readonly message: string;
  /** How long to wait before the next try, in milliseconds, when the venue said so. */
  readonly retryAfterMs?: number;
  /** The code the venue used, where figd does not know it: `close 4777`, `rpc -32042`, `http 418`. */
  readonly unknown?: string;
}

/** Every failure figd tells apart, with its class and what a reader of the status can do about it. */
export const failureCodes = {
  'credentials-refused': [
    'refused',
    'Check client id and secret with `figd check`, then replace the credential files.',
  ],
  'token-refused': ['refused', 'The venue refused a token it issued; figd asks for a fresh one.'],
  'permission-denied': ['refused', 'The key lacks a role, or this host is not on its IP allow-list: ask the venue.'],
  'address-refused': [
    'refused',
    'This host is not on the IP allow-list of the key: have its address added at the venue; figd asks seldom until then.',
  ],
  'refresh-token-refused': [
    'refused',
    'The venue took its refresh token no longer; figd uses the credentials at once.',
  ],
  'channels-refused': [
    'refused',
    'The venue does not confirm them; check their names in session.channels, and the role of the key.',
  ],
  'rate-limited': ['limited', 'figd waits as long as the venue asked; find out who else uses this key.'],
  'server-busy': ['limited', 'The venue asked to come back later; figd does.'],
  contested: [
    'limited',
    'The venue ends each session soon after it begins, as when another program uses the same key: find it, or give figd a key of its own.',
  ],
  'server-error': ['transient', 'The venue has a fault of its own; figd keeps trying.'],
  'connection-lost': ['transient', 'figd dials again.'],
  'closed-by-venue': ['transient', 'The venue ended the session in good order; figd dials again.'],
  'connection-refused': [
    'transient',
    'Nothing listens there, or a firewall forbids it: check venue.socketUrl and venue.restUrl, or wait for the venue.',
  ],
  'dns-failed': ['transient', "The venue's host name cannot be resolved: check DNS on this host."],
  'tls-failed': [
    'protocol',
    "The venue's certificate is not trusted here: check the clock, and network.caFile where this network looks into TLS.",
  ],
  'proxy-refused': [
    'protocol',
    "The proxy makes no connection to the venue: check network.proxy, and have the venue's hosts allowed there.",
  ],
  'connect-timeout': [
    'transient',
    'No connection within session.connectTimeout, or no way there: check routes and firewalls.',
  ],
  'reply-timeout': ['transient', 'The venue accepted the request and did not answer in time.'],
  'half-open': ['transient', 'The connection looked open but nothing came back; figd cut it and dials again.'],
  'session-expired': ['transient', 'The session ended with its token; figd opens a new one with a fresh token.'],
  'heartbeat-overdue': ['protocol', 'The venue missed our heartbeat; this host may be overloaded or suspended.'],
  'too-many-sessions': ['limited', 'Another process uses this key, or earlier sessions have not timed out yet.'],
  'upgrade-refused': ['protocol', 'The host answered, but not as a WebSocket server: check venue.socketUrl.'],
  'not-found': ['protocol', 'The venue does not know this address: check venue.profile and the URLs.'],
  'bad-reply': ['protocol', 'The venue answered in a form figd does not know; see the log.'],
  'rpc-error': ['protocol', 'The venue refused the request; its message says why.'],
  'rpc-unknown': ['protocol', 'The venue answered with a JSON-RPC error code figd does not know; it tries again.'],
  'http-unknown': ['protocol', 'The venue answered with an HTTP status figd does not know; it tries again.'],
  'frame-too-large': ['protocol', 'The venue sent a frame above the limit; the session was cut.'],
  'closed-unknown': ['transient', 'The venue closed the session with a code figd does not know; it dials again.'],
  'not-live': [
    'transient',
    'No session was live, so the call was not sent: see `figd status`, and call again once it is.',
  ],
  'not-allowed': [
    'refused',
    'Add what was called to gateway.allow, where the message names that; figd did not send it.',
  ],
  'too-many-calls': [
    'limited',
    'As many calls as figd makes at a time were unanswered; call again later, or less often.',
  ],
  withheld: ['protocol', "The venue's answer quoted a token or secret of figd's, so the caller did not get it."],
  renewal: ['transient', 'The session is renewed by opening a new one.'],
  'on-request': ['transient', 'Somebody asked for it (figd reconnect, or a change of configuration).'],
  'daemon-stopped': ['transient', 'figd itself was stopped; nothing was heard until it ran again.'],
  'daemon-died': ['transient', 'figd ended without having been stopped: killed, crashed, or the host went down.'],
  internal: ['bug', 'A fault in figd: please report it with the log.'],
} as const satisfies Record<string, readonly [FailureClass, string]>;

export type FailureCode = keyof typeof failureCodes;

/** Builds a failure of a known code; its class comes from the catalogue. */
export function failure(code: FailureCode, message: string, retryAfterMs?: number): Failure {
  return { class: failureCodes[code][0], code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Where a code comes from that figd may not know: a WebSocket close, a JSON-RPC error, an HTTP status. */
export type UnknownKind = 'close' | 'rpc' | 'http';

/** The failure with the code of the venue that figd does not know: a kind and a number, so that nothing else gets in. */
export function withUnknown(found: Failure, kind: UnknownKind, code: number): Failure {
  return { ...found, unknown: `${kind} ${code}` };
}

/** What a reader of the status can do about a failure. */
export function advice(code: FailureCode): string {
  return failureCodes[code][1];
}

/** Carries a {@link Failure} through a rejected promise, from an adapter to the machine that invoked it. */
export class FailureError extends Error {
  override readonly name: string = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The failure inside anything thrown; what no adapter classified is a fault of ours. */
export function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : 'something that is not an error was thrown';
  return failure('internal', text);
}
