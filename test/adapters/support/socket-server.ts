import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { until } from '../../support/until.ts';

export interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

export interface SocketServer extends AsyncDisposable {
  readonly url: string;
  readonly calls: Call[];
  /** The connection, once there is one. */
  peer(): Promise<WebSocket>;
}

/** A WebSocket server that answers calls as it is told; what it returns is sent, undefined is silence. */
export async function socketServer(
  answer: (call: Call, peer: WebSocket) => object | string | undefined = () => undefined,
): Promise<SocketServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const calls: Call[] = [];
  server.on('connection', (peer) => {
    peer.on('error', () => undefined);
    peer.on('message', (data) => {
      const call: Call = JSON.parse(String(data));
      calls.push(call);
      const reply = answer(call, peer);
      if (reply !== undefined) peer.send(typeof reply === 'string' ? reply : JSON.stringify({ id: call.id, ...reply }));
    });
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    peer: () => until('a connection', () => [...server.clients][0]),
    [Symbol.asyncDispose]: async () => {
      for (const peer of server.clients) peer.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
