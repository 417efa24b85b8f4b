import type { Book } from './book.ts';
import type { FaultBoard } from './fault-board.ts';
import { addressRefusal } from './faults.ts';
import { httpError, json } from './http-reply.ts';
import type { VenueOptions } from './options.ts';
import type { Activity, Clock, HttpReply, HttpRequest, TextReply } from './ports.ts';
import type { RateVerdict, SlidingWindow } from './rate-limit.ts';
import { answerRest, countedPath } from './rest.ts';
import { count, remember, type VenueStats } from './stats.ts';
import {
  answerJsonTokenRequest,
  answerOauth2TokenRequest,
  jsonTokenPath,
  oauth2TokenPath,
  type TokenReply,
} from './token-endpoints.ts';
import type { TokenIssuer, TokenStyle } from './tokens.ts';

/** What the HTTP side of the venue needs. */
export interface HttpContext {
  readonly clock: Clock;
  readonly options: VenueOptions;
  readonly tokens: TokenIssuer;
  readonly faults: FaultBoard;
  readonly stats: VenueStats;
  readonly book: Book;
  readonly limiter: SlidingWindow;
  tokenLife(style: TokenStyle): number;
  readonly onActivity: (activity: Activity) => void;
}

/** Largest HTTP body taken from a client, in bytes; the venue's own calls are far smaller. */
export const largestBody = 64 * 1024 * 1024;

/** Answers an HTTP request and counts it; the documented order is limits first, then authentication, then the call. */
export function answerHttp(context: HttpContext, request: HttpRequest): HttpReply {
  const { stats, limiter, clock } = context;
  const path = countedPath(request.path);
  count(stats.requestsByPath, path);
  if (path === jsonTokenPath || path === oauth2TokenPath) remember(stats.tokenRequestTimes, clock.now());

  const verdict = limiter.admit(clock.now());
  if (!verdict.allowed) stats.rateLimited += 1;
  const reply =
    faultyReply(context, request.path) ??
    (verdict.allowed ? route(context, request, path) : tooMany(verdict, clock.now()));
  if (reply.status >= 400) {
    count(stats.httpErrors, String(reply.status));
    context.onActivity({ event: 'http-error', method: request.method, path, status: reply.status });
  }
  // A fault's own limit headers win over the true ones.
  return { ...reply, headers: { ...limitHeaders(verdict), ...reply.headers } };
}

/** The reply that the fault `http-status` prescribes for a path, if it is in force. */
export function faultyReply(context: HttpContext, path: string): TextReply | undefined {
  const fault = context.faults.take('http-status', ({ path: prefix = '/' }) => path.startsWith(prefix));
  if (fault === undefined) return undefined;
  const now = context.clock.now();
  const headers = fault.retryAfterS === undefined ? {} : { 'retry-after': String(fault.retryAfterS) };
  const { limit } = context.limiter;
  if (fault.status === 429) {
    const wait = fault.resetInS ?? fault.retryAfterS ?? 60;
    const reply = tooMany({ allowed: false, limit, remaining: 0, reset: Math.ceil(now / 1000) + wait }, now);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  }
  const reset =
    fault.resetInS === undefined ? {} : { 'x-ratelimit-reset': String(Math.ceil(now / 1000) + fault.resetInS) };
  const message = reasonPhrases[fault.status] ?? 'Error';
  const body = { code: fault.status, message, reason: ['simulated fault'] };
  return json(fault.status, body, { ...headers, ...reset });
}

const reasonPhrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

function route(context: HttpContext, request: HttpRequest, path: string): HttpReply {
  if (request.body.length > largestBody) {
    return httpError(413, 'Content Too Large', `the body has more than ${largestBody} bytes`);
  }
  if (request.method === 'POST' && path === jsonTokenPath) {
    return token(context, request, answerJsonTokenRequest);
  }
  if (request.method === 'POST' && path === oauth2TokenPath) {
    return token(context, request, answerOauth2TokenRequest);
  }
  if (context.faults.refusesAddress('rest')) return httpError(403, 'Forbidden', addressRefusal);
  const { options, tokens, book, stats } = context;
  return answerRest({ options, tokens, book, stats, now: context.clock.now() }, request);
}

function token(context: HttpContext, request: HttpRequest, answer: typeof answerJsonTokenRequest): HttpReply {
  const refuseAll = context.faults.take('refuse-credentials') !== undefined;
  const refuseAddress = context.faults.refusesAddress('token');
  const { options, tokens, tokenLife } = context;
  const { grant, outcome, reply }: TokenReply = answer(
    { options, tokens, tokenLife, refuseAll, refuseAddress },
    request,
  );
  context.stats.tokenRequests[grant][outcome] += 1;
  context.onActivity({ event: 'token', grant, outcome });
  return reply;
}

function tooMany(verdict: RateVerdict, now: number): TextReply {
  const { limit, reset } = verdict;
  const wait = Math.max(0, reset - Math.floor(now / 1000));
  const message = `Rate limit exceeded, try again in ${wait} s`;
  const body = { error: 'Too Many Requests', message, limit, window: 60, reset };
  return json(429, body, limitHeaders(verdict));
}

function limitHeaders(verdict: RateVerdict): Readonly<Record<string, string>> {
  return {
    'x-ratelimit-limit': String(verdict.limit),
    'x-ratelimit-remaining': String(verdict.remaining),
    'x-ratelimit-reset': String(verdict.reset),
  };
}
