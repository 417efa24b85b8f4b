import * as z from 'zod';
import { proxy, url } from './url-values.ts';
import {
  choice,
  count,
  duration,
  flag,
  fraction,
  listenAddress,
  path,
  permissions,
  prefix,
  secret,
  size,
  word,
  words,
} from './values.ts';
import { lacksHosts } from './venue-profiles.ts';

// The YAML file, key by key: type, default and the one description that --help, the JSON Schema and an editor show.
// What depends on other keys or on the environment (URLs of a profile, directories) is optional here and filled in by
// resolve.ts.

/** Marks a rule that compares keys, which needs all of them to be known. */
const acrossKeys = { acrossKeys: true };

const methods = z.strictObject({
  auth: word('auth').prefault('auth').describe('JSON-RPC method that authenticates the socket.'),
  refresh: word('auth/refresh').prefault('auth/refresh').describe('JSON-RPC method that renews the session in place.'),
  heartbeat: word('heartbeat').prefault('heartbeat').describe('JSON-RPC method of the heartbeat.'),
  subscribe: word('v1/subscribe').prefault('v1/subscribe').describe('JSON-RPC method that subscribes to channels.'),
  unsubscribe: word('v1/unsubscribe').prefault('v1/unsubscribe').describe('JSON-RPC method that unsubscribes.'),
});

const signature = z.strictObject({
  encoding: choice(['hex', 'base64'])
    .prefault('hex')
    .describe('How the signature is written: the documented example looks like hex.'),
  omitPrefix: prefix('/v1')
    .optional()
    .describe(
      'What of the path is left out of the signed request URI: /v1 where the venue signs /rfq/12345 for /v1/rfq/12345. Default: nothing.',
    ),
});

const venue = z
  .strictObject({
    profile: choice(['quickstart', 'platform'])
      .prefault('quickstart')
      .describe(
        "The venue's documented dialect; fills in the rest of this block, where each key can be set on its own.",
      ),
    environment: choice(['test', 'production'])
      .prefault('test')
      .describe("Which of the venue's environments. Production has hosts in profile platform only."),
    restUrl: url('http', 'https://api.test.figmarkets.com')
      .refine((text) => !/[?]|\/v1$/.test(text), {
        error: 'ends in /v1 or has a query; leave that out: the REST paths begin with /v1',
      })
      .optional()
      .describe('Base of the REST API, without /v1. Default: by profile and environment.'),
    tokenUrl: url('http', 'https://api.test.figmarkets.com/v1/auth')
      .optional()
      .describe(
        'Where access tokens are issued. Default: restUrl + /v1/auth in profile quickstart, else by environment.',
      ),
    tokenStyle: choice(['json', 'oauth2'])
      .optional()
      .describe(
        'How a token is asked for: JSON body or OAuth2 client credentials. Default: json in profile quickstart, oauth2 in platform.',
      ),
    socketUrl: url('ws', 'wss://api.test.figmarkets.com/ws/v1')
      .optional()
      .describe(
        'WebSocket endpoint. Default: restUrl as ws or wss + /ws/v1 in profile quickstart, else by environment.',
      ),
    methods: methods.prefault({}).describe('JSON-RPC method names, should the venue rename one.'),
    sign: flag()
      .optional()
      .describe('Whether REST calls carry X-FIG-Signature. Default: false in profile quickstart, true in platform.'),
    signature: signature.prefault({}).describe('What the signature covers and how it is written.'),
    requestsPerMinute: count(1_000)
      .prefault(1_000)
      .describe("Most HTTP requests in any minute, figd's own and those of all its callers together."),
  })
  .refine((value) => !lacksHosts(value), {
    path: ['environment'],
    error: 'production has no hosts in profile quickstart; use venue.profile: platform, or set venue.restUrl',
    params: acrossKeys,
    // Asked also when another key of the block is wrong: all problems are reported at once.
    when: () => true,
  });

const network = z.strictObject({
  proxy: proxy('http://proxy.example:3128')
    .prefault('off')
    .describe('HTTP proxy through which the venue is reached, or off. Hosts on the loopback are reached without it.'),
  caFile: path('/etc/ssl/certs/ca-certificates.crt')
    .optional()
    .describe('File of certificate authorities (PEM) that are trusted beside those that Node.js brings.'),
});

const credentials = z.strictObject({
  clientId: secret().optional().describe('Client id of the API key.'),
  clientSecret: secret()
    .optional()
    .describe('Client secret of the API key. Better kept in a file; refused on the command line.'),
  clientIdFile: path('/etc/figd/client-id').optional().describe('File that holds the client id and nothing else.'),
  clientSecretFile: path('/etc/figd/client-secret')
    .optional()
    .describe('File that holds the client secret and nothing else, readable by figd only.'),
});

const backoff = z
  .strictObject({
    min: duration({ example: '500ms' })
      .prefault('500ms')
      .describe('Longest wait before the first redial (full jitter).'),
    max: duration({ example: '20s' }).prefault('20s').describe('Longest wait between redials; it doubles up to this.'),
    resetAfter: duration({ example: '30s' })
      .prefault('30s')
      .describe('How long a session must be live before the wait starts from min again.'),
  })
  .refine(({ min, max }) => !(min > max), {
    path: ['min'],
    error: 'is more than session.backoff.max; make min at most max',
    params: acrossKeys,
    when: () => true,
  });

