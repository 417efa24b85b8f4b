import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';

/** The connection of a contender. Events are written to the stream below the WebSocket, as frames made before. */
export interface Connection {
  readonly webSocket: WebSocket;
  readonly stream: Duplex;
}

const tokenLifeSeconds = 86_400;
const waitMs = 15_000;

/**
 * The venue as far as figd needs it: tokens, an empty list of RFQs, and sockets that confirm every call. Each contender
 * has a base path of its own, so that the feed can address one at a time.
 */
export class FeedVenue {
  readonly #http: Server = createServer((request, response) => answerHttp(request, response));
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #subscribed = new Map<string, Connection>();
  #changed = Promise.withResolvers<void>();

  constructor() {
    this.#http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      const target = (request.url ?? '').split('/')[1] ?? '';
      this.#sockets.handleUpgrade(request, stream, head, (webSocket) => this.#accept(target, { webSocket, stream }));
    });
  }

  /** @returns the port */
  async listen(): Promise<number> {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    return (this.#http.address() as AddressInfo).port;
  }

  /** The connection of a contender that has subscribed. @throws when there is none within 15 s */
  async connection(target: string): Promise<Connection> {
    const deadline = Date.now() + waitMs;
    for (;;) {
      const found = this.#subscribed.get(target);
      if (found !== undefined) return found;
      const timer = setTimeout(() => this.#wake(), deadline - Date.now());
      await this.#changed.promise;
      clearTimeout(timer);
      if (Date.now() >= deadline) throw new Error(`${target} has not subscribed`);
    }
  }

  #accept(target: string, connection: Connection): void {
    const { webSocket } = connection;
    webSocket.on('message', (data) => {
      const call = readCall(data);
      webSocket.send(JSON.stringify({ jsonrpc: '2.0', id: call.id, result: resultOf(call) }));
      if (call.method !== 'v1/subscribe') return;
      this.#subscribed.set(target, connection);
      this.#wake();
    });
    webSocket.on('error', () => webSocket.terminate());
    webSocket.on('close', () => {
      if (this.#subscribed.get(target) === connection) this.#subscribed.delete(target);
    });
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

interface VenueCall {
  readonly id: number;
  readonly method: string;
  readonly params: { readonly channels?: readonly string[] };
}

function readCall(data: RawData): VenueCall {
  return JSON.parse(data.toString());
}

function resultOf({ method, params }: VenueCall): object {
  if (method === 'heartbeat') return { time: Date.now() };
  if (method === 'v1/subscribe') return { status: 'subscribed', channels: params.channels ?? [] };
  return { success: true };
}

function answerHttp(request: IncomingMessage, response: ServerResponse): void {
  const isToken = request.method === 'POST';
  const body = isToken
    ? { access_token: 'a-token-of-the-feed', token_type: 'Bearer', expires_in: tokenLifeSeconds }
    : { results: [] };
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
