import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { until, within } from '../../support/until.ts';
import { get } from './echo.ts';
import { gatewayStage, venueStage } from './stage.ts';

/** As many as the venue may be connected with in these tests. */
const venueConnections = 8;
const big = Buffer.alloc(2_000_000, 'x');

/** A venue whose answers to some requests are more than sockets hold. */
const withBigAnswers = () => venueStage((request, response) => void response.end(request.url === '/big' ? big : 'ok'));

/** Asks so many times, and reads nothing. */
async function ask(path: string, targets: readonly string[]): Promise<Socket> {
  const socket = connect(path).pause();
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: fig\r\n\r\n`).join(''));
  return socket;
}

const times = (count: number, target: string): string[] => Array.from({ length: count }, () => target);

describe('a caller that asks much and reads nothing', () => {
  it('holds up nobody else', async () => {
    await using venue = await withBigAnswers();
    await using gateway = await gatewayStage(venue.url);
    const socket = await ask(gateway.path, times(venueConnections, '/big'));
    await until('its answers come', () => venue.connections.size >= 4);
    const answer = await within('the answer', gateway.client.request(get('/other')));
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, 'ok']);
    socket.destroy();
    await until('nothing is under way', () => gateway.server.inFlight === 0 && venue.connections.size <= 1);
  });

  it('is cut off when the time for an answer has passed', async () => {
    await using venue = await withBigAnswers();
    await using gateway = await gatewayStage(venue.url, { timeout: 200 });
    const sockets = await Promise.all([1, 2].map(() => ask(gateway.path, times(venueConnections, '/big'))));
    await until('all are told', () => gateway.accesses.length === 2 * venueConnections);
    await until('both are cut off', () => sockets.every((socket) => socket.resume().closed));
    const answer = await within('the answer', gateway.client.request(get('/other')));
    expect([answer.statusCode, gateway.accesses[0]?.status, gateway.bugs]).toEqual([200, 'answer-unread', []]);
  });

  it('is cut off too where its first answer is small, and those behind it are not', async () => {
    await using venue = await venueStage((request, response) => {
      response.end(request.url === '/first' ? big.subarray(0, 400_000) : big);
    });
    await using gateway = await gatewayStage(venue.url, { timeout: 200 });
    await ask(gateway.path, ['/first', '/big']);
    await until('both are told', () => gateway.accesses.length === 2 && gateway.server.inFlight === 0);
  });

  it('leaves nothing behind when it goes', async () => {
    await using venue = await venueStage(() => undefined);
    await using gateway = await gatewayStage(venue.url);
    const socket = await ask(gateway.path, times(10, '/never'));
    await until('they are at the venue', () => venue.connections.size === 4);
    socket.destroy();
    await until('nothing is under way', () => gateway.server.inFlight === 0 && venue.connections.size === 0);
    expect(gateway.accesses.map(({ status }) => status)).toEqual(times(10, 'caller-gone'));
    expect(gateway.bugs).toEqual([]);
  });
});

describe('requests that follow each other on a connection', () => {
  it('are four at a time at the venue, and answered in their order', async () => {
    const waiting: ServerResponse[] = [];
    const seen: string[] = [];
    await using venue = await venueStage((request, response) => {
      seen.push(request.url ?? '');
      waiting.push(response);
    });
    await using gateway = await gatewayStage(venue.url);
    const targets = Array.from({ length: 10 }, (_, at) => `/${at}`);
    const socket = await ask(gateway.path, targets);
    const answers = text(socket.resume());
    for (let answered = 0; answered < targets.length; answered += 1) {
      const expected = Math.min(answered + 4, targets.length);
      await until('four are there', () => seen.length >= expected);
      expect([...seen].sort()).toEqual(targets.slice(0, expected));
      const next = waiting.find(({ req }) => req.url === `/${answered}`);
      next?.end(`answer ${answered}.`);
    }
    await until('all are told', () => gateway.accesses.length === targets.length);
    socket.end();
    expect((await answers).match(/answer \d/g)).toEqual(targets.map((_, at) => `answer ${at}`));
  });

  it('are left in the socket while many of them wait', async () => {
    await using venue = await venueStage(() => undefined);
    await using gateway = await gatewayStage(venue.url);
    const socket = await ask(gateway.path, times(50_000, '/never'));
    await until('they are at the venue', () => venue.connections.size === 4);
    const other = await ask(gateway.path, ['/never']);
    await until('another one is there too', () => venue.connections.size === 5);
    expect(gateway.server.inFlight).toBeLessThan(5_000);
    for (const each of [socket, other]) each.destroy();
  });

  it('are all answered, however many there are', async () => {
    await using venue = await venueStage((request, response) => void response.end(`<${request.url}>`));
    await using gateway = await gatewayStage(venue.url);
    const targets = Array.from({ length: 3_000 }, (_, at) => `/${at}`);
    const socket = await ask(gateway.path, targets);
    let told = '';
    socket.resume().on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    await until('all are answered', () => told.includes('</2999>'), 30_000);
    socket.destroy();
    expect(told.match(/<[^>]*>/g)).toEqual(targets.map((target) => `<${target}>`));
  }, 40_000);
});
