import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { echoing } from './echo.ts';
import { type GatewayStage, gatewayStage, venueStage } from './stage.ts';

const post = (body: string | Buffer) => ({ method: 'POST', path: '/v1/rfq', body }) as const;

/** Begins a request, and sends so much of its body. */
async function beginning(gateway: GatewayStage, bytes: number): Promise<Socket> {
  const socket = connect(gateway.path);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.resume().write(`POST /v1/rfq HTTP/1.1\r\nHost: fig\r\nContent-Length: ${bytes + 1}\r\n\r\n`);
  socket.write(Buffer.alloc(bytes, 'x'));
  return socket;
}

describe('memory for bodies that are signed, of all callers together', () => {
  it('is bounded: who comes then is told so, and to try again', async () => {
    await using venue = await echoing();
    await using gateway = await gatewayStage(venue.url, { sign: true, bodyMemory: 100_000 });
    const sockets = [await beginning(gateway, 50_000), await beginning(gateway, 49_000)];
    await until('both are held', () => gateway.bodies.taken === 99_000);
    const refused = await gateway.connect().request(post('x'.repeat(2_000)));
    expect([refused.statusCode, refused.headers['retry-after'], await refused.body.json()]).toEqual([
      503,
      '1',
      {
        code: 503,
        message: expect.stringContaining('100000 bytes'),
        reason: ['too-many-bodies'],
        figd: { code: 'too-many-bodies', sent: false },
      },
    ]);
    const small = await gateway.connect().request(post('x'.repeat(500)));
    expect([small.statusCode, gateway.bodies.taken]).toEqual([200, 99_000]);
    for (const socket of sockets) socket.destroy();
    await until('nothing is held', () => gateway.bodies.taken === 0);
    expect(gateway.bugs).toEqual([]);
  });

  it.each([
    ['an answer', { sign: true }, 200],
    ['a body that is too large', { sign: true, maxBody: 10_000 }, 413],
    ['no answer in time', { sign: true, timeout: 50 }, 504],
    ['no room in the limit', { sign: true, timeout: 50, limit: 0 }, 429],
    ['no token', { sign: true, token: null }, 503],
  ] as const)('is free again after %s', async (outcome, setup, status) => {
    await using venue = await venueStage((_request, response) => {
      if (outcome === 'an answer') response.end();
    });
    await using gateway = await gatewayStage(venue.url, setup);
    const answer = await gateway.client.request(post(Buffer.alloc(20_000)));
    await answer.body.dump();
    expect([answer.statusCode, gateway.bodies.taken]).toEqual([status, 0]);
  });

  it('is held until the answer is there, for a request that may be sent again', async () => {
    const answering = Promise.withResolvers<() => void>();
    await using venue = await venueStage((_request, response) => answering.resolve(() => response.end()));
    await using gateway = await gatewayStage(venue.url);
    const asked = gateway.client.request({ method: 'PUT', path: '/v1/x', body: 'x'.repeat(5_000) });
    const answer = await answering.promise;
    expect(gateway.bodies.taken).toBe(5_000);
    answer();
    await (await asked).body.dump();
    await until('nothing is held', () => gateway.bodies.taken === 0);
  });
});
