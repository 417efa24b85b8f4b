import { request as requestPlainly } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket, type ConnectionOptions as TlsOptions } from 'node:tls';
import { isLoopback } from '../protocol/loopback.ts';
import { isSuccess } from './http-failures.ts';
import { buildConnector } from './undici.ts';

/** What the proxy said no with; {@link networkCodes} gives these codes their meaning. */
export type ProxyErrorCode = 'PROXY_REFUSED' | 'PROXY_WITHOUT_WAY';

export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: string;

  constructor(code: string, proxy: URL, what: string) {
    super(`proxy ${proxy.host}: ${what}`);
    this.code = code;
  }
}

export interface TunnelOptions {
  /** http or https. */
  readonly proxy: URL;
  readonly host: string;
  readonly port: number;
  /** Milliseconds until the proxy has made the connection. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Has an HTTP proxy make a connection (CONNECT, RFC 9110, 9.3.6). It looks up the host's name itself.
 * @throws {ProxyError} with the code of the network's error, ETIMEDOUT, or a {@link ProxyErrorCode}
 */
export function openTunnel({ proxy, host, port, timeoutMs, signal }: TunnelOptions): Promise<Socket> {
  const target = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const asking = (proxy.protocol === 'https:' ? requestSecurely : requestPlainly)(proxy, {
    method: 'CONNECT',
    path: target,
    headers: { host: target },
    agent: false,
    ...(signal === undefined ? {} : { signal }),
  });
  const timer = setTimeout(
    () => asking.destroy(new ProxyError('ETIMEDOUT', proxy, `no connection to ${target} in time`)),
    timeoutMs,
  );
  // Node calls any answer to CONNECT that, also one without a tunnel.
  asking.on('connect', ({ statusCode = 0 }, socket) => {
    if (isSuccess(statusCode)) return resolve(socket);
    socket.destroy();
    reject(refusal(proxy, target, statusCode));
  });
  asking.on('error', (error) => {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
    reject(error instanceof ProxyError ? error : new ProxyError(code, proxy, error.message));
  });
  asking.end();
  return promise.finally(() => clearTimeout(timer));
}

function refusal(proxy: URL, target: string, status: number): ProxyError {
  // A proxy that may, and cannot, says so as a gateway does (RFC 9110, 15.6).
  if (status >= 500) return new ProxyError('PROXY_WITHOUT_WAY', proxy, `no connection to ${target}: HTTP ${status}`);
  const why = status === 407 ? 'it wants a user name and a password' : 'it does not allow that';
  return new ProxyError('PROXY_REFUSED', proxy, `no connection to ${target}: HTTP ${status}, ${why}`);
}

/** The proxy on the way to a host, if there is one: none leads to this machine. */
export function proxyTo(hostname: string, proxy: URL | null): URL | null {
  return isLoopback(hostname) ? null : proxy;
}

/** How undici connects where there is a proxy. */
export function connectorThrough(proxy: URL, timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs });
  return (options, callback) => {
    if (proxyTo(options.hostname, proxy) === null) return connect(options, callback);
    const port = options.port === '' ? 443 : Number(options.port);
    openTunnel({ proxy, host: options.hostname, port, timeoutMs }).then(
      (httpSocket) => connect({ ...options, httpSocket }, callback),
      (error: Error) => callback(error, null),
    );
  };
}

type Connected = (error: Error | null, socket?: TLSSocket) => void;

/** How ws, by way of Node's own client, connects where there is a proxy. The host is none of this machine. */
export function connectionThrough(options: Omit<TunnelOptions, 'host' | 'port'>) {
  return ({ host = '', port = 443, ...tls }: TlsOptions, connected: Connected): undefined => {
    openTunnel({ ...options, host, port: Number(port) }).then(
      (socket) => connected(null, overTunnel(socket, { ...tls, host })),
      (error: Error) => connected(error),
    );
  };
}

/** TLS with a host at the end of a tunnel. */
export function overTunnel(socket: Socket, options: TlsOptions & { readonly host: string }): TLSSocket {
  return connectTls({ ...options, socket, path: undefined, servername: isIP(options.host) === 0 ? options.host : '' });
}
