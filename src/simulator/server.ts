import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';
import { answerControl, controlPath } from './control.ts';
import { largestBody } from './http.ts';
import type { VenueOptions } from './options.ts';
import type { Activity, EventRecord, HttpReply, HttpRequest, SentRecord, TextReply } from './ports.ts';
import { openSentLog } from './sent-log.ts';
import { attach } from './socket-peer.ts';
import { jsonTokenPath, oauth2TokenPath } from './token-endpoints.ts';
import { Venue } from './venue.ts';

export interface SimulatorOptions extends Partial<VenueOptions> {
  /** TCP port; 0, the default, takes any free one. */
  readonly port?: number;
  /** Address to listen on; 127.0.0.1 by default. */
  readonly host?: string;
  /** File that receives every event frame sent, as NDJSON. */
  readonly sentLog?: string;
  readonly onSent?: (record: SentRecord) => void;
  readonly onEvent?: (record: EventRecord) => void;
  readonly onActivity?: (activity: Activity) => void;
}

/** A venue that listens on a port. */
export interface Simulator extends AsyncDisposable {
  readonly port: number;
  /** For `venue.restUrl`. */
  readonly restUrl: string;
  /** For `venue.tokenUrl` with `tokenStyle: json`. */
  readonly tokenUrl: string;
  /** For `venue.tokenUrl` with `tokenStyle: oauth2`. */
  readonly oauth2TokenUrl: string;
  /** For `venue.socketUrl` in the quickstart dialect. */
  readonly socketUrl: string;
  /** For `venue.socketUrl` in the platform dialect. */
  readonly platformSocketUrl: string;
  readonly venue: Venue;
  /** Cuts all connections, releases the port and completes the sent log. Calling it again waits for the same end. */
  close(): Promise<void>;
}

/** Largest WebSocket frame taken from a client, in bytes; the venue's calls are far smaller. */
const largestFrame = 1024 * 1024;

/**
 * Starts the simulated venue on real sockets, with its market flowing. Rejects with Node's error, code `EADDRINUSE` for
 * instance, when it cannot listen.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, host = '127.0.0.1', sentLog, onSent, onEvent, onActivity, ...venueOptions } = options;
  const server = createServer();
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: largestFrame,
    skipUTF8Validation: false,
  });
  const log = sentLog === undefined ? undefined : await openSentLog(sentLog);
  const address = await listen(server, port, host);
  /** Closing and reopening the listener take turns, however quickly the fault `down` comes and goes. */
  let listening = Promise.resolve();
  let closing: Promise<void> | undefined;

  const venue = new Venue(venueOptions, {
    clock: {
      now: () => Date.now(),
      setTimeout: (fn, ms) => setTimeout(fn, ms),
      clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
    },
    random: () => Math.random(),
    onSent: (record) => {
      log?.write(record);
      onSent?.(record);
    },
    ...(onEvent === undefined ? {} : { onEvent }),
    onActivity: (activity) => onActivity?.(activity),
    onAvailability: (up) => {
      if (closing !== undefined) return;
      listening = listening.then(async () => {
        if (up) await listen(server, address.port, host);
        else await stopListening(server);
      });
    },
  });

  server.on('request', (request, response) => {
    answer(venue, request, response).catch(() => response.destroy());
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const path = request.url ?? '/';
    // The venue may have gone down between the client's connection and its handshake.
    const verdict = venue.isDown ? undefined : venue.upgrade(path);
    if (verdict === undefined) socket.destroy();
    else if (!verdict.accepted) socket.end(rawReply(verdict));
    else sockets.handleUpgrade(request, socket, head, (ws) => attach(venue, ws, socket, path));
  });
  venue.start();

  const close = async (): Promise<void> => {
    venue.close();
    for (const ws of sockets.clients) ws.terminate();
    await listening;
    await stopListening(server);
    await log?.close();
  };
  const closeOnce = (): Promise<void> => {
    // In a turn of its own, so that faults that end by closing find it under way.
    closing ??= Promise.resolve().then(close);
    return closing;
  };
  const authority = `${host.includes(':') ? `[${host}]` : host}:${address.port}`;
  return {
    port: address.port,
    restUrl: `http://${authority}`,
    tokenUrl: `http://${authority}${jsonTokenPath}`,
    oauth2TokenUrl: `http://${authority}${oauth2TokenPath}`,
    socketUrl: `ws://${authority}/ws/v1`,
    platformSocketUrl: `ws://${authority}`,
    venue,
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

async function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  server.listen(port, host);
  // `once` rejects with the error that the server emits instead.
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a TCP port');
  return address;
}

/** Stops listening and cuts every HTTP connection; WebSockets are the venue's to cut. */
async function stopListening(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

async function answer(venue: Venue, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const call: HttpRequest = { method: request.method ?? 'GET', path: request.url ?? '/', headers, body };
  const reply = call.path.startsWith(controlPath) ? answerControl(venue, call) : await venue.request(call);
  // What is left of a body that was too large goes nowhere, so that the client can hear that it was.
  request.resume();
  await send(response, reply, call.method);
}

async function send(response: ServerResponse, { status, headers, body }: HttpReply, method: string): Promise<void> {
  const isWithout = method === 'HEAD' || status === 204 || status === 304;
  const content = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'content-length': content.length }) });
  if (isWithout) response.end();
  else if (content instanceof Uint8Array) response.end(content);
  else await pipeline(Readable.from(content.chunks()), response);
}

/** The body as far as it is taken: of one that is too large, more than that. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > largestBody) break;
  }
  return Buffer.concat(chunks);
}

/** A refused handshake, as HTTP/1.1 on the bare socket. */
function rawReply({ status, headers, body }: TextReply): string {
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' });
  return `HTTP/1.1 ${status} Refused\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}
