import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Certificate } from './certificate.ts';

export interface TestProxy extends AsyncDisposable {
  readonly url: URL;
  /** Where it was asked to connect to, in order. */
  readonly asked: readonly string[];
  /** What it answers from now on: a status, or nothing at all; undefined: it connects. */
  answer: number | 'nothing' | undefined;
}

/** An HTTP proxy. @param hosts the ports of this machine that stand for `host:port` elsewhere, which only it knows */
export async function testProxy(hosts: Readonly<Record<string, number>>): Promise<TestProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('connect', ({ url = '' }, client: Socket) => {
    asked.push(url);
    client.on('error', () => undefined);
    if (proxy.answer === 'nothing') return;
    const port = hosts[url];
    const status = proxy.answer ?? (port === undefined ? 502 : 200);
    client.write(`HTTP/1.1 ${status} said by the proxy\r\n\r\n`);
    if (status === 200 && port !== undefined) join(client, port, sockets);
    else client.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: TestProxy = {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    asked,
    answer: undefined,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

/** TLS in front of a plain server on this machine. @returns its port */
export async function tlsInFrontOf({ cert, key }: Certificate, port: number) {
  const sockets = new Set<Socket>();
  const pem = key.export({ type: 'pkcs8', format: 'pem' });
  const server = createTlsServer({ cert, key: pem }, (socket) => {
    sockets.add(socket);
    join(socket, port, sockets);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function join(client: Socket, port: number, sockets: Set<Socket>): void {
  const further = connect(port, '127.0.0.1');
  sockets.add(further);
  for (const [from, to] of [
    [client, further],
    [further, client],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}
