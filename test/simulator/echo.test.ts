import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { generatedBody } from '../../src/simulator/echo.ts';
import { largestBody } from '../../src/simulator/http.ts';
import { bodyBytes } from '../../src/simulator/http-reply.ts';
import { type Simulator, startSimulator } from '../../src/simulator/server.ts';
import { type VirtualVenue, virtualVenue } from './harness.ts';

const echo = '/v1/simulator/echo';

/** An authenticated request to a venue in virtual time. */
async function sending({ venue, token }: VirtualVenue) {
  const authorization = `Bearer ${await token()}`;
  return (method: string, path: string, body: string | Uint8Array = '', headers: Record<string, string> = {}) =>
    venue.request({ method, path, headers: { authorization, ...headers }, body });
}

async function bearer({ tokenUrl }: Simulator): Promise<string> {
  const body = JSON.stringify({ clientId: 'demo', clientSecret: 'demo-secret' });
  const reply = await fetch(tokenUrl, { method: 'POST', body });
  return `Bearer ${((await reply.json()) as { access_token: string }).access_token}`;
}

test('answers any method with exactly the bytes it got, and tells of the request', async () => {
  const send = await sending(virtualVenue({ httpLimit: Number.POSITIVE_INFINITY }));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom('', '/', '/any/thing', '?x=1', '/a?b=%20c&d'),
      async (method, body, rest) => {
        const reply = await send(method, `${echo}${rest}`, body, { 'content-type': 'x/y' });
        expect([reply.status, Buffer.from(bodyBytes(reply.body))]).toEqual([200, Buffer.from(body)]);
        expect(reply.headers).toMatchObject({
          'content-type': 'x/y',
          'x-simulator-method': method,
          'x-simulator-uri': `${echo}${rest}`,
          'x-simulator-sha256': createHash('sha256').update(body).digest('hex'),
          'x-simulator-headers': 'authorization,content-type',
        });
      },
    ),
  );
});

test('is a REST call as any other: with a token, counted, limited', async () => {
  const virtual = virtualVenue({ httpLimit: 2 });
  const send = await sending(virtual);
  const statuses = [];
  for (const headers of [{ authorization: 'Bearer nothing' }, {}])
    statuses.push((await send('POST', echo, '', headers)).status);
  expect(statuses).toEqual([401, 429]);
  expect(virtual.venue.stats.requestsByPath[echo]).toBe(2);
});

test('its query steers status, time and size', async () => {
  const virtual = virtualVenue();
  const send = await sending(virtual);
  expect(await send('POST', `${echo}?status=503`, 'why')).toMatchObject({ status: 503, body: Buffer.from('why') });
  const made = await send('POST', `${echo}?bytes=70000`, 'small');
  expect(Buffer.from(bodyBytes(made.body))).toEqual(Buffer.from(bodyBytes(generatedBody(70_000))));
  expect(made.headers['x-simulator-sha256']).toBe(createHash('sha256').update('small').digest('hex'));

  let isAnswered = false;
  const late = send('GET', `${echo}?delayMs=50`).then(() => {
    isAnswered = true;
  });
  await virtual.clock.tickAsync(49);
  expect(isAnswered).toBe(false);
  await virtual.clock.tickAsync(1);
  await late;
});

test.each(['status=199', 'status=600', 'delayMs=-1', 'bytes=1.5', 'bytes=x'])('%s is refused', async (query) => {
  const send = await sending(virtualVenue());
  expect((await send('GET', `${echo}?${query}`)).status).toBe(400);
});

test('counts how often a request with a key was executed', async () => {
  const virtual = virtualVenue();
  const send = await sending(virtual);
  for (const key of ['a', 'b', 'a']) await send('POST', echo, '', { 'x-request-key': key });
  virtual.venue.inject({ kind: 'http-status', status: 503, times: 1 });
  await send('POST', echo, '', { 'x-request-key': 'c' });
  expect(virtual.venue.stats.echoes).toEqual({ executed: 3, repeated: 1, keys: 2, timesByKey: { a: 2, b: 1 } });
});

test('a generated body has no part that looks like another', () => {
  const bytes = bodyBytes(generatedBody(300_002));
  expect(bytes.length).toBe(300_002);
  const words = new DataView(bytes.buffer, bytes.byteOffset);
  for (let word = 0; word < 75_000; word += 1) expect(words.getUint32(word * 4)).toBe(word);
});

test('bytes pass through the sockets as they are, sent whole or in parts', async () => {
  await using simulator = await startSimulator({ rate: 0 });
  const authorization = await bearer(simulator);
  const body = Buffer.from(bodyBytes(generatedBody(1_000_001)));
  for (const parts of [[body], [body.subarray(0, 3), body.subarray(3, 400_000), body.subarray(400_000)]]) {
    const call = request(`${simulator.restUrl}${echo}/x?y=1`, { method: 'PUT', headers: { authorization } });
    for (const part of parts) call.write(part);
    call.end();
    const [reply] = (await once(call, 'response')) as [IncomingMessage];
    expect([reply.statusCode, (await buffer(reply)).equals(body)]).toEqual([200, true]);
    expect(reply.headers['x-simulator-uri']).toBe(`${echo}/x?y=1`);
  }
  const stats = (await (await fetch(`${simulator.restUrl}/simulator/stats`)).json()) as { echoes: object };
  expect(stats.echoes).toEqual({ executed: 2, repeated: 0, keys: 0, timesByKey: {} });
});

test('a body of 64 MiB is taken, and one byte more is answered with 413', async () => {
  await using simulator = await startSimulator({ rate: 0 });
  const authorization = await bearer(simulator);
  const post = (bytes: number) =>
    fetch(simulator.restUrl + echo, { method: 'POST', headers: { authorization }, body: Buffer.alloc(bytes, 'x') });
  const taken = await post(largestBody);
  expect([taken.status, (await taken.arrayBuffer()).byteLength]).toEqual([200, largestBody]);
  const refused = await post(largestBody + 1);
  expect([refused.status, await refused.json()]).toEqual([
    413,
    { code: 413, message: 'Content Too Large', reason: ['the body has more than 67108864 bytes'] },
  ]);
});

test('of a large body no more is made than the client takes', async () => {
  await using simulator = await startSimulator({ rate: 0 });
  const authorization = await bearer(simulator);
  const before = process.memoryUsage().arrayBuffers;
  const call = request(`${simulator.restUrl}${echo}?bytes=${2 * 1024 ** 3}`, { headers: { authorization } });
  call.end();
  const [reply] = (await once(call, 'response')) as [IncomingMessage];
  reply.pause();
  for (let left = 2_000; left > 0; left -= 1) await turn();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
  reply.on('error', () => undefined).destroy();
  expect((await fetch(simulator.restUrl + echo, { headers: { authorization } })).status).toBe(200);
});
