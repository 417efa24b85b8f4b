import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { until, within } from '../../support/until.ts';
import { deadUrl } from '../support/venue.ts';
import { askRaw, echoing, get } from './echo.ts';
import { gatewayStage, venueStage } from './stage.ts';

describe('what figd answers itself', () => {
  it.each([
    ['not allowed', { allow: ['GET /v1/*'] }, { method: 'POST', path: '/v1/rfq' }, 403, 'not-allowed'],
    ['no token', { token: null }, get('/v1/rfq'), 503, 'no-token'],
    ['an odd method', {}, { method: 'TRACE', path: '/v1/rfq' }, 501, 'bad-request'],
    ['a path that names another host', {}, get('//evil.example/v1'), 400, 'bad-request'],
    ['a long path', {}, get(`/v1/rfq?${'x'.repeat(8_192)}`), 414, 'bad-request'],
    [
      'a large body',
      { maxBody: 10, sign: true },
      { method: 'POST', path: '/v1/x', body: 'x'.repeat(11) },
      413,
      'body-too-large',
    ],
    ['no room in the limit', { limit: 1, timeout: 50 }, get('/v1/rfq'), 429, 'rate-limited'],
  ] as const)('%s, in the form of the venue', async (what, setup, request, status, code) => {
    await using venue = await echoing();
    await using gateway = await gatewayStage(venue.url, setup);
    if (what === 'no room in the limit') await (await gateway.client.request(request)).body.dump();
    const answer = await within('the answer', gateway.client.request(request));
    expect(answer.statusCode).toBe(status);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-figd-error': code });
    const told = {
      code: status,
      message: expect.stringMatching(/^figd: /),
      reason: [code],
      figd: { code, sent: false },
    };
    expect(await answer.body.json()).toEqual(told);
  });

  it('a venue that cannot be reached', async () => {
    await using gateway = await gatewayStage(await deadUrl());
    const answer = await gateway.client.request(get('/v1/rfq'));
    expect([answer.statusCode, await answer.body.json()]).toMatchObject([
      502,
      {
        message: expect.stringContaining('the request was not sent'),
        figd: { code: 'connection-refused', sent: false },
      },
    ]);
  });

  it('a venue that does not answer in time', async () => {
    await using venue = await venueStage(() => undefined);
    await using gateway = await gatewayStage(venue.url, { timeout: 50 });
    const answer = await gateway.client.request({ method: 'POST', path: '/v1/rfq', body: '{}' });
    expect([answer.statusCode, await answer.body.json()]).toMatchObject([
      504,
      { message: expect.stringContaining('may have got the request'), figd: { code: 'reply-timeout', sent: true } },
    ]);
    await until('the venue is rid of it', () => venue.connections.size === 0);
  });
});

