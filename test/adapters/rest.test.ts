import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Rest, type RestRequest } from '../../src/adapters/rest.ts';
import { type RestAccess, RestEntrance } from '../../src/adapters/rest-entrance.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { failureOf } from '../../src/protocol/failure.ts';
import { bodyText } from '../../src/simulator/http-reply.ts';
import { within } from '../support/until.ts';
import {
  clientSecret,
  deadUrl,
  httpClient,
  ownHttp,
  quietVenue,
  type Received,
  scriptedServer,
  vaultWith,
} from './support/venue.ts';

interface Setup {
  readonly sign?: boolean;
  readonly signature?: RestAccess['signature'];
  readonly token?: string | null;
}

function rest(restUrl: string, { sign = false, signature = { encoding: 'hex' }, token = 'access-token' }: Setup = {}) {
  const http = httpClient({ connect: 500, reply: 500 });
  const vault = vaultWith();
  if (token !== null) vault.keep({ value: token, generation: 1, expiresAt: Number.POSITIVE_INFINITY }, null);
  const clock = { ...systemClock(), wall: () => 1_795_334_400_999.9 };
  const entrance = new RestEntrance({ restUrl, sign, signature }, vault);
  const client = new Rest({ entrance, http: ownHttp(http), vault, clock });
  return {
    call: (request: RestRequest) => within('the answer', client.call(request)),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

const ok = (response: { end: (body: string) => void }) => response.end('{"ok":true}');

/** The signature as the venue would compute it, from what it received. */
function expectedSignature({ method, url, headers, body }: Received): string {
  const signed = [headers['x-fig-timestamp'], method, url, body].join('\n');
  return createHmac('sha256', clientSecret).update(signed, 'utf8').digest('hex');
}

describe('a REST call', () => {
  it('carries the token in use, and nothing it need not', async () => {
    await using server = await scriptedServer(ok);
    await using client = rest(server.url);
    const answer = await client.call({ method: 'GET', path: '/v1/rfq?limit=10' });
    expect([answer.status, answer.body]).toEqual([200, '{"ok":true}']);
    const [received] = server.received;
    expect(received).toMatchObject({ method: 'GET', url: '/v1/rfq?limit=10', body: '' });
    expect(received?.headers).toEqual({
      host: new URL(server.url).host,
      connection: 'keep-alive',
      accept: 'application/json',
      'accept-encoding': 'identity',
      authorization: 'Bearer access-token',
    });
  });

  it('is signed over time, method, path with query, and the exact body', async () => {
    await using server = await scriptedServer(ok);
    await using client = rest(server.url, { sign: true });
    const body = '{ "größe" : 1.50,\n"x":"€" }';
    await client.call({ method: 'GET', path: '/v1/rfq?status=open,expired&limit=10' });
    await client.call({ method: 'POST', path: '/v1/rfq', body });
    await client.call({ method: 'DELETE', path: '/v1/rfq/12345' });
    await client.call({ method: 'PUT', path: '/v1/rfq/1', body: '' });
    expect(server.received.map(({ headers }) => headers['x-fig-timestamp'])).toEqual(Array(4).fill('1795334400'));
    expect(server.received.map(({ headers }) => headers['x-fig-signature'])).toEqual(
      server.received.map(expectedSignature),
    );
    expect(server.received[1]).toMatchObject({ body, headers: { 'content-type': 'application/json' } });
  });

  it('is signed as configured', async () => {
    await using server = await scriptedServer(ok);
    await using client = rest(server.url, { sign: true, signature: { encoding: 'base64', omitPrefix: '/v1' } });
    await client.call({ method: 'POST', path: '/v1/rfq?x=1', body: '{}' });
    const signed = '1795334400\nPOST\n/rfq?x=1\n{}';
    const signature = createHmac('sha256', clientSecret).update(signed).digest('base64');
    expect(server.received[0]?.headers['x-fig-signature']).toBe(signature);
  });

  it('matches a signature computed by hand', async () => {
    await using server = await scriptedServer(ok);
    await using client = rest(server.url, { sign: true });
    await client.call({ method: 'POST', path: '/v1/rfq', body: '{}' });
    const signed = '1795334400\nPOST\n/v1/rfq\n{}';
    const signature = createHmac('sha256', 'demo-client-secret/+=').update(signed).digest('hex');
    expect(server.received[0]?.headers['x-fig-signature']).toBe(signature);
  });

  it.each([
    '/v1/rfq?baseCurrency="BTC"',
    '/v1/rfq?note=<a>',
    '/v1/../v1/rfq',
    '/v1/rfq#part',
    '/v1\\rfq',
    "/v1/rfq?x='y'",
    '/v1/rfq?x={1}|^`',
  ])('is signed as it is sent: %s', async (path) => {
    await using server = await scriptedServer(ok);
    await using client = rest(server.url, { sign: true });
    await client.call({ method: 'GET', path });
    const [received] = server.received;
    expect(received?.headers['x-fig-signature']).toBe(received && expectedSignature(received));
  });

  it('is accepted by a venue that verifies signatures', async () => {
    await using venue = await quietVenue({ verifySignatures: true });
    const { body } = await venue.venue.request({
      method: 'POST',
      path: '/v1/auth',
      headers: {},
      body: JSON.stringify({ clientId: venue.venue.options.clientId, clientSecret }),
    });
    const http = httpClient();
    const vault = vaultWith();
    vault.keep(
      { value: JSON.parse(bodyText(body)).access_token, generation: 1, expiresAt: Number.POSITIVE_INFINITY },
      null,
    );
    const call = (sign: boolean) =>
      new Rest({
        entrance: new RestEntrance({ restUrl: venue.restUrl, sign, signature: { encoding: 'hex' } }, vault),
        http: ownHttp(http),
        vault,
        clock: systemClock(),
      }).call({
        method: 'GET',
        path: '/v1/account/exchange-credentials',
      });
    const statuses = [(await call(true)).status, (await call(false)).status];
    await http.close();
    expect(statuses).toEqual([200, 401]);
  });

  it.each([301, 401, 403, 404, 429, 500, 503])("returns the venue's answer as it is when it is %d", async (status) => {
    await using server = await scriptedServer((response) => response.writeHead(status, { 'x-y': 'z' }).end('why'));
    await using client = rest(server.url);
    const answer = await client.call({ method: 'GET', path: '/v1/rfq' });
    expect([answer.status, answer.headers['x-y'], answer.body]).toEqual([status, 'z', 'why']);
    expect(server.received.length).toBe(1);
  });

  it('is not sent without a token', async () => {
    await using server = await scriptedServer(ok);
    await using client = rest(server.url, { token: null });
    const found = failureOf(await client.call({ method: 'GET', path: '/v1/rfq?x=1' }).catch((error: unknown) => error));
    expect(found).toEqual({
      class: 'refused',
      code: 'token-refused',
      message: 'GET /v1/rfq: there is no access token yet',
    });
    expect(server.received).toEqual([]);
  });

  it('is sent once, and says what the network said', async () => {
    await using breaking = await scriptedServer((response) => response.destroy());
    await using silent = await scriptedServer(() => undefined);
    const outcomes = [];
    for (const url of [breaking.url, silent.url, await deadUrl()]) {
      await using client = rest(url);
      outcomes.push(failureOf(await client.call({ method: 'POST', path: '/v1/rfq', body: '{}' }).catch((e) => e)));
    }
    expect(outcomes.map(({ code }) => code)).toEqual(['connection-lost', 'reply-timeout', 'connection-refused']);
    for (const { message } of outcomes) expect(message).toMatch(/^POST \/v1\/rfq: /);
    expect([breaking.received.length, silent.received.length]).toEqual([1, 1]);
  });

  it('never takes the token to another host, whatever the path', async () => {
    await using trap = await scriptedServer(ok);
    await using server = await scriptedServer(ok);
    const { host } = new URL(trap.url);
    for (const path of [`@${host}/x`, `.evil@${host}`, `//${host}/x`, `/\\${host}`, `http://${host}`]) {
      await using client = rest(server.url);
      await client.call({ method: 'GET', path }).catch(() => undefined);
    }
    expect(trap.received).toEqual([]);
  });
});