const session = z.strictObject({
  authenticateWith: choice(['token', 'credentials'])
    .prefault('token')
    .describe('Whether the socket is authenticated with the access token or with the credentials themselves.'),
  renewal: choice(['auto', 'in-place', 'rotate', 'reconnect'])
    .prefault('auto')
    .describe(
      'How a session outlives its token: in-place (on the same socket), rotate (a second one takes over), reconnect, or auto: in place, else rotate.',
    ),
  channels: words(['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'])
    .prefault(['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'])
    .describe('Channels to subscribe to.'),
  heartbeatInterval: duration({
    example: '10s',
    min: 1_000,
    max: 29_000,
    reason: 'write 1s to 29s: the venue closes a session after 30 s without a heartbeat',
  })
    .prefault('10s')
    .describe('Time between heartbeats, 1s to 29s.'),
  heartbeatTimeout: duration({ example: '5s' })
    .prefault('5s')
    .describe('Time to wait for the answer to a heartbeat before the connection counts as dead.'),
  connectTimeout: duration({ example: '10s' }).prefault('10s').describe('Time for DNS, TCP, TLS and the upgrade.'),
  authTimeout: duration({ example: '10s' }).prefault('10s').describe('Time to wait for the answer to authentication.'),
  subscribeTimeout: duration({ example: '5s' })
    .prefault('5s')
    .describe('Time to wait for the answer to a subscription.'),
  backoff: backoff.prefault({}).describe('Waiting before a redial.'),
});

const token = z.strictObject({
  refreshAt: fraction(0.8).prefault(0.8).describe('Fraction of its life at which the access token is renewed.'),
  refreshMargin: duration({ example: '60s', min: 0 })
    .prefault('60s')
    .describe('Time before its end at which the access token is renewed at the latest.'),
});

const reconcile = z.strictObject({
  enabled: flag()
    .prefault(true)
    .describe("Whether events are compared with the venue's list of RFQs, so that what a gap missed is published."),
  interval: duration({ example: '5m', min: 10_000, reason: 'write a duration from 10s to 24h, for example 5m' })
    .prefault('5m')
    .describe('Time between two comparisons while nothing was missed; after a gap one is made at once.'),
  lookback: duration({ example: '15m', min: 0 })
    .prefault('15m')
    .describe('How long before a gap an RFQ may have been created that changed in it.'),
});

const local = z.strictObject({
  directory: path('/run/figd')
    .optional()
    .describe(
      'Directory of the local sockets. Default: $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/figd, else /tmp/figd-<uid>.',
    ),
  maxConsumers: count(256).prefault(256).describe('Most consumers connected at a time.'),
  consumerBuffer: size('1MiB')
    .prefault('1MiB')
    .describe("Most bytes waiting in one consumer's socket before it reads on from ring and journal at its own pace."),
});

const gateway = z.strictObject({
  http: flag()
    .prefault(false)
    .describe("Whether gateway.sock is there: the venue's REST API as plain HTTP, authenticated by figd."),
  allow: permissions(['GET /v1/*', 'v1/rfq/*'])
    .optional()
    .describe('What local programs may call: JSON-RPC methods, and REST calls as METHOD /path. Default: everything.'),
  timeout: duration({ example: '30s' })
    .prefault('30s')
    .describe("Time to wait for the venue's answer to a call, the wait for room in its rate limit included."),
  maxBody: size('16MiB')
    .prefault('16MiB')
    .describe('Largest body of a REST call that has to be held in memory: one that is signed, or may be sent again.'),
});

const journal = z.strictObject({
  enabled: flag().prefault(true).describe('Whether events are kept on disk. Without it every start is a new epoch.'),
  directory: path('/var/lib/figd')
    .optional()
    .describe(
      'Directory of the journal. Default: $STATE_DIRECTORY, else $XDG_STATE_HOME/figd, else ~/.local/state/figd.',
    ),
  retainFor: duration({ example: '7d', max: Number.MAX_SAFE_INTEGER })
    .prefault('7d')
    .describe('How long events are kept. Older ones go a few at a time.'),
  retainBytes: size('2GiB').prefault('2GiB').describe('Most disk space for events; the oldest go first.'),
  // What the venue sends while the process is stopped for seconds comes all at once, and waits here for the disk.
  ring: size('64MiB', { min: 8 * 1_048_576, reason: 'what waits for the disk for a moment has to fit in' })
    .prefault('64MiB')
    .describe(
      'Most memory for the newest events, 8 MiB at least. While the disk keeps up, figd needs that much of it.',
    ),
});

/** The metrics block; that the whole block may be the word off is known to layers and JSON Schema. */
export const metricsSchema = z.strictObject({
  listen: listenAddress('127.0.0.1:9464')
    .prefault('127.0.0.1:9464')
    .describe('Address of /metrics, /livez and /readyz, or off.'),
});

const log = z.strictObject({
  level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .prefault('info')
    .describe('Least severe level that is logged.'),
});

/** The configuration as written (input) and checked (output). `loadSettings` completes the output to `Settings`. */
export const settingsSchema = z.strictObject({
  venue: venue.prefault({}).describe('Where the venue is and which dialect it speaks.'),
  network: network.prefault({}).describe('The way to the venue.'),
  credentials: credentials.prefault({}).describe('The API key: id and secret, each inline or in a file.'),
  session: session.prefault({}).describe('How the session is opened, kept alive and renewed.'),
  token: token.prefault({}).describe('When the access token is renewed.'),
  reconcile: reconcile.prefault({}).describe("Comparing what was published with what the venue's REST API lists."),
  local: local.prefault({}).describe('The Unix sockets that consumers connect to.'),
  gateway: gateway.prefault({}).describe('Calls of local programs to the venue.'),
  journal: journal.prefault({}).describe('The event log on disk and in memory.'),
  metrics: metricsSchema.prefault({}).describe('The HTTP listener for metrics and probes, or off.'),
  log: log.prefault({}).describe('What is logged.'),
});

/** What {@link settingsSchema} gives: checked, but without what a profile or the environment fills in. */
export type CheckedConfiguration = z.output<typeof settingsSchema>;
