import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Peer } from './ports.ts';
import type { Venue } from './venue.ts';

/** Connects a WebSocket of the `ws` library, and the TCP socket below it, to the venue. */
export function attach(venue: Venue, ws: WebSocket, socket: Duplex, path: string): void {
  let reachable = true;
  const peer: Peer = {
    send: (frame) => ws.send(frame),
    close: (code, reason) => ws.close(code, reason),
    terminate: () => ws.terminate(),
    blackhole: () => {
      reachable = false;
      swallowWrites(socket);
    },
  };
  const session = venue.connect(peer, path);
  ws.on('message', (data: Buffer, isBinary) => session.receive(isBinary ? data : data.toString('utf8')));
  // Answered here rather than by the library, which would answer on a half-open connection too.
  ws.on('ping', (data) => {
    if (reachable && ws.readyState === ws.OPEN) ws.pong(data);
  });
  ws.on('close', (code, reason) => session.disconnected(code, reason.toString('utf8')));
  // Always followed by 'close', which tells the venue.
  ws.on('error', () => ws.terminate());
}

/**
 * Makes a TCP socket look half-open from the other side: it takes everything and nothing comes back, not even the
 * closing handshakes of WebSocket and TCP. When the other side gives up, the socket is destroyed.
 */
function swallowWrites(socket: Duplex): void {
  const swallow = (...parameters: readonly unknown[]): true => {
    const callback = parameters.findLast((parameter) => typeof parameter === 'function');
    if (callback !== undefined) queueMicrotask(() => callback());
    return true;
  };
  socket.write = swallow;
  socket.end = () => socket;
  socket.once('end', () => socket.destroy());
}
