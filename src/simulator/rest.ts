import type { Book, Rfq } from './book.ts';
import { httpError, json } from './http-reply.ts';
import type { VenueOptions } from './options.ts';
import type { HttpReply, HttpRequest } from './ports.ts';
import type { AccessToken, TokenIssuer } from './tokens.ts';

interface RestContext {
  readonly options: VenueOptions;
  readonly tokens: TokenIssuer;
  readonly book: Book;
  /** Unix ms. */
  readonly now: number;
  readonly hmacSha256: ((key: string, text: string) => string) | undefined;
}

/** Oldest timestamp, in seconds, that a signed request may carry; the venue's own limit is not documented. */
const signatureWindow = 30;

/** Answers a REST call other than those of the token endpoints. */
export function answerRest(context: RestContext, request: HttpRequest): HttpReply {
  const token = bearer(context, request);
  if (token === undefined) return httpError(401, 'Unauthorized', 'invalid or expired token');
  const signatureProblem = checkSignature(context, request);
  if (signatureProblem !== undefined) return httpError(401, 'Unauthorized', signatureProblem);

  const [path = '', query] = request.path.split('?', 2);
  if (request.method !== 'GET') return httpError(404, 'Not Found', `no such endpoint: ${request.method} ${path}`);
  if (path === '/v1/account/exchange-credentials') return exchangeCredentials(context.options, token);
  if (path === '/v1/rfq') return listRfqs(context.book, new URLSearchParams(query));
  const id = /^\/v1\/rfq\/(?<id>\d{1,15})$/.exec(path)?.groups?.['id'];
  const rfq = id === undefined ? undefined : context.book.find(Number(id));
  return rfq === undefined ? httpError(404, 'Not Found', `no such resource: ${path}`) : json(200, rfq);
}

/** The path under which requests are counted, with ids folded into one. */
export function countedPath(path: string): string {
  return (path.split('?')[0] ?? path).replace(/^(\/v1\/rfq\/)\d+$/, '$1:id');
}

function bearer(context: RestContext, request: HttpRequest): AccessToken | undefined {
  const value = /^Bearer (?<token>\S+)$/i.exec(request.headers['authorization'] ?? '')?.groups?.['token'];
  return value === undefined ? undefined : context.tokens.access(value);
}

/** What is wrong with the signature of a request, when signatures are verified. */
function checkSignature(context: RestContext, request: HttpRequest): string | undefined {
  if (!context.options.verifySignatures || context.hmacSha256 === undefined) return undefined;
  const timestamp = request.headers['x-fig-timestamp'] ?? '';
  const signature = request.headers['x-fig-signature'] ?? '';
  if (!/^\d+$/.test(timestamp)) return 'X-FIG-Timestamp must be unix seconds';
  if (Math.abs(context.now / 1000 - Number(timestamp)) > signatureWindow) return 'X-FIG-Timestamp is too far from now';
  // The documented examples sign the path without `/v1`, the text says the request URI: both are right here.
  const uris = [request.path, request.path.replace(/^\/v1(?=\/)/, '')];
  const { hmacSha256, options } = context;
  const expected = uris.map((uri) =>
    hmacSha256(options.clientSecret, [timestamp, request.method, uri, request.body].join('\n')),
  );
  return expected.includes(signature.toLowerCase()) ? undefined : 'X-FIG-Signature is wrong';
}

/** The two dialects differ; the token says which one the client speaks. */
function exchangeCredentials(options: VenueOptions, token: AccessToken): HttpReply {
  if (!options.roles.includes('trader')) return httpError(403, 'Forbidden', 'role "trader" is required');
  const common = { credentialsId: 2204, exchangeId: 1, alias: 'Simulated exchange account' };
  if (token.style === 'oauth2') {
    return json(200, [{ ...common, exchange: 'Deribit', exchangeShortCode: 'DBT', isExchangeDefault: true }]);
  }
  const secret = { clientId: 'exchange-demo', clientSecret: options.exchangeSecret };
  return json(200, { success: true, data: [{ ...common, ...secret }] });
}

const statuses: readonly string[] = [
  'open',
  'filled',
  'filledPartial',
  'cancelled',
  'expired',
] satisfies Rfq['status'][];

/** `GET /v1/rfq`: RFQs by time of creation, oldest first; `cursor` is `null` on the last page. */
function listRfqs(book: Book, query: URLSearchParams): HttpReply {
  const problems: string[] = [];
  const number = (name: string, fallback: number, low: number, high: number): number => {
    const text = query.get(name);
    if (text === null) return fallback;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= low && value <= high) return value;
    problems.push(`${name} must be an integer from ${low} to ${high}`);
    return fallback;
  };
  const startTime = number('startTime', 0, 0, Number.MAX_SAFE_INTEGER);
  const endTime = number('endTime', Number.MAX_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER);
  const limit = number('limit', 100, 1, 1000);
  const cursor = number('cursor', 0, 0, Number.MAX_SAFE_INTEGER);
  const role = query.get('role');
  if (role !== null && role !== 'maker' && role !== 'taker') problems.push('role must be maker or taker');
  const status = query.get('status')?.split(',');
  if (status?.some((name) => !statuses.includes(name))) problems.push(`status must be among ${statuses.join(', ')}`);
  if (problems.length > 0) return json(400, { code: 400, message: 'Bad Request', reason: problems });

  const baseCurrency = query.get('baseCurrency');
  const matching = book
    .all()
    .filter(
      (rfq) =>
        rfq.createdAt >= startTime &&
        rfq.createdAt <= endTime &&
        (role === null || rfq.role === role) &&
        (baseCurrency === null || rfq.baseCurrency === baseCurrency) &&
        (status === undefined || status.includes(rfq.status)),
    );
  const rest = matching.filter((rfq) => rfq.rfqId > cursor);
  const results = rest.slice(0, limit);
  const last = results.at(-1);
  return json(200, {
    totalResults: matching.length,
    cursor: rest.length > limit && last !== undefined ? String(last.rfqId) : null,
    results,
  });
}
