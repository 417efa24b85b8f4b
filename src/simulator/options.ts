import type { EnvelopeStyle } from './frames.ts';
import type { SignatureRule } from './rest-signature.ts';

/** How the simulated venue behaves. Times are milliseconds. */
export interface VenueOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Roles of the user. Account endpoints answer 403 without `trader`. */
  readonly roles: readonly string[];
  /** The `clientSecret` that the exchange-credentials endpoint returns: a canary for leak tests. */
  readonly exchangeSecret: string;
  /** Life of access tokens from either token endpoint. Without it: 1 hour from `/v1/auth`, 5 minutes from the OAuth2 one. */
  readonly tokenLife: number | undefined;
  /** Life of OAuth2 refresh tokens. */
  readonly refreshTokenLife: number;
  /** Whether a refresh token works only once; its use returns a new one either way. */
  readonly rotateRefreshTokens: boolean;
  /** HTTP requests per sliding minute, after which 429. */
  readonly httpLimit: number;
  /** Whether REST calls must carry a correct `X-FIG-Signature`. Token endpoints never do. */
  readonly verifySignatures: boolean;
  /** What a correct signature is. */
  readonly signature: SignatureRule;
  /** How far from the venue's time the timestamp of a signed request may be. */
  readonly signatureSkew: number;
  /** Form of socket replies; `undefined`: `quickstart` at `/ws/v1`, `jsonrpc` elsewhere. */
  readonly replyStyle: ReplyStyle | undefined;
  /** What a wrong token gets from `auth`: JSON-RPC error −32700, or a result with `success: false`. */
  readonly authRefusal: 'error' | 'result';
  /** Whether a successful `auth` returns a new access token, which then carries the session; it dies with the old one. */
  readonly tokenInAuthReply: boolean;
  /** Whether the method `auth/refresh` exists. */
  readonly inPlaceRefresh: boolean;
  /** A connection that has not authenticated by then is closed with 4401. */
  readonly authTimeout: number;
  /** A connection without a heartbeat for so long is closed with 4408. */
  readonly heartbeatTimeout: number;
  /** Authenticated sessions per credential. What happens to one more `sessionCeiling` says. */
  readonly maxSessions: number;
  /** `refuse`: the new session is closed with 4429. `replace`: the oldest one is closed with 4000 in favour of the new. */
  readonly sessionCeiling: 'refuse' | 'replace';
  /** Where a notification carries its channel. */
  readonly envelope: EnvelopeStyle;
  /** Average market events per second; 0 stops the flow. */
  readonly rate: number;
  /** Seed of the market: the same seed and the same clock give the same frames. */
  readonly seed: number;
}

/** `quickstart`: no `jsonrpc`, echoes `method`. `jsonrpc`: as JSON-RPC 2.0 says. */
export type ReplyStyle = 'quickstart' | 'jsonrpc';

/** The documented behaviour of the venue; where the documentation is silent, the choice is described in docs/simulator.md. */
export const defaultOptions: VenueOptions = {
  clientId: 'demo',
  clientSecret: 'demo-secret',
  roles: ['trader'],
  exchangeSecret: 'exchange-demo-secret',
  tokenLife: undefined,
  refreshTokenLife: 1_800_000,
  rotateRefreshTokens: true,
  httpLimit: 1000,
  verifySignatures: false,
  signature: 'either',
  signatureSkew: 30_000,
  replyStyle: undefined,
  authRefusal: 'error',
  tokenInAuthReply: false,
  inPlaceRefresh: true,
  authTimeout: 10_000,
  heartbeatTimeout: 30_000,
  maxSessions: 4,
  sessionCeiling: 'refuse',
  envelope: 'params',
  rate: 5,
  seed: 1,
};