describe('a request that goes wrong', () => {
  it.each([
    ['the venue is gone', { timeout: 30_000 }, 502, 'connection-refused'],
    ['there is no room in the limit', { limit: 1, timeout: 100 }, 429, 'rate-limited'],
  ] as const)(
    'by a connection that ends may have been executed, though it cannot be sent again: %s',
    async (what, setup, status, code) => {
      const venue = await venueStage((request) => {
        // Before the one it is sent again on is dialled nobody listens any more.
        if (what === 'the venue is gone') void venue[Symbol.asyncDispose]();
        request.socket.destroy();
      });
      await using gateway = await gatewayStage(venue.url, setup);
      const answer = await gateway.client.request({ method: 'DELETE', path: '/v1/rfq/1' });
      expect([answer.statusCode, await answer.body.json()]).toMatchObject([
        status,
        { message: expect.stringContaining('may have got the request'), figd: { code, sent: true } },
      ]);
      await venue[Symbol.asyncDispose]();
    },
  );

  it.each([
    ['GET', 2],
    ['DELETE', 2],
    ['PUT', 2],
    ['POST', 1],
    ['PATCH', 1],
  ] as const)('by a connection that ends, is sent again only where that cannot do harm: %s', async (method, times) => {
    let requests = 0;
    await using venue = await venueStage((request, response) => {
      requests += 1;
      if (requests === 1) request.socket.destroy();
      else response.end('at last');
    });
    await using gateway = await gatewayStage(venue.url);
    const body = method === 'GET' || method === 'DELETE' ? null : '{}';
    const answer = await gateway.client.request({ method, path: '/v1/x', body });
    const told = await answer.body.text();
    expect(requests).toBe(times);
    if (times === 2) expect([answer.statusCode, told]).toEqual([200, 'at last']);
    else expect([answer.statusCode, JSON.parse(told).figd]).toEqual([502, { code: 'connection-lost', sent: true }]);
  });

  it('in the middle of the answer, does not look whole', async () => {
    await using venue = await venueStage((request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('x'.repeat(500), () => request.socket.destroy());
    });
    await using gateway = await gatewayStage(venue.url);
    const answer = await gateway.client.request(get('/v1/x'));
    await expect(text(answer.body)).rejects.toThrow();
    expect(gateway.bugs).toEqual([]);
  });

  it('by its caller, who leaves, is given up at the venue', async () => {
    await using venue = await venueStage(() => undefined);
    await using gateway = await gatewayStage(venue.url);
    const socket = connect(gateway.path);
    socket.write('GET /v1/x HTTP/1.1\r\nHost: fig\r\n\r\n');
    await until('it is at the venue', () => venue.connections.size === 1);
    socket.destroy();
    await until('the venue is rid of it', () => venue.connections.size === 0);
    await until('it is told', () => gateway.accesses.length === 1);
    expect([gateway.accesses[0]?.status, gateway.server.inFlight, gateway.bugs]).toEqual(['caller-gone', 0, []]);
  });

  it('by being no HTTP, costs nobody else anything', async () => {
    await using venue = await echoing();
    await using gateway = await gatewayStage(venue.url);
    expect(await askRaw(gateway.path, '\u0000\u0001 nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    expect((await gateway.client.request(get('/v1/x'))).statusCode).toBe(200);
  });
});

describe('a token that the venue refuses', () => {
  /** Refuses the first token, and takes the second. */
  const refusing = (seen: string[]) =>
    venueStage((request, response) => {
      seen.push(`${request.method} ${request.headers.authorization}`);
      request.resume();
      response.statusCode = request.headers.authorization === 'Bearer second' ? 200 : 401;
      response.end(response.statusCode === 200 ? 'welcome' : '{"code":401,"message":"Unauthorized"}');
    });

  it.each([
    ['GET', null],
    ['PUT', '{}'],
  ] as const)('is replaced, and %s is sent once more', async (method, body) => {
    const seen: string[] = [];
    await using venue = await refusing(seen);
    await using gateway = await gatewayStage(venue.url, {
      renewal: {
        beyond: (generation) => {
          gateway.vault.keep(
            { value: 'second', generation: generation + 1, expiresAt: Number.POSITIVE_INFINITY },
            null,
          );
          return Promise.resolve(true);
        },
      },
    });
    const answer = await gateway.client.request({ method, path: '/v1/x', body });
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, 'welcome']);
    expect(seen).toEqual([`${method} Bearer access-token`, `${method} Bearer second`]);
  });

  it.each([
    ['second', 1],
    ['third', 0],
  ])('has helped where the same call is not refused with the new one: %s', async (value, times) => {
    const seen: string[] = [];
    let helped = 0;
    await using venue = await refusing(seen);
    await using gateway = await gatewayStage(venue.url, {
      renewal: {
        beyond: (generation) => {
          gateway.vault.keep({ value, generation: generation + 1, expiresAt: Number.POSITIVE_INFINITY }, null);
          return Promise.resolve(true);
        },
        helped: () => {
          helped += 1;
        },
      },
    });
    for (const path of ['/v1/x', '/v1/y']) await (await gateway.client.request(get(path))).body.dump();
    expect(helped).toBe(times);
  });

  it.each([
    ['POST', true, 1],
    ['GET', false, 1],
    ['GET', true, 2],
  ] as const)(
    'is told to the caller in the end: %s, where there is a new one: %s',
    async (method, isRenewed, times) => {
      const seen: string[] = [];
      await using venue = await refusing(seen);
      await using gateway = await gatewayStage(venue.url, { renewal: { beyond: () => Promise.resolve(isRenewed) } });
      const answer = await gateway.client.request({ method, path: '/v1/x' });
      expect([answer.statusCode, await answer.body.json()]).toEqual([401, { code: 401, message: 'Unauthorized' }]);
      expect(seen).toHaveLength(times);
    },
  );
});

