import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AccessRecord } from '../../gateway/access-record.ts';
import { headersToCaller } from '../../gateway/http-headers.ts';
import type { Clock } from '../../protocol/clock.ts';
import { pathOf } from '../../protocol/path.ts';
import { listenLocally, listenOnInherited } from '../local-sockets.ts';
import { CallerConnection } from './caller-connection.ts';
import type { AnswerTaker } from './exchange.ts';
import type { Forwarder } from './forwarder.ts';
import { Refusal } from './refusal.ts';
import type { IncomingBody } from './request-body.ts';

export interface GatewayServerPorts {
  readonly forwarder: Pick<Forwarder, 'forward'>;
  readonly clock: Clock;
  /** Milliseconds without reading after which a caller is cut off whose answers wait. */
  readonly timeout: () => number;
  /** Told of each call once its answer is on its way, or nobody waits for it any more. */
  readonly onAccess: (record: AccessRecord) => void;
  readonly onBug: (error: unknown) => void;
}

/** Whoever may open the socket may use the key: the owner and a group of its choice. */
const gatewayMode = 0o660;
const mostConnections = 256;
/** A caller that begins a head or a body has so long to end it, in milliseconds. */
const headTimeoutMs = 10_000;
const requestTimeoutMs = 120_000;
/** Longer than the pools of common HTTP clients keep a connection, so that they close it and not we under their feet. */
const keepAliveMs = 75_000;
const closeGraceMs = 1_000;

/**
 * `gateway.sock`: the venue's REST API as plain HTTP on a Unix socket. A client needs a base URL and nothing else; what
 * it says of authorization, figd says instead.
 */
export class GatewayServer {
  readonly #ports: GatewayServerPorts;
  readonly #server: Server;
  readonly #connections = new WeakMap<Socket, CallerConnection>();
  #lastId = 0;
  #inFlight = 0;

  constructor(ports: GatewayServerPorts) {
    this.#ports = ports;
    this.#server = createServer(
      { keepAliveTimeout: keepAliveMs, headersTimeout: headTimeoutMs, requestTimeout: requestTimeoutMs },
      (request, response) => {
        const connection = this.#connections.get(request.socket);
        if (connection !== undefined) void this.#serve(request, response, connection);
      },
    );
    this.#server.maxConnections = mostConnections;
    this.#server.on('connection', (socket: Socket) => {
      this.#lastId += 1;
      this.#connections.set(socket, new CallerConnection(`gateway-${this.#lastId}`, socket, ports));
    });
  }

  /** Calls that are not answered yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** @throws {AlreadyRunningError | LocalPathError} */
  async start(path: string, inherited?: number): Promise<void> {
    if (inherited === undefined) await listenLocally(path, gatewayMode, this.#server);
    else await listenOnInherited(inherited, this.#server);
    // A connection that could not be accepted is its client's trouble, not ours.
    this.#server.on('error', this.#ports.onBug);
  }

  /** Lets what is under way end, a second at most. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const deadline = setTimeout(() => this.#server.closeAllConnections(), closeGraceMs);
    await closed;
    clearTimeout(deadline);
  }

  async #serve(request: IncomingMessage, response: ServerResponse, connection: CallerConnection): Promise<void> {
    const { forwarder, clock, onAccess, onBug } = this.#ports;
    const beganAt = clock.monotonic();
    const caller = connection.id;
    const { method = 'GET' } = request;
    const path = originForm(request.url ?? '/');
    const leaving = new AbortController();
    let status = 'caller-gone';
    this.#inFlight += 1;
    const turn = connection.enter(response, () => {
      this.#inFlight -= 1;
      if (!response.writableFinished) leaving.abort();
      if (connection.isCutOff) status = 'answer-unread';
      onAccess({ door: 'rest', caller, method, path: pathOf(path), status, ms: clock.monotonic() - beganAt });
    });
    response.sendDate = false;
    const taker = taking(response, connection, (told) => {
      status = String(told);
    });
    await turn;
    if (leaving.signal.aborted) return;
    try {
      const forwarded = { caller, method, path, headers: request.rawHeaders, body: bodyOf(request) };
      await forwarder.forward({ ...forwarded, signal: leaving.signal }, taker);
    } catch (error) {
      if (!(error instanceof Refusal)) onBug(error);
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'internal', 'internal failure in figd');
      status = refusal.code;
      refuse(request, response, refusal);
    }
  }
}

/** RFC 9112, 3.2.2: a server takes the absolute form too, as proxies are asked. */
function originForm(target: string): string {
  const match = /^https?:\/\/[^/?#]*(?<rest>.*)$/i.exec(target);
  const rest = match?.groups?.['rest'];
  if (rest === undefined) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** RFC 9112, 6.3: a request has a body where its headers say how it is framed. */
function bodyOf(request: IncomingMessage): IncomingBody | null {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (coding !== undefined) return { stream: request, length: null };
  return length === undefined || Number(length) === 0 ? null : { stream: request, length: Number(length) };
}

function taking(
  response: ServerResponse,
  connection: CallerConnection,
  onStatus: (status: number) => void,
): AnswerTaker {
  return {
    head: (status, reason, headers) => {
      onStatus(status);
      // Head and first part of the body go out together.
      response.cork();
      response.writeHead(status, carried(reason), headersToCaller(headers));
      process.nextTick(() => response.uncork());
    },
    data: (chunk, resume) => {
      if (response.write(chunk)) return true;
      connection.whenRead(response, resume);
      return false;
    },
    end: () => response.end(),
    // The caller must see that something is missing: an answer without its end, and no connection.
    broken: () => response.destroy(),
  };
}

/** A reason as a status line may hold it (RFC 9112, 4): it was read as UTF-8, and is written as octets. */
function carried(reason: string): string {
  return Buffer.from(reason)
    .toString('latin1')
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
}

/** In the venue's own form of an error, so that generated clients can read it. */
function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, code, message, retryAfterMs, sent } = refusal;
  const body = JSON.stringify({ code: status, message: `figd: ${message}`, reason: [code], figd: { code, sent } });
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-figd-error': code,
    ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
    // What was not read of the body would be taken for the next request.
    ...(request.complete ? {} : { connection: 'close' }),
  });
  response.end(body);
}
