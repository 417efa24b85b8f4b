import { createHash, createHmac, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { until, within } from '../../support/until.ts';
import { clientSecret } from '../support/venue.ts';
import { askRaw, type Echo, echo, echoing, get } from './echo.ts';
import { gatewayStage, venueStage, wall } from './stage.ts';

const names = ({ rawHeaders }: Echo) => rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());

describe('a request through gateway.sock', () => {
  it("reaches the venue with its path, query and headers, and with figd's token", async () => {
    await using venue = await echoing();
    await using gateway = await gatewayStage(venue.url);
    const passed = ['Accept', 'text/*', 'X-Own', 'a', 'x-own', 'b'];
    const headers = [...passed, 'Authorization', 'Bearer stolen', 'X-FIG-Signature', 'x'];
    const answer = await gateway.client.request({ ...get('/v1/rfq?limit=10&x=%20'), headers });
    const told = (await answer.body.json()) as Echo;
    expect(told).toMatchObject({ method: 'GET', url: '/v1/rfq?limit=10&x=%20', body: '' });
    expect(told.rawHeaders).toEqual([
      'host',
      new URL(venue.url).host,
      'connection',
      'keep-alive',
      ...passed,
      'authorization',
      'Bearer access-token',
    ]);
  });

  it('brings back status, reason, headers and body as the venue wrote them', async () => {
    await using venue = await venueStage((_request, response) => {
      response.writeHead(418, 'I am a Teapot', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Latin', 'caf\u00e9']);
      response.end('short and stout');
    });
    await using gateway = await gatewayStage(venue.url);
    const answer = await gateway.client.request(get('/v1/tea'));
    expect([answer.statusCode, answer.statusText, answer.headers['set-cookie'], answer.headers['x-latin']]).toEqual([
      418,
      'I am a Teapot',
      ['a=1', 'b=2'],
      'caf\u00e9',
    ]);
    expect(await answer.body.text()).toBe('short and stout');
  });

  it('keeps what is of one connection to that connection', async () => {
    await using venue = await venueStage((request, response) => {
      response.setHeader('connection', 'x-hop, keep-alive');
      response.setHeader('x-hop', '1');
      response.setHeader('proxy-authenticate', 'Basic');
      void echo(request).then((told) => response.end(told));
    });
    await using gateway = await gatewayStage(venue.url);
    const raw = await askRaw(
      gateway.path,
      'GET /v1/x HTTP/1.1\r\nHost: fig\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\nX-Other: 2\r\n\r\n',
    );
    const [head = '', body = ''] = raw.split('\r\n\r\n');
    expect(head.toLowerCase()).not.toMatch(/x-hop|proxy-authenticate/);
    const told = JSON.parse(/\{.*\}/s.exec(body)?.[0] ?? '{}') as Echo;
    expect(names(told)).toEqual(['host', 'connection', 'x-other', 'authorization']);
  });

  it.each([
    ['as a whole', false],
    ['bit by bit', false],
    ['bit by bit, to be signed', true],
  ])('carries a body byte for byte, %s', async (how, sign) => {
    await using venue = await echoing();
    await using gateway = await gatewayStage(venue.url, { sign });
    const bytes = randomBytes(300_000);
    const pieces = Array.from({ length: 30 }, (_, at) => bytes.subarray(at * 10_000, (at + 1) * 10_000));
    const body = how === 'as a whole' ? bytes : Readable.from(pieces);
    const answer = await gateway.client.request({ method: 'POST', path: '/v1/rfq?a=b', body });
    const told = (await answer.body.json()) as Echo;
    expect(Buffer.from(told.body, 'base64').equals(bytes)).toBe(true);
    if (!sign) return;
    const header = (name: string) => told.rawHeaders[told.rawHeaders.indexOf(name) + 1];
    const signed = Buffer.concat([Buffer.from(`${Math.floor(wall / 1_000)}\nPOST\n/v1/rfq?a=b\n`), bytes]);
    expect(header('x-fig-signature')).toBe(createHmac('sha256', clientSecret).update(signed).digest('hex'));
  });

  it('streams large bodies both ways without holding them', async () => {
    const size = 64 * 1_048_576;
    const piece = randomBytes(65_536);
    const pieces = function* () {
      for (let sent = 0; sent < size; sent += piece.length) yield piece;
    };
    await using venue = await venueStage((request, response) => {
      request.pipe(response);
    });
    await using gateway = await gatewayStage(venue.url, { maxBody: 1_024 });
    const answer = await gateway.client.request({ method: 'POST', path: '/v1/x', body: Readable.from(pieces()) });
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      hash.update(chunk);
    }
    const expected = createHash('sha256');
    for (const each of pieces()) expected.update(each);
    expect([bytes, hash.digest('hex')]).toEqual([size, expected.digest('hex')]);
  });

  it('waits for a caller that reads slowly, instead of keeping what the venue sends', async () => {
    let written = 0;
    await using venue = await venueStage((_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const more = () => {
        while (written < 512 * 1_048_576) {
          written += chunk.length;
          if (!response.write(chunk)) return response.once('drain', more);
        }
        return response.end();
      };
      more();
    });
    await using gateway = await gatewayStage(venue.url);
    const socket = connect(gateway.path).pause();
    socket.write('GET /v1/x HTTP/1.1\r\nHost: fig\r\n\r\n');
    let before = -1;
    await until('the venue is held up', () => {
      const isStill = before === written && written > 0;
      before = written;
      return isStill;
    });
    expect(written).toBeLessThan(64 * 1_048_576);
    socket.destroy();
    await until('the venue is rid of it', () => venue.connections.size === 0);
  });

  it.each(['HEAD', 'GET'] as const)('has no body where %s has none', async (method) => {
    await using venue = await venueStage((_request, response) => {
      if (method === 'HEAD') response.writeHead(200, { 'content-length': '12345' });
      else response.writeHead(304, { etag: '"x"' });
      response.end();
    });
    await using gateway = await gatewayStage(venue.url);
    const answer = await within('the answer', gateway.client.request({ method, path: '/v1/x' }));
    expect(await answer.body.text()).toBe('');
    expect(method === 'HEAD' ? answer.headers['content-length'] : answer.headers['etag']).toBe(
      method === 'HEAD' ? '12345' : '"x"',
    );
  });

  it('may wait for a 100, and may name the host in its target', async () => {
    await using venue = await echoing();
    await using gateway = await gatewayStage(venue.url);
    const head =
      'PUT http://fig/v1/x?y HTTP/1.1\r\nHost: fig\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n';
    const raw = await askRaw(gateway.path, `${head}{}`);
    expect(raw).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    expect(JSON.parse(/\{.*\}/s.exec(raw)?.[0] ?? '{}')).toMatchObject({ url: '/v1/x?y', body: 'e30=' });
  });
});

it('each call is told to the log without query, headers and bodies, by the connection it came on', async () => {
  await using venue = await echoing();
  await using gateway = await gatewayStage(venue.url, { allow: ['* /v1/*'] });
  await (await gateway.client.request({ method: 'POST', path: '/v1/x?secret=1', body: 'secret' })).body.dump();
  await (await gateway.client.request(get('/v2/x'))).body.dump();
  await (await gateway.connect().request(get('/v1/y'))).body.dump();
  await until('all are told', () => gateway.accesses.length === 3);
  const ms = expect.any(Number);
  expect(gateway.accesses).toEqual([
    { door: 'rest', caller: 'gateway-1', method: 'POST', path: '/v1/x', status: '200', ms },
    { door: 'rest', caller: 'gateway-1', method: 'GET', path: '/v2/x', status: 'not-allowed', ms },
    { door: 'rest', caller: 'gateway-2', method: 'GET', path: '/v1/y', status: '200', ms },
  ]);
});
