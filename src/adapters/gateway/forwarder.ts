import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { CallerId } from '../../gateway/caller.ts';
import { type HeaderList, headersToVenue } from '../../gateway/http-headers.ts';
import { notAllowedMessage, type Permissions } from '../../gateway/permissions.ts';
import type { RequestBudget, Slip } from '../../gateway/request-budget.ts';
import type { Clock } from '../../protocol/clock.ts';
import { FailureError } from '../../protocol/failure.ts';
import { pathOf } from '../../protocol/path.ts';
import { cut } from '../../protocol/text.ts';
import type { BytePool } from '../byte-pool.ts';
import { networkFailure } from '../http-failures.ts';
import { rateLimitOf } from '../rate-limit-headers.ts';
import type { RestEntrance, RestTarget } from '../rest-entrance.ts';
import type { AccessToken, Vault } from '../vault.ts';
import { BodyShare } from './body-share.ts';
import { type AnswerTaker, Exchange, type ExchangeEnd, ExchangeError } from './exchange.ts';
import { GivenUp, Patience } from './patience.ts';
import { Refusal } from './refusal.ts';
import { gathered, type IncomingBody, passing } from './request-body.ts';

/** Gets newer tokens than one that the venue has refused. */
export interface TokenRenewal {
  /** Resolves with whether there is a token newer than that generation, or was none within so many milliseconds. */
  beyond(generation: number, ms: number): Promise<boolean>;
  /** Resolves with whether there is a token, which may be on its way for so many milliseconds. */
  present(ms: number): Promise<boolean>;
  /** A call that was refused is not any more, now that there is a newer token. */
  helped(): void;
}

export interface ForwarderPorts {
  readonly entrance: RestEntrance;
  readonly dispatcher: () => Dispatcher;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly budget: RequestBudget;
  readonly permissions: Permissions;
  readonly renewal: TokenRenewal;
  readonly bodies: BytePool;
  readonly settings: () => ForwarderSettings;
}

export interface ForwarderSettings {
  /** Milliseconds until the head of an answer. */
  readonly timeout: number;
  /** Bytes of a body held in memory at most. */
  readonly maxBody: number;
}

export interface ForwardRequest {
  /** Who asks: callers share the limit of the venue fairly. */
  readonly caller: CallerId;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: IncomingBody | Buffer | null;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']);
/** RFC 9110, 9.2.2: sent twice they do what they do once. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** A body of an idempotent request is kept so that it can be sent again; a larger one is passed on as it comes. */
const mostRepeatable = 1_048_576;

const longestMethodTold = 32;
/** RFC 9110, 4.1, asks for 8,000 at least; common servers take 8 KiB. */
const longestTarget = 8_192;
/** Printable ASCII without blanks, as a request target has it (RFC 9112, 3.2). */
const targetForm = /^\/(?!\/)[\x21-\x7e]*$/;

interface Job {
  readonly request: ForwardRequest;
  readonly target: RestTarget;
  readonly body: Buffer | Readable | null;
  readonly patience: Patience;
  readonly past: Past;
}

/** What became of the attempts at a request so far. */
interface Past {
  /** Whether the venue may have got one of them without an answer having come. */
  wasSent: boolean;
}

/**
 * Sends the calls of local programs to the venue's REST API with figd's token and signature. A request is sent once; one
 * that is idempotent is sent once more where its token was refused, or its connection broke before an answer came.
 */
export class Forwarder {
  readonly #ports: ForwarderPorts;

  constructor(ports: ForwarderPorts) {
    this.#ports = ports;
  }

