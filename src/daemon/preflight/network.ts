import { lookup } from 'node:dns/promises';
import { BlockList, connect, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { networkFailure } from '../../adapters/http-failures.ts';
import { openTunnel, overTunnel, proxyTo } from '../../adapters/proxy-tunnel.ts';
import { FailureError } from '../../protocol/failure.ts';

/** The addresses of the hosts in these URLs. @throws {FailureError} for one that has none */
export async function resolveHosts(urls: readonly string[]): Promise<string> {
  const found: string[] = [];
  for (const host of new Set(urls.map(hostOf))) {
    if (isIP(host) !== 0) continue;
    try {
      const addresses = await lookup(host, { all: true });
      found.push(`${host} is ${addresses.map(({ address }) => address).join(', ')}`);
    } catch (error) {
      throw new FailureError(networkFailure(`resolving ${host}`, error));
    }
  }
  return found.length === 0 ? 'addresses are given, nothing to resolve' : found.join('; ');
}

/** The addresses of a proxy, which looks up those of the venue itself. @throws {FailureError} where it has none */
export async function resolveProxy(proxy: URL): Promise<string> {
  const found = await resolveHosts([proxy.href]);
  return `by way of ${proxy.host}, which looks up the hosts of the venue: ${found}`;
}

/** Until when the certificates behind these URLs hold. @throws {FailureError} for one that is not trusted */
export async function checkCertificates(
  urls: readonly string[],
  timeoutMs: number,
  proxy: URL | null,
): Promise<string> {
  const secure = urls.map((url) => new URL(url)).filter(({ protocol }) => protocol === 'https:' || protocol === 'wss:');
  const found: string[] = [];
  for (const host of new Set(secure.map((url) => url.host))) found.push(await certificateOf(host, timeoutMs, proxy));
  return found.length === 0 ? 'plain connections on the loopback, no TLS' : found.join('; ');
}

async function certificateOf(hostAndPort: string, timeoutMs: number, proxy: URL | null): Promise<string> {
  const { hostname: host, port: given } = new URL(`https://${hostAndPort}`);
  const port = given === '' ? 443 : Number(given);
  const way = proxyTo(host, proxy);
  try {
    const socket =
      way === null
        ? connectTls({ host, port, servername: host })
        : overTunnel(await openTunnel({ proxy: way, host, port, timeoutMs }), { host });
    return `${host} valid to ${await validTo(socket, timeoutMs)}`;
  } catch (error) {
    throw new FailureError(networkFailure(`TLS with ${host}`, error));
  }
}

function validTo(socket: TLSSocket, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown) => {
      socket.destroy();
      reject(error);
    };
    socket.on('secureConnect', () => {
      const { valid_to: end } = socket.getPeerCertificate();
      socket.end();
      resolve(end);
    });
    socket.setTimeout(timeoutMs, () => refuse(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })));
    socket.on('error', refuse);
  });
}

/** The address this host has on its way to a URL; null where there is no way. */
export function outgoingAddress(url: string, timeoutMs: number): Promise<string | null> {
  const { protocol, port } = new URL(url);
  const isSecure = protocol === 'https:' || protocol === 'wss:';
  return new Promise((resolve) => {
    const socket = connect({ host: hostOf(url), port: Number(port === '' ? (isSecure ? 443 : 80) : port) });
    const end = (address: string | null) => {
      socket.destroy();
      resolve(address);
    };
    socket.setTimeout(timeoutMs, () => end(null));
    socket.on('error', () => end(null));
    socket.on('connect', () => end(socket.localAddress ?? null));
  });
}

const notPublic = new BlockList();
for (const [network, prefix] of [
  // RFC 1918, RFC 6598 (shared by carriers), RFC 3927 (link-local).
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const) {
  notPublic.addSubnet(network, prefix);
}
// RFC 4193 and RFC 4291.
notPublic.addSubnet('fc00::', 7, 'ipv6');
notPublic.addSubnet('fe80::', 10, 'ipv6');

/** Whether an address has no meaning outside its own network, so that the other side sees another one. */
export function isPrivate(address: string): boolean {
  return notPublic.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}
