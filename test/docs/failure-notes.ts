import type { FailureClass, FailureCode } from '../../src/protocol/failure.ts';

/** What docs/failures.md tells of a failure beyond what the code itself can tell. */
export interface FailureNote {
  readonly means: string;
  /** What figd does, where it is not the pace of the class. */
  readonly does?: string;
  /** What a reader can do, where it is not the advice of the status. */
  readonly can?: string;
  /** Causes that are a condition in the code and no entry of a table. */
  readonly causes?: readonly string[];
}

export const classNotes: Readonly<Record<FailureClass, string>> = {
  refused: 'The venue says no to who we are or what we may do. A human must act.',
  limited: 'We ask too often, or the venue is busy.',
  transient: 'Nothing is wrong for good.',
  protocol: 'They or we broke a rule. Somebody should look.',
  bug: 'A fault on our side.',
};

const nothing = 'Nothing, unless it happens often.';
const noRetry = 'Nothing is tried again: it is the cause of a gap.';
const notAgain = 'figd does not make the call again.';

export const failureNotes: Readonly<Record<FailureCode, FailureNote>> = {
  'credentials-refused': {
    means: 'The venue does not accept the client id or the client secret.',
    causes: ['HTTP 401 in reply to a token request'],
  },
  'token-refused': {
    means: 'The venue does not accept the access token, though it issued it.',
    does: 'figd asks for another token and dials with it, no faster than token requests may follow each other.',
    can: `${nothing} Then another program may be renewing tokens of the same key.`,
  },
  'permission-denied': { means: 'The venue knows who we are and does not allow what was asked.' },
  'address-refused': {
    means: 'The venue does not take this key from the address of this host.',
    causes: [
      'HTTP 401 or 403, or a refusal in reply to `auth`, whose words speak of an allow-list or an address (HTTP 400 in reply to a token request)',
    ],
  },
  'refresh-token-refused': {
    means: 'The venue does not accept its refresh token any more.',
    does: 'figd drops the refresh token and asks with the credentials in the same breath.',
    can: nothing,
    causes: ['HTTP 400 to 499, but for 408, 425 and 429, in reply to a token request with a refresh token'],
  },
  'channels-refused': {
    means: 'The venue confirmed none of the channels, or not all of them.',
    does: 'figd keeps the session and asks for the missing channels again after 30 s, doubling to 5 min. Meanwhile each is a gap of its own, and what the list of RFQs tells of it is published.',
    causes: [
      'a reply to the subscription that leaves channels out, or an error in its place that does not speak of the authentication',
    ],
  },
  'rate-limited': {
    means: 'The key, or the address of this host, has used up its requests.',
    causes: [
      'a JSON-RPC error whose message speaks of a limit',
      'no room for a request in the limit as figd counts it ([rate-limits.md](rate-limits.md))',
    ],
  },
  'server-busy': {
    means: 'The venue is there and wants to be left alone for a while.',
    causes: ['HTTP 503 with `Retry-After`'],
  },
  contested: {
    means: 'Several sessions in a row were ended by the venue soon after they began.',
    causes: ['found by figd, from how long sessions last'],
  },
  'server-error': {
    means: 'The venue failed at something of its own, or restarts.',
    can: `${nothing} Then ask the venue.`,
    causes: ['any other HTTP status from 505 to 599, which also counts as unknown'],
  },
  'connection-lost': {
    means: 'The connection broke, and nobody said why.',
    can: `${nothing} Then look at the network between this host and the venue.`,
    causes: ['any other error of the network'],
  },
  'closed-by-venue': { means: 'The venue ended the session in good order and gave no reason.', can: nothing },
  'connection-refused': {
    means: 'The address was reached and nothing there takes connections, or this host may not ask.',
  },
  'dns-failed': { means: 'The name of the venue leads to no address.' },
  'tls-failed': { means: 'There is no trustworthy encrypted connection: a certificate, or TLS itself.' },
  'proxy-refused': {
    means: 'The proxy on the way makes no connection to the venue.',
    causes: ['an HTTP status of the proxy below 500 that is not 2xx'],
  },
  'connect-timeout': {
    means: 'No connection came about in time, or there is no way to the address.',
    causes: ['no WebSocket handshake within `session.connectTimeout`'],
  },
  'reply-timeout': {
    means: 'The connection stands, and an answer did not come in time.',
    can: `${nothing} Then raise session.authTimeout or session.subscribeTimeout, or for a call gateway.timeout.`,
    causes: ['no answer within `session.authTimeout` or `session.subscribeTimeout`, or to a call within its deadline'],
  },
  'half-open': {
    means: 'The connection looks open and carries nothing: a firewall forgot it, or the other side is gone.',
    can: `${nothing} Then look for a firewall or NAT that forgets quiet connections.`,
    causes: ['no answer to a heartbeat within `session.heartbeatTimeout`'],
  },
  'session-expired': {
    means: 'The token of the session ran out before it was renewed, or the venue does not take it any more.',
    does: 'figd tries again at the pace of the class. Where the session was not let in, or for less than 10 s, it asks for another token first, as after `token-refused`.',
    can: nothing,
  },
  'heartbeat-overdue': { means: 'The venue heard no heartbeat of ours for 30 s.' },
  'too-many-sessions': { means: 'The venue allows this key no more sessions.' },
  'upgrade-refused': {
    means: 'What answers at venue.socketUrl speaks HTTP and no WebSocket.',
    causes: ['a handshake answered by rules of another protocol, or with a wrong key'],
  },
  'not-found': { means: 'There is nothing at the address, or something that takes other methods.' },
  'bad-reply': {
    means: 'An answer or a frame breaks the rules of its protocol, or the venue found a request of ours malformed.',
    causes: [
      'a token answer without `access_token` or with an unusable `expires_in`',
      'a broken WebSocket frame (`WS_ERR_*`)',
    ],
  },
  'rpc-error': {
    means: 'The venue refused a JSON-RPC call with a code it documents.',
    does: 'In reply to a renewal: figd renews in another way. To a subscription: see `channels-refused`. Else it dials again at the pace of the class.',
  },
  'rpc-unknown': {
    means: 'The venue refused a JSON-RPC call with a code figd does not know, in words that tell nothing.',
    does: 'The same as for `rpc-error`, and the code is counted.',
    can: 'Report the code with its message, so that figd learns it.',
    causes: ['any other JSON-RPC code'],
  },
  'http-unknown': {
    means: 'The venue answered with a status figd does not know, or with a redirect, which figd never follows.',
    can: 'After a redirect check the URLs in the configuration. Else report the status.',
    causes: ['any other HTTP status'],
  },
  'frame-too-large': {
    means: 'A frame was larger than 16 MiB.',
    can: 'Report it: no documented message is a hundredth of that.',
    causes: ['a frame above the limit (`WS_ERR_UNSUPPORTED_MESSAGE_LENGTH`)'],
  },
  'closed-unknown': {
    means: 'The venue closed the session with a code figd does not know, in words that tell nothing.',
    can: 'Report the code with its reason, so that figd learns it.',
    causes: ['any other close code'],
  },
  'not-live': {
    means: 'A local program made a call while there was no live session.',
    does: notAgain,
    causes: ['found by figd'],
  },
  'not-allowed': {
    means:
      'A local program called what it may not: `gateway.allow` does not name it, or figd keeps the method for itself.',
    does: notAgain,
    can: 'Follow the message: it says which of the two it is, and what to do instead.',
    causes: ['found by figd'],
  },
  'too-many-calls': {
    means: 'A call of a local program waited for its turn until its deadline.',
    does: notAgain,
    causes: ['found by figd, which makes a limited number of calls at a time'],
  },
  withheld: {
    means: "The venue's answer to a call held one of figd's own tokens or secrets.",
    does: `${notAgain} The call may have been executed.`,
    can: 'Report it to the venue: no documented answer does.',
    causes: ['found by figd, which looks through each answer that it hands on'],
  },
  renewal: {
    means: 'The session gives way to a new one, for its token is about to run out.',
    can: 'Nothing. With session.renewal at auto, in-place or rotate it leaves no gap where the venue plays along.',
    causes: ['found by figd, from the life of the token'],
  },
  'on-request': {
    means: 'Somebody asked for a new session.',
    can: 'Nothing.',
    causes: ['`figd reconnect`, or a change of configuration'],
  },
  'daemon-stopped': {
    means: 'figd was stopped in good order; nothing was heard until it ran again.',
    does: noRetry,
    can: 'Nothing.',
    causes: ['found by figd, when it starts again'],
  },
  'daemon-died': {
    means: 'figd ended without having been stopped: killed, crashed, or the host went down.',
    does: noRetry,
    can: 'Look into the journal of the host for the moment before the gap.',
    causes: ['found by figd, when it starts again'],
  },
  internal: {
    means: 'figd failed at something of its own, or this host ran out of descriptors or memory.',
    can: 'Check the limits of the process (`ulimit -n`, `LimitNOFILE`) and the memory of the host. Else report it with the log.',
    causes: ['an error in figd that nobody foresaw'],
  },
};