  /**
   * Forwards one request and hands on the answer as it comes, whatever its status.
   * @throws {Refusal} while nothing was handed on: it may not be called, or there is no answer to it
   */
  async forward(request: ForwardRequest, taker: AnswerTaker): Promise<void> {
    const { clock, settings } = this.#ports;
    const target = this.#targetOf(request);
    const patience = new Patience(clock, settings().timeout, request.signal);
    using share = new BodyShare(this.#ports.bodies);
    const past: Past = { wasSent: false };
    try {
      const body = await this.#bodyOf(request, share);
      await this.#send({ request, target, body, patience, past }, untilHead(taker, patience));
    } catch (error) {
      throw this.#refusal(error, request, patience, past);
    } finally {
      patience.end();
    }
  }

  /** @throws {Refusal} 400, 403, 414 or 501 */
  #targetOf({ method, path }: ForwardRequest): RestTarget {
    if (!methods.has(method)) {
      throw new Refusal(
        501,
        'bad-request',
        `method is one of ${[...methods].join(', ')}, not ${cut(method, longestMethodTold)}`,
      );
    }
    if (path.length > longestTarget) {
      const message = `the path with its query has ${path.length} characters, and ${longestTarget} may be sent`;
      throw new Refusal(414, 'bad-request', message);
    }
    if (!targetForm.test(path)) {
      throw new Refusal(400, 'bad-request', 'the path begins with one / and has no blanks, such as /v1/rfq?limit=10');
    }
    const target = this.#addressOf(path);
    const bare = pathOf(target.uri);
    if (!this.#ports.permissions.allowsRest(method, bare)) {
      throw new Refusal(403, 'not-allowed', notAllowedMessage(`${method} ${bare}`));
    }
    return target;
  }

  /** @throws {Refusal} 400 */
  #addressOf(path: string): RestTarget {
    try {
      return this.#ports.entrance.target(path);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      throw new Refusal(400, 'bad-request', error.message);
    }
  }

  /** What is signed, or may have to be sent again, has to be there as a whole; the rest passes as it comes. */
  async #bodyOf({ method, body }: ForwardRequest, share: BodyShare): Promise<Buffer | Readable | null> {
    if (body === null || Buffer.isBuffer(body)) return body;
    const isRepeatable = idempotent.has(method) && body.length !== null && body.length <= mostRepeatable;
    if (!this.#ports.entrance.isSigned && !isRepeatable) return passing(body);
    return gathered(body, this.#ports.settings().maxBody, share);
  }

  async #send(job: Job, taker: AnswerTaker): Promise<void> {
    const { request, body, patience, past } = job;
    let repeats = idempotent.has(request.method) && (body === null || Buffer.isBuffer(body)) ? 1 : 0;
    let isRenewed = false;
    for (;;) {
      const { exchange, token } = await this.#begin(job, taker, repeats > 0);
      let end: ExchangeEnd;
      try {
        end = await exchange.ended;
      } catch (error) {
        past.wasSent ||= error instanceof ExchangeError && error.isSent;
        if (repeats === 0 || patience.signal.aborted || !isBroken(error)) throw error;
        repeats -= 1;
        continue;
      }
      if (isRenewed && !exchange.isRefused) this.#ports.renewal.helped();
      if (end !== 'held back') return;
      if (!(await this.#ports.renewal.beyond(token.generation, patience.left))) {
        exchange.handHeld();
        return;
      }
      isRenewed = true;
      repeats -= 1;
    }
  }

  /** Sends the request as soon as the limit of the venue allows, with the token in use then. */
  async #begin(
    job: Job,
    taker: AnswerTaker,
    holdsRefusal: boolean,
  ): Promise<{ readonly exchange: Exchange; readonly token: AccessToken }> {
    const { dispatcher, clock, settings } = this.#ports;
    const { request, target, body, patience } = job;
    // Whoever waits for room should do so for a call that can be made.
    if (!(await this.#ports.renewal.present(patience.left))) throw noToken();
    const slip = await this.#room(job);
    const token = this.#token(slip);
    const exchange = new Exchange(taker, (head) => slip.answered(rateLimitOf(head, clock.wall())), holdsRefusal);
    const giveUp = () => exchange.abort(patience.signal.reason as Error);
    patience.signal.addEventListener('abort', giveUp);
    exchange.ended
      .catch((error: ExchangeError) => (error.isSent ? slip.failed() : slip.unsent()))
      .finally(() => patience.signal.removeEventListener('abort', giveUp));
    dispatcher().dispatch(
      {
        origin: target.origin,
        path: target.path,
        method: request.method,
        headers: this.#headers(job, token),
        body,
        // Patience ends an exchange without an answer; an answer that stands still is ended here.
        headersTimeout: 0,
        bodyTimeout: settings().timeout,
      },
      exchange,
    );
    return { exchange, token };
  }

  #room({ request: { caller }, patience }: Job): Slip | Promise<Slip> {
    const { budget } = this.#ports;
    const { signal } = patience;
    return budget.tryEnter('caller', caller) ?? budget.enter('caller', caller, { ms: patience.left, signal });
  }

  #headers({ request, target, body }: Job, token: AccessToken): string[] {
    const { entrance, clock } = this.#ports;
    const headers = headersToVenue(request.headers);
    const signed = { method: request.method, target: target.uri, body: Buffer.isBuffer(body) ? body : '' };
    for (const [name, value] of Object.entries(entrance.proof(token.value, signed, clock.wall()))) {
      headers.push(name, value);
    }
    const isStream = body !== null && !Buffer.isBuffer(body);
    const length = isStream && request.body !== null && !Buffer.isBuffer(request.body) ? request.body.length : null;
    if (length !== null) headers.push('content-length', String(length));
    return headers;
  }

