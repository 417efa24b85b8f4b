import { type ClientOptions, WebSocket } from 'ws';
import { type Failure, failure } from '../protocol/failure.ts';
import { networkFailure, type Quote, statusFailure } from './http-failures.ts';
import { connectionThrough, proxyTo } from './proxy-tunnel.ts';
import { bodyOfRefusal, refusalPatienceMs } from './refusal-body.ts';
import { closeFailure } from './socket-failures.ts';
import { handshakeRefusals } from './wire-codes.ts';

/** A connection to the venue as the session sees it; a WebSocket in life, a pair of queues in a simulation. */
export interface Transport {
  /** @throws where the connection is not open */
  send(text: string): void;
  /** Starts the closing handshake. */
  hangUp(): void;
  /** Ends the connection at once and reports nothing any more. */
  cut(): void;
}

export interface TransportHandlers {
  readonly opened: () => void;
  readonly frame: (bytes: Uint8Array) => void;
  /**
   * Called once, unless the connection was cut. `isComplete`: it ended with a close frame, so that everything the other
   * side had sent before has arrived.
   */
  readonly closed: (failure: Failure, isComplete: boolean) => void;
}

export type OpenTransport = (handlers: TransportHandlers) => Transport;

export interface VenueSocketOptions {
  readonly url: string;
  /** Milliseconds for the opening handshake, asked for at each dial. */
  readonly connectTimeout: () => number;
  readonly quote: Quote;
  /** Unix milliseconds. */
  readonly wall: () => number;
  /** Through which another host than this machine is reached. */
  readonly proxy?: URL | null;
}

/** Far above any documented payload (about 1.4 kB); a larger frame ends the session with 1009. */
export const largestFrameBytes = 16 * 1024 * 1024;
const normalClosure = 1000;
/** RFC 6455, 7.1.5: the connection ended and no close frame had come. */
const withoutCloseFrame = 1006;
const longestErrorBody = 4_096;

/** Opens WebSockets to the venue. */
export function venueSocket({ url, connectTimeout, quote, wall, proxy = null }: VenueSocketOptions): OpenTransport {
  const { host, hostname } = new URL(url);
  const way = proxyTo(hostname, proxy);
  return ({ opened, frame, closed }) => {
    const timeoutMs = connectTimeout();
    const given = new AbortController();
    const socket = new WebSocket(url, {
      // Small frames, and latency counts: deflate would cost more than it saves, and a context of memory a session.
      perMessageDeflate: false,
      // Checked where frames are read, so that one bad frame is an event and not the end of the session.
      skipUTF8Validation: true,
      maxPayload: largestFrameBytes,
      handshakeTimeout: timeoutMs,
      followRedirects: false,
      ...(way === null ? {} : throughProxy(way, timeoutMs, given.signal)),
    });
    let cause: Failure | null = null;
    let isOver = false;

    const cut = () => {
      // The body of a refused handshake goes on by itself: what comes of it must not be reported any more.
      isOver = true;
      given.abort();
      release(socket);
      socket.terminate();
    };
    const end = (found: Failure, isComplete = false) => {
      if (isOver) return;
      cut();
      closed(found, isComplete);
    };

    socket.on('open', opened);
    socket.on('message', (data: Buffer) => frame(data));
    socket.on('unexpected-response', (_request, response) => {
      const { statusCode: status = 0, headers } = response;
      // What becomes of the connection from here on tells less than the status does.
      release(socket);
      void bodyOfRefusal(response, Math.min(refusalPatienceMs, timeoutMs / 2), longestErrorBody).then((body) =>
        end(handshakeFailure(statusFailure(`connecting to ${host}`, { status, headers, body }, quote, wall()))),
      );
    });
    socket.on('error', (error) => {
      cause ??= errorFailure(host, error);
      // Without a connection there is no close event to wait for that tells more.
      if (socket.readyState === WebSocket.CONNECTING) end(cause);
    });
    socket.on('close', (code, reason) => {
      end(cause ?? closeFailure(code, quote(reason.toString('utf8'))), cause === null && code !== withoutCloseFrame);
    });

    return {
      send: (text) => {
        // The venue has closed it and the event that says why is on its way: that is the failure of whoever waits for
        // an answer, not that nothing could be sent.
        if (!isOver && socket.readyState === WebSocket.CLOSING) return;
        if (socket.readyState !== WebSocket.OPEN) throw new Error('the socket is not open');
        socket.send(text);
      },
      hangUp: () => socket.close(normalClosure),
      cut,
    };
  };
}

/** The type of ws knows only connections that are there at once; Node's client, to which this goes, waits for others. */
function throughProxy(proxy: URL, timeoutMs: number, signal: AbortSignal): ClientOptions {
  const connection = connectionThrough({ proxy, timeoutMs, signal });
  return { createConnection: connection as unknown as NonNullable<ClientOptions['createConnection']> };
}

/** Ending a socket that is still connecting emits an error, and an error nobody listens for ends the process. */
function release(socket: WebSocket): void {
  socket.removeAllListeners();
  socket.on('error', () => undefined);
}

/** What a status that refuses the handshake means. */
function handshakeFailure(found: Failure): Failure {
  return handshakeRefusals.includes(found.code) ? { ...found, ...failure('upgrade-refused', found.message) } : found;
}

function errorFailure(host: string, error: Error): Failure {
  const code = 'code' in error ? error.code : '';
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    return failure('frame-too-large', `the venue sent a frame above ${largestFrameBytes} bytes`);
  }
  if (typeof code === 'string' && code.startsWith('WS_ERR_')) {
    return failure('bad-reply', `the venue broke the WebSocket protocol: ${error.message}`);
  }
  if (error.message === 'Opening handshake has timed out') {
    return failure('connect-timeout', `connecting to ${host}: no WebSocket handshake in time`);
  }
  if (error.message.startsWith('Invalid Sec-WebSocket') || error.message.startsWith('Server sent')) {
    return failure('upgrade-refused', `connecting to ${host}: ${error.message}`);
  }
  const found = networkFailure(`connecting to ${host}`, error);
  return found.code === 'bad-reply' ? failure('upgrade-refused', found.message) : found;
}
