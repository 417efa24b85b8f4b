import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Http } from '../../../src/adapters/http-client.ts';
import type { OpenTransport } from '../../../src/adapters/venue-socket.ts';
import { isPrivate, outgoingAddress } from '../../../src/daemon/preflight/network.ts';
import { adviseOnSocket } from '../../../src/daemon/preflight/socket-advice.ts';
import { adviseOnToken } from '../../../src/daemon/preflight/token-advice.ts';
import { failure } from '../../../src/protocol/failure.ts';
import { deadUrl } from '../../adapters/support/venue.ts';
import { loadWithoutFile } from '../../config/workspace.ts';

const venueOf = (flags: Record<string, string> = {}) => loadWithoutFile({}, flags).venue;
const untouched: Http = {
  send: () => Promise.reject(new Error('nothing may be sent')),
  close: () => Promise.resolve(),
};

describe('at the documented addresses', () => {
  it.each([
    [{}, 'https://api.test.figmarkets.com/v1/auth', 'platform', 'https://id.test.figmarkets.com/realms'],
    [{ 'venue.profile': 'platform' }, 'https://id.test', 'quickstart', 'https://api.test.figmarkets.com/v1/auth'],
  ] as const)(
    'a missing token endpoint leads to the other profile, and nothing is sent: %j',
    async (flags, at, other, url) => {
      const found = failure('not-found', 'token request: HTTP 404');
      for (const status of [404, 405, 410]) {
        const text = await adviseOnToken(venueOf(flags), found, { status, headers: {}, body: '' }, untouched);
        expect(text).toMatch(/^There is no token endpoint at /);
        expect(text).toContain(at);
        expect(text).toContain(`That of profile ${other} is at ${url}`);
        expect(text).toContain(`set venue.profile: ${other}.`);
      }
    },
  );

  it('a missing token endpoint in production leads nowhere, as only profile platform knows hosts there', async () => {
    const venue = venueOf({ 'venue.profile': 'platform', 'venue.environment': 'production' });
    const sent: string[] = [];
    const http: Http = {
      send: ({ url, body }) => {
        sent.push(`${url} ${body}`);
        return Promise.reject(new Error('no way there'));
      },
      close: () => Promise.resolve(),
    };
    const found = failure('not-found', 'token request: HTTP 404');
    const text = await adviseOnToken(venue, found, { status: 404, headers: {}, body: '' }, http);
    expect(text).toContain('Check venue.tokenUrl: in profile platform its path is /realms/');
    expect(sent).toEqual(['https://id.figmarkets.com/v1/auth {}']);
  });

  it('a missing WebSocket is looked for there, and by nobody who uses a venue of his own', async () => {
    const dialled: string[] = [];
    const open = (url: string): OpenTransport => {
      dialled.push(url);
      return ({ closed }) => {
        queueMicrotask(() => closed(failure('upgrade-refused', 'no'), true));
        return { send: () => undefined, hangUp: () => undefined, cut: () => undefined };
      };
    };
    await adviseOnSocket(venueOf(), 'upgrade-refused', open);
    expect(dialled).toEqual(['wss://api.test.figmarkets.com', 'wss://ws.test.figmarkets.com']);
    dialled.length = 0;
    await adviseOnSocket(venueOf({ 'venue.rest-url': 'http://127.0.0.1:7464' }), 'upgrade-refused', open);
    expect(dialled).toEqual(['ws://127.0.0.1:7464']);
  });
});

describe('the address of this host', () => {
  it('is that of the way to the venue, or unknown where there is no way', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await outgoingAddress(`wss://127.0.0.1:${port}/ws`, 2_000)).toBe('127.0.0.1');
    server.close();
    expect(await outgoingAddress(await deadUrl(), 2_000)).toBeNull();
  });

  it.each([
    ['10.1.2.3', true],
    ['172.16.0.1', true],
    ['172.32.0.1', false],
    ['192.168.1.9', true],
    ['100.64.3.3', true],
    ['169.254.1.1', true],
    ['203.0.113.7', false],
    ['127.0.0.1', false],
    ['fd12::1', true],
    ['fe80::1', true],
    ['2001:db8::1', false],
  ])('%s is private: %s', (address, expected) => {
    expect(isPrivate(address)).toBe(expected);
  });
});