  #token(slip: Slip): AccessToken {
    const { vault, clock } = this.#ports;
    const token = vault.tokenAt(clock.monotonic());
    if (token !== null) return token;
    slip.unsent();
    throw noToken();
  }

  /** What figd answers in the place of the venue. */
  #refusal(
    error: unknown,
    { method, path }: ForwardRequest,
    { signal, ms }: Patience,
    { wasSent: sent }: Past,
  ): unknown {
    if (error instanceof Refusal) {
      const { status, code, message, retryAfterMs } = error;
      return sent ? new Refusal(status, code, `${message}; ${fate(sent)}`, { retryAfterMs, sent }) : error;
    }
    const what = `${method} ${pathOf(path)}`;
    if (signal.aborted && signal.reason instanceof GivenUp) {
      const message = `${what}: no answer within ${ms} ms (gateway.timeout); ${fate(sent)}`;
      return new Refusal(504, 'reply-timeout', message, { sent });
    }
    if (error instanceof FailureError) {
      const { code, message, retryAfterMs } = error.failure;
      const told = sent ? `${message}; ${fate(sent)}` : message;
      return new Refusal(code === 'rate-limited' ? 429 : 503, code, told, { retryAfterMs, sent });
    }
    if (!(error instanceof ExchangeError)) return error;
    const found = networkFailure(what, error.cause);
    return new Refusal(502, found.code, `${found.message}; ${fate(sent)}`, { sent });
  }
}

/** From the head of the answer on nobody waits for it any more. */
function untilHead(taker: AnswerTaker, patience: Patience): AnswerTaker {
  return {
    head: (status, reason, headers) => {
      patience.headCame();
      taker.head(status, reason, headers);
    },
    data: (chunk, resume) => taker.data(chunk, resume),
    end: () => taker.end(),
    broken: (error) => taker.broken(error),
  };
}

function noToken(): Refusal {
  return new Refusal(503, 'no-token', 'figd has no access token at present; `figd status` says why');
}

function fate(isSent: boolean): string {
  return isSent ? 'the venue may have got the request' : 'the request was not sent';
}

/** The connection ended, as one does that was kept open and not used for a while. */
function isBroken(error: unknown): boolean {
  return error instanceof ExchangeError && networkFailure('', error.cause).code === 'connection-lost';
}
