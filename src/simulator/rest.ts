import { pathOf } from '../protocol/path.ts';
import type { Book, Rfq } from './book.ts';
import { answerEcho, echoPath } from './echo.ts';
import { badRequest, httpError, json } from './http-reply.ts';
import type { VenueOptions } from './options.ts';
import type { HttpReply, HttpRequest } from './ports.ts';
import { Query } from './query.ts';
import { signatureProblem } from './rest-signature.ts';
import { count, type VenueStats } from './stats.ts';
import type { AccessToken, TokenIssuer } from './tokens.ts';

interface RestContext {
  readonly options: VenueOptions;
  readonly tokens: TokenIssuer;
  readonly book: Book;
  /** Unix ms. */
  readonly now: number;
  readonly stats: VenueStats;
}

/** Answers a REST call other than those of the token endpoints. */
export function answerRest(context: RestContext, request: HttpRequest): HttpReply {
  const token = bearer(context, request);
  if (token === undefined) return httpError(401, 'Unauthorized', 'invalid or expired token');
  const { options, now, stats } = context;
  const problem = options.verifySignatures ? signatureProblem(options, request, now) : undefined;
  if (problem !== undefined) {
    stats.signatures.refused += 1;
    return httpError(401, 'Unauthorized', problem);
  }
  if (options.verifySignatures) count(stats.signatures.accepted, countedPath(request.path));

  const path = pathOf(request.path);
  if (isEcho(path)) return answerEcho(stats, request);
  if (request.method !== 'GET') return httpError(404, 'Not Found', `no such endpoint: ${request.method} ${path}`);
  if (path === '/v1/account/exchange-credentials') return exchangeCredentials(options, token);
  if (path === '/v1/rfq') return listRfqs(context.book, new Query(request.path));
  const id = /^\/v1\/rfq\/(?<id>\d{1,15})$/.exec(path)?.groups?.['id'];
  const rfq = id === undefined ? undefined : context.book.find(Number(id));
  return rfq === undefined ? httpError(404, 'Not Found', `no such resource: ${path}`) : json(200, rfq);
}

/** The path under which requests are counted, with ids folded into one. */
export function countedPath(path: string): string {
  const pathname = pathOf(path);
  return isEcho(pathname) ? echoPath : pathname.replace(/^(\/v1\/rfq\/)\d+$/, '$1:id');
}

function isEcho(path: string): boolean {
  return path === echoPath || path.startsWith(`${echoPath}/`);
}

function bearer(context: RestContext, request: HttpRequest): AccessToken | undefined {
  const value = /^Bearer (?<token>\S+)$/i.exec(request.headers['authorization'] ?? '')?.groups?.['token'];
  return value === undefined ? undefined : context.tokens.access(value);
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
function listRfqs(book: Book, query: Query): HttpReply {
  const { parameters, problems } = query;
  const startTime = query.number('startTime', 0, Number.MAX_SAFE_INTEGER, 0);
  const endTime = query.number('endTime', 0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const limit = query.number('limit', 1, 1000, 100);
  const cursor = query.number('cursor', 0, Number.MAX_SAFE_INTEGER, 0);
  const role = parameters.get('role');
  if (role !== null && role !== 'maker' && role !== 'taker') problems.push('role must be maker or taker');
  const status = parameters.get('status')?.split(',');
  if (status?.some((name) => !statuses.includes(name))) problems.push(`status must be among ${statuses.join(', ')}`);
  if (problems.length > 0) return badRequest(problems);

  const baseCurrency = parameters.get('baseCurrency');
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