it('a call that is sent again has no more time than others', async () => {
  let requests = 0;
  await using venue = await venueStage((_request, response) => {
    requests += 1;
    if (requests > 1) return;
    response.statusCode = 401;
    response.end();
  });
  const renewal = { beyond: () => Promise.resolve(true) };
  await using gateway = await gatewayStage(venue.url, { timeout: 100, renewal });
  const answer = await within('the answer', gateway.client.request(get('/v1/x')));
  expect([answer.statusCode, answer.headers['x-figd-error'], requests]).toEqual([504, 'reply-timeout', 2]);
});

describe('a base of the API that has a path', () => {
  it.each([
    '/../adm/v1/rfq',
    '/%2e%2e/adm/v1/rfq',
    '/v1/../../adm/v1/rfq',
    '/.%2E/api2/v1/rfq',
    '/..',
    '/..?/api/v1/rfq',
  ])('is not left, list or not: %s', async (path) => {
    await using venue = await echoing();
    for (const setup of [{}, { allow: ['GET /v1/*'] }]) {
      await using gateway = await gatewayStage(`${venue.url}/api`, setup);
      const answer = await gateway.client.request(get(path));
      expect([answer.statusCode, await answer.body.json()]).toMatchObject([400, { figd: { code: 'bad-request' } }]);
    }
    expect(venue.connections.size).toBe(0);
  });

  it('may be named on the way to a path below it', async () => {
    await using venue = await echoing();
    await using gateway = await gatewayStage(`${venue.url}/api`, { allow: ['GET /v1/*'] });
    for (const [path, url] of [
      ['/v1/rfq?a=/..', '/api/v1/rfq?a=/..'],
      ['/v2/../v1/rfq', '/api/v1/rfq'],
      ['/../api/v1/rfq', '/api/v1/rfq'],
    ] as const) {
      const answer = await gateway.client.request(get(path));
      expect(await answer.body.json()).toMatchObject({ url });
    }
  });
});

/** Answers whatever it is sent with the same bytes. */
async function bareVenue(
  answer: string,
): Promise<AsyncDisposable & { readonly url: string; readonly asked: () => number }> {
  let asked = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', () => {
      asked += 1;
      socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it.each([
  ['Nicht gefunden \u2013 weg', 'Nicht gefunden \u2013 weg'],
  ['caf\u00e9', 'caf\u00e9'],
  ['a\u0001b\u007f', 'ab'],
  ['', ''],
])('a reason that is not plain is passed on as far as HTTP carries it: %j', async (reason, told) => {
  await using venue = await bareVenue(`HTTP/1.1 404 ${reason}\r\nContent-Length: 2\r\n\r\nok`);
  await using gateway = await gatewayStage(venue.url);
  const raw = await askRaw(gateway.path, 'GET /x HTTP/1.1\r\nHost: fig\r\nConnection: close\r\n\r\n');
  expect(raw.split('\r\n')[0]).toBe(`HTTP/1.1 404 ${told}`);
  expect([raw.endsWith('ok'), venue.asked(), gateway.bugs]).toEqual([true, 1, []]);
});
