import type { Secret } from './secret.ts';

/**
 * The whole configuration, checked and complete, in the shape of the YAML file. Durations are milliseconds, sizes are
 * bytes, directories and files are absolute paths.
 */
export interface Settings {
  readonly venue: VenueSettings;
  readonly network: NetworkSettings;
  readonly credentials: CredentialSettings;
  readonly session: SessionSettings;
  readonly token: TokenSettings;
  readonly reconcile: ReconcileSettings;
  readonly local: LocalSettings;
  readonly gateway: GatewaySettings;
  readonly journal: JournalSettings;
  readonly metrics: MetricsSettings | 'off';
  readonly log: LogSettings;
}

/** Where the venue is and which of its two documented dialects it speaks. */
export interface VenueSettings {
  readonly profile: 'quickstart' | 'platform';
  readonly environment: 'test' | 'production';
  /** Without a slash at its end and without `/v1`, which the REST paths begin with. */
  readonly restUrl: string;
  readonly tokenUrl: string;
  /** `json`: `POST {clientId, clientSecret}`; `oauth2`: form-encoded client credentials (RFC 6749, section 4.4). */
  readonly tokenStyle: 'json' | 'oauth2';
  readonly socketUrl: string;
  readonly methods: MethodNames;
  /** Whether REST calls carry `X-FIG-Timestamp` and `X-FIG-Signature`. */
  readonly sign: boolean;
  readonly signature: SignatureSettings;
  /** Most HTTP requests in any minute, of figd and all its callers together. */
  readonly requestsPerMinute: number;
}

/** What the venue leaves open about its signature. */
export interface SignatureSettings {
  readonly encoding: 'hex' | 'base64';
  /** What of the path is not part of the signed request URI. */
  readonly omitPrefix?: string | undefined;
}

/** The JSON-RPC methods of the socket, by what figd uses them for. */
export interface MethodNames {
  readonly auth: string;
  readonly refresh: string;
  readonly heartbeat: string;
  readonly subscribe: string;
  readonly unsubscribe: string;
}

/** The way to the venue. */
export interface NetworkSettings {
  /** `http://host:port` or `https://host:port` of an HTTP proxy, or `off`. */
  readonly proxy: string;
  /** Certificate authorities that are trusted beside those that Node brings. */
  readonly caFile?: string;
}

/** The credentials as written, not yet read from files: `loadCredentials` does that. */
export interface CredentialSettings {
  readonly clientId?: Secret;
  readonly clientSecret?: Secret;
  readonly clientIdFile?: string;
  readonly clientSecretFile?: string;
}

/** How a session is opened, kept alive, renewed and reopened. */
export interface SessionSettings {
  readonly authenticateWith: 'token' | 'credentials';
  readonly renewal: 'auto' | 'in-place' | 'rotate' | 'reconnect';
  /** At least one, none twice. */
  readonly channels: readonly string[];
  /** Milliseconds, 1000 to 29000: the venue closes a session after 30 s without a heartbeat. */
  readonly heartbeatInterval: number;
  readonly heartbeatTimeout: number;
  readonly connectTimeout: number;
  readonly authTimeout: number;
  readonly subscribeTimeout: number;
  readonly backoff: BackoffSettings;
}

/** Waiting before a redial, with full jitter: `min` ≤ `max`, in milliseconds. */
export interface BackoffSettings {
  readonly min: number;
  readonly max: number;
  /** How long a session must be live before the next wait is `min` again. */
  readonly resetAfter: number;
}

/** When the access token is renewed: at a fraction of its life, at the latest a margin before its end. */
export interface TokenSettings {
  /** Between 0 and 1, both exclusive. */
  readonly refreshAt: number;
  readonly refreshMargin: number;
}

/** Comparing what was published with what the venue lists. */
export interface ReconcileSettings {
  readonly enabled: boolean;
  /** Milliseconds between two comparisons. */
  readonly interval: number;
  /** How long before a gap an RFQ may have been created that changed in it, in milliseconds. */
  readonly lookback: number;
}

/** The Unix sockets that consumers connect to. */
export interface LocalSettings {
  readonly directory: string;
  readonly maxConsumers: number;
  /** Bytes that may wait in one consumer's socket before it becomes a reader of the log. */
  readonly consumerBuffer: number;
}

/** Calls of local programs to the venue. */
export interface GatewaySettings {
  /** Whether `gateway.sock` is there. */
  readonly http: boolean;
  /** Patterns of what may be called; undefined: everything. */
  readonly allow?: readonly string[] | undefined;
  /** Milliseconds until a call is answered, whatever it waits for. */
  readonly timeout: number;
  /** Bytes of a request's body that are held in memory at most. */
  readonly maxBody: number;
}

/** The event log: on disk, and its newest part in memory. */
export interface JournalSettings {
  readonly enabled: boolean;
  readonly directory: string;
  readonly retainFor: number;
  readonly retainBytes: number;
  /** Bytes of the newest events kept in memory, also when the journal is not enabled. */
  readonly ring: number;
}

/** The HTTP listener for metrics and probes. */
export interface MetricsSettings {
  readonly listen: ListenAddress;
}

/** A TCP address to listen on. An IPv6 host is without brackets; port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What is logged. */
export interface LogSettings {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
}
