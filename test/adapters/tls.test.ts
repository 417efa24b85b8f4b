import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { TokenEndpoint } from '../../src/adapters/token-endpoint.ts';
import { venueSocket } from '../../src/adapters/venue-socket.ts';
import type { Failure } from '../../src/protocol/failure.ts';
import { until } from '../support/until.ts';
import { type Certificate, certificate } from './support/certificate.ts';
import { httpClient, vaultWith } from './support/venue.ts';
import { failureOfCall } from './support/venue-session.ts';

const day = 86_400_000;
const now = Date.now();
const current = { validFrom: now - day, validTo: now + day };
const authority = certificate({ name: 'figd test authority', isAuthority: true, ...current });
const stranger = certificate({ name: 'an authority nobody knows', isAuthority: true, ...current });
const issued = { name: 'localhost', issuer: authority, ...current };

const usual = getCACertificates('default');
beforeAll(() => setDefaultCACertificates([...usual, authority.cert]));
afterAll(() => setDefaultCACertificates(usual));

/** A TLS server that answers each request, also one for a WebSocket, with 503. */
async function tlsServer({ cert, key }: Certificate) {
  const sockets: TLSSocket[] = [];
  const server = createServer({ cert, key: key.export({ type: 'pkcs8', format: 'pem' }) }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function tokenFailure(host: string): Promise<unknown> {
  await using http = httpClient();
  const endpoint = new TokenEndpoint({
    url: `https://${host}/v1/auth`,
    style: 'json',
    http,
    vault: vaultWith(),
    clock: systemClock(),
  });
  return await failureOfCall(endpoint.request({ generation: 1, kind: 'credentials' }, new AbortController().signal));
}

async function socketFailure(host: string): Promise<unknown> {
  const closes: Failure[] = [];
  const open = venueSocket({
    url: `wss://${host}/ws`,
    connectTimeout: () => 2_000,
    quote: (text) => text,
    wall: Date.now,
  });
  open({ opened: () => undefined, frame: () => undefined, closed: (failure) => closes.push(failure) });
  return until('the end of the connection', () => closes[0]);
}

describe.each([
  ['a token request', tokenFailure],
  ['a session', socketFailure],
])('%s over TLS', (_what, failureWith) => {
  it.each<[string, Certificate, RegExp]>([
    ['signed itself', certificate({ name: 'localhost', ...current }), /self-signed certificate/],
    [
      'has expired',
      certificate({ ...issued, validFrom: now - 2 * day, validTo: now - day }),
      /certificate has expired/,
    ],
    ['is not valid yet', certificate({ ...issued, validFrom: now + day, validTo: now + 2 * day }), /not yet valid/],
    [
      'is for another host',
      certificate({ ...issued, name: 'elsewhere.test' }),
      /does not match certificate's altnames/,
    ],
    ['has an issuer nobody knows', certificate({ ...issued, issuer: stranger }), /unable to verify the first/],
  ])('fails for a certificate that %s', async (_name, bad, words) => {
    await using server = await tlsServer(bad);
    expect(await failureWith(server.host)).toEqual({
      class: 'protocol',
      code: 'tls-failed',
      message: expect.stringMatching(words),
    });
  });

  it('fails for nothing but what is said inside where the certificate is good', async () => {
    await using server = await tlsServer(certificate(issued));
    expect(await failureWith(server.host)).toMatchObject({ code: 'server-error' });
  });
});
