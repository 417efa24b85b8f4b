import { addressRefusal } from './faults.ts';
import { bodyText, httpError, json } from './http-reply.ts';
import type { VenueOptions } from './options.ts';
import type { HttpReply, HttpRequest } from './ports.ts';
import { isRecord } from './rpc.ts';
import type { TokenGrant } from './stats.ts';
import type { TokenIssuer, TokenStyle } from './tokens.ts';

/** Path of the quickstart's token endpoint. */
export const jsonTokenPath = '/v1/auth';

/** Path of the OAuth2 token endpoint, that of Keycloak. */
export const oauth2TokenPath = '/realms/figmarkets-api/protocol/openid-connect/token';

/** A reply of a token endpoint, and how it is counted. */
export interface TokenReply {
  readonly grant: TokenGrant;
  readonly outcome: 'issued' | 'refused';
  readonly reply: HttpReply;
}

interface TokenContext {
  readonly options: VenueOptions;
  readonly tokens: TokenIssuer;
  /** Whether credentials are refused whatever they are. */
  readonly refuseAll: boolean;
  /** Whether the client's address is not on the allow-list of its key. */
  readonly refuseAddress: boolean;
  tokenLife(style: TokenStyle): number;
}

/** `POST /v1/auth`: JSON credentials in, an access token out. */
export function answerJsonTokenRequest(context: TokenContext, request: HttpRequest): TokenReply {
  const refused = (status: number, message: string, reason: string): TokenReply => ({
    grant: 'json',
    outcome: 'refused',
    reply: httpError(status, message, reason),
  });
  const credentials = parseJson(bodyText(request.body));
  if (!isRecord(credentials)) return refused(400, 'Bad Request', 'body must be a JSON object');
  const { clientId, clientSecret } = credentials;
  if (typeof clientId !== 'string') return refused(400, 'Bad Request', 'clientId must be a string');
  if (typeof clientSecret !== 'string') return refused(400, 'Bad Request', 'clientSecret must be a string');
  if (!areKnown(context, clientId, clientSecret)) return refused(401, 'Unauthorized', 'invalid credentials');
  if (context.refuseAddress) return refused(403, 'Forbidden', addressRefusal);
  const life = context.tokenLife('json');
  const token = context.tokens.issueAccess(clientId, 'json', life);
  return {
    grant: 'json',
    outcome: 'issued',
    reply: json(200, { access_token: token.value, token_type: 'Bearer', expires_in: life / 1000 }),
  };
}

/** The OAuth2 token endpoint: grants `client_credentials` and `refresh_token`, form-encoded, with Keycloak's errors. */
export function answerOauth2TokenRequest(context: TokenContext, request: HttpRequest): TokenReply {
  const form = new URLSearchParams(bodyText(request.body));
  const grantType = form.get('grant_type');
  const grant = grantType === 'client_credentials' || grantType === 'refresh_token' ? grantType : 'other';
  const refused = (status: number, error: string, description: string): TokenReply => ({
    grant,
    outcome: 'refused',
    reply: json(status, { error, error_description: description }),
  });
  const clientId = form.get('client_id') ?? '';
  if (!areKnown(context, clientId, form.get('client_secret') ?? '')) {
    return refused(401, 'invalid_client', 'Invalid client or Invalid client credentials');
  }
  if (context.refuseAddress) return refused(403, 'access_denied', addressRefusal);
  if (grantType === null) return refused(400, 'invalid_request', 'Missing form parameter: grant_type');
  if (grant === 'other') return refused(400, 'unsupported_grant_type', 'Unsupported grant_type');

  const presented = grant === 'refresh_token' ? form.get('refresh_token') : undefined;
  if (presented === null) return refused(400, 'invalid_request', 'No refresh token');
  if (presented !== undefined) {
    if (context.tokens.refresh(presented)?.clientId !== clientId) {
      return refused(400, 'invalid_grant', 'Token is not active');
    }
    if (context.options.rotateRefreshTokens) context.tokens.revokeRefresh(presented);
  }
  const life = context.tokenLife('oauth2');
  const access = context.tokens.issueAccess(clientId, 'oauth2', life);
  const refresh = context.tokens.issueRefresh(clientId, context.options.refreshTokenLife);
  return {
    grant,
    outcome: 'issued',
    reply: json(200, {
      access_token: access.value,
      expires_in: life / 1000,
      refresh_expires_in: context.options.refreshTokenLife / 1000,
      refresh_token: refresh.value,
      token_type: 'Bearer',
      'not-before-policy': 0,
      scope: 'profile email',
    }),
  };
}

function areKnown({ options, refuseAll }: TokenContext, clientId: string, clientSecret: string): boolean {
  return !refuseAll && clientId === options.clientId && clientSecret === options.clientSecret;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
