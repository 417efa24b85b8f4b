import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { HttpClient } from '../../src/adapters/http-client.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { TokenEndpoint } from '../../src/adapters/token-endpoint.ts';
import { venueSocket } from '../../src/adapters/venue-socket.ts';
import type { Failure } from '../../src/protocol/failure.ts';
import { until } from '../support/until.ts';
import { certificate } from './support/certificate.ts';
import { type TestProxy, testProxy, tlsInFrontOf } from './support/proxy.ts';
import { deadUrl, quietVenue, vaultWith } from './support/venue.ts';
import { failureOfCall } from './support/venue-session.ts';

const day = 86_400_000;
const span = { validFrom: Date.now() - day, validTo: Date.now() + day };
const authority = certificate({ name: 'figd test authority', isAuthority: true, ...span });
const usual = getCACertificates('default');
beforeAll(() => setDefaultCACertificates([...usual, authority.cert]));
afterAll(() => setDefaultCACertificates(usual));

const connectTimeout = 500;

/** The venue with TLS, under a name that the proxy alone knows. */
async function stage() {
  const venue = await quietVenue();
  onTestFinished(() => venue.close());
  const named = certificate({ name: 'venue.test', issuer: authority, ...span });
  const front = await tlsInFrontOf(named, Number(new URL(venue.restUrl).port));
  onTestFinished(() => front[Symbol.asyncDispose]());
  const proxy = await testProxy({ 'venue.test:443': front.port, 'other.test:443': front.port });
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return { venue, proxy };
}

async function askForToken(proxy: URL, origin: string): Promise<number> {
  const http = new HttpClient(() => ({ connect: connectTimeout, reply: 5_000 }), proxy);
  onTestFinished(() => http.close());
  const endpoint = new TokenEndpoint({
    url: `${origin}/v1/auth`,
    style: 'json',
    http,
    vault: vaultWith(),
    clock: systemClock(),
  });
  const { lifeMs } = await endpoint.request({ generation: 1, kind: 'credentials' }, new AbortController().signal);
  return lifeMs;
}

function openSocket(proxy: URL, origin: string) {
  const seen: { isOpen: boolean; closed: Failure | null } = { isOpen: false, closed: null };
  const open = venueSocket({
    url: `${origin.replace('http', 'ws')}/ws/v1`,
    connectTimeout: () => connectTimeout,
    quote: (text) => text,
    wall: Date.now,
    proxy,
  });
  const transport = open({
    opened: () => {
      seen.isOpen = true;
    },
    frame: () => undefined,
    closed: (failure) => {
      seen.closed = failure;
    },
  });
  onTestFinished(() => transport.cut());
  return { seen, transport };
}

describe.each([
  [
    'a token request',
    async (proxy: URL, origin: string) => void (await askForToken(proxy, origin)),
    async (proxy: URL, origin = 'https://venue.test') => failureOfCall(askForToken(proxy, origin)),
  ],
  [
    'a session',
    async (proxy: URL, origin: string) => {
      const { seen } = openSocket(proxy, origin);
      await until('an open socket', () => seen.isOpen);
    },
    async (proxy: URL, origin = 'https://venue.test') => {
      const { seen } = openSocket(proxy, origin);
      return until('the end of the connection', () => seen.closed);
    },
  ],
])('%s through a proxy', (_what, reach, failureWith) => {
  it('reaches the venue under a name that only the proxy knows', async () => {
    const { proxy } = await stage();
    await reach(proxy.url, 'https://venue.test');
    expect(new Set(proxy.asked)).toEqual(new Set(['venue.test:443']));
  });

  it('does without it on this machine', async () => {
    const { venue, proxy } = await stage();
    await reach(proxy.url, venue.restUrl);
    expect(proxy.asked).toEqual([]);
  });

  it.each<[string, TestProxy['answer'], Partial<Failure>, RegExp]>([
    ['does not allow it', 403, { code: 'proxy-refused', class: 'protocol' }, /HTTP 403, it does not allow that$/],
    ['wants a password', 407, { code: 'proxy-refused' }, /HTTP 407, it wants a user name and a password$/],
    ['finds no way', 504, { code: 'connect-timeout', class: 'transient' }, /venue\.test:443: HTTP 504$/],
    ['says nothing', 'nothing', { code: 'connect-timeout' }, /no connection to venue\.test:443 in time$/],
  ])('fails with the reason where the proxy %s', async (_does, answer, failure, words) => {
    const { proxy } = await stage();
    proxy.answer = answer;
    expect(await failureWith(proxy.url)).toMatchObject({ ...failure, message: expect.stringMatching(words) });
    expect(await failureWith(proxy.url)).toMatchObject({ message: expect.stringContaining(`proxy ${proxy.url.host}`) });
  });

  it('fails where somebody else is at the end of the tunnel', async () => {
    const { proxy } = await stage();
    expect(await failureWith(proxy.url, 'https://other.test')).toMatchObject({
      code: 'tls-failed',
      message: expect.stringContaining("Host: other.test. is not in the cert's altnames"),
    });
  });

  it('fails with the reason where no proxy is there', async () => {
    const proxy = new URL(await deadUrl());
    expect(await failureWith(proxy)).toMatchObject({
      code: 'connection-refused',
      message: expect.stringContaining(`proxy ${proxy.host}: connect ECONNREFUSED`),
    });
  });
});

it('a session that is given up while the proxy says nothing leaves nothing behind', async () => {
  const { proxy } = await stage();
  proxy.answer = 'nothing';
  const { seen, transport } = openSocket(proxy.url, 'https://venue.test');
  await until('the proxy to be asked', () => proxy.asked.length === 1);
  const before = process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  transport.cut();
  await until('the connection to be gone', () => {
    return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length < before;
  });
  expect(seen).toEqual({ isOpen: false, closed: null });
});
