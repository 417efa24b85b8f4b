import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { largestFrameBytes, venueSocket } from '../../src/adapters/venue-socket.ts';
import type { Failure } from '../../src/protocol/failure.ts';
import { until } from '../support/until.ts';
import { socketServer } from './support/socket-server.ts';
import { deadUrl, quietVenue, vaultWith } from './support/venue.ts';

function dial(url: string, connectTimeout = 1_000) {
  const vault = vaultWith();
  const seen = { opened: 0, frames: [] as string[], closes: [] as Failure[] };
  const transport = venueSocket({
    url,
    connectTimeout: () => connectTimeout,
    quote: (text) => vault.quote(text),
    wall: Date.now,
  })({
    opened: () => {
      seen.opened += 1;
    },
    frame: (bytes) => seen.frames.push(Buffer.from(bytes).toString('utf8')),
    closed: (failure) => seen.closes.push(failure),
  });
  return {
    seen,
    transport,
    closed: () => until('the transport to be closed', () => seen.closes[0]),
    opened: () => until('the transport to be open', () => seen.opened === 1),
    [Symbol.dispose]: () => transport.cut(),
  };
}

interface RawServer extends AsyncDisposable {
  readonly url: string;
  readonly sockets: Socket[];
}

/** A TCP server that says what it likes to a handshake. */
async function rawServer(answer: (socket: Socket) => void): Promise<RawServer> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
};

describe('a handshake', () => {
  it.each([
    [{ status: 401 }, 'token-refused'],
    [{ status: 403 }, 'permission-denied'],
    [{ status: 404 }, 'upgrade-refused'],
    [{ status: 400 }, 'upgrade-refused'],
    [{ status: 500 }, 'server-error'],
    [{ status: 503 }, 'server-error'],
    [{ status: 503, retryAfterS: 9 }, 'server-busy'],
    [{ status: 429, retryAfterS: 9 }, 'rate-limited'],
  ])('that is refused with %j is a failure: %s', async (fault, code) => {
    await using venue = await quietVenue();
    venue.venue.inject({ kind: 'http-status', ...fault });
    using test = dial(venue.socketUrl);
    const { host } = new URL(venue.socketUrl);
    const found = await test.closed();
    expect(found.code).toBe(code);
    expect(found.message).toMatch(new RegExp(`^connecting to ${host}: HTTP ${fault.status}, ".+"$`));
    expect(found.retryAfterMs).toBe('retryAfterS' in fault ? 9_000 : undefined);
    expect(test.seen).toMatchObject({ opened: 0, frames: [] });
  });

  it.each([
    ['stops', (socket: Socket) => void socket.write('5\r\n{"a":\r\n')],
    ['breaks off', (socket: Socket) => void socket.end('5\r\n{"a":\r\n')],
    [
      'goes on for ever',
      (socket: Socket) => {
        const more = () => void (socket.destroyed || socket.write(`2000\r\n${'x'.repeat(0x2000)}\r\n`, more));
        more();
      },
    ],
  ])('that is refused with a body that %s is a failure by status and headers, soon', async (_, go) => {
    const head = 'HTTP/1.1 429 X\r\nRetry-After: 300\r\nTransfer-Encoding: chunked\r\n\r\n';
    await using server = await rawServer((socket) => socket.write(head, () => go(socket)));
    using test = dial(server.url, 2_000);
    const since = performance.now();
    const { code, retryAfterMs } = await test.closed();
    expect([code, retryAfterMs]).toEqual(['rate-limited', 300_000]);
    expect(performance.now() - since).toBeLessThan(1_500);
    await until('the socket to be gone', () => server.sockets[0]?.destroyed);
    expect(test.seen.closes).toHaveLength(1);
  });

  it('at a wrong path is refused', async () => {
    await using venue = await quietVenue();
    using test = dial(`${venue.platformSocketUrl}/elsewhere`);
    expect(await test.closed()).toMatchObject({ class: 'protocol', code: 'upgrade-refused' });
  });

  it('without anybody to listen is refused', async () => {
    using test = dial(await deadUrl('ws'));
    expect(await test.closed()).toMatchObject({ class: 'transient', code: 'connection-refused' });
  });

  it('that gets no answer ends at its deadline', async () => {
    await using server = await rawServer(() => undefined);
    using test = dial(server.url, 100);
    const message = `connecting to ${new URL(server.url).host}: no WebSocket handshake in time`;
    expect(await test.closed()).toEqual({ class: 'transient', code: 'connect-timeout', message });
  });

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n', 'upgrade-refused'],
    [
      'a wrong key',
      'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
      'upgrade-refused',
    ],
    ['another protocol', 'HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n', undefined],
    ['a page', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'upgrade-refused'],
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n', 'upgrade-refused'],
  ])('that is answered by %s fails once', async (_what, text, code) => {
    await using server = await rawServer((socket) => socket.end(text));
    using test = dial(server.url);
    const found = await test.closed();
    if (code !== undefined) expect(found.code).toBe(code);
    await turns(50);
    expect(test.seen.closes).toEqual([found]);
  });

  it.each([
    [302, 'http 302'],
    [418, 'http 418'],
    [200, undefined],
    [404, undefined],
  ])('that is answered with %d is refused, and names a status that is not known (%s)', async (status, unknown) => {
    await using server = await rawServer((socket) => socket.end(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`));
    using test = dial(server.url);
    const found = await test.closed();
    expect(found).toEqual({
      class: 'protocol',
      code: 'upgrade-refused',
      message: `connecting to ${new URL(server.url).host}: HTTP ${status}`,
      ...(unknown === undefined ? {} : { unknown }),
    });
  });

  it('whose refusal stops in the middle fails once, at the deadline', async () => {
    await using server = await rawServer((socket) =>
      socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\nhal'),
    );
    using test = dial(server.url, 100);
    const found = await test.closed();
    expect(found.class).toBe('transient');
    await until('the server to be left', () => server.sockets[0]?.readableEnded || server.sockets[0]?.destroyed);
    await turns(50);
    expect(test.seen.closes).toEqual([found]);
  });

  it('that is cut reports nothing, whatever still comes', async () => {
    await using server = await rawServer((socket) => socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nha'));
    const test = dial(server.url);
    const [socket] = await until('the handshake', () => server.sockets.length > 0 && server.sockets);
    await until('the answer to be on its way', () => (socket?.bytesWritten ?? 0) > 0);
    await turns(20);
    test.transport.cut();
    socket?.write('lf');
    await until('the server to be left', () => socket?.readableEnded || socket?.destroyed);
    await turns(50);
    expect(test.seen).toEqual({ opened: 0, frames: [], closes: [] });
  });

  it.each([0, 1, 2, 5, 20])('may be cut after %d turns without an error that nobody holds', async (count) => {
    await using venue = await quietVenue();
    const test = dial(venue.socketUrl);
    await turns(count);
    test.transport.cut();
    await turns(50);
    expect(test.seen.closes).toEqual([]);
    await until('the venue to be left', () => venue.venue.stats.openConnections.length === 0);
  });

  it('may be hung up on, and ends once', async () => {
    await using server = await rawServer(() => undefined);
    using test = dial(server.url);
    test.transport.hangUp();
    expect(await test.closed()).toMatchObject({ class: 'transient', code: 'connection-lost' });
    await turns(50);
    expect(test.seen.closes.length).toBe(1);
  });
});

describe('an open socket', () => {
  it('carries frames both ways', async () => {
    await using server = await socketServer(({ id }) => `got ${id}`);
    using test = dial(server.url);
    await test.opened();
    test.transport.send('{"id":5}');
    expect(await until('the answer', () => test.seen.frames[0])).toBe('got 5');
  });

  it('refuses to send before it is open and after its end', async () => {
    await using server = await socketServer();
    using test = dial(server.url);
    expect(() => test.transport.send('early')).toThrow('the socket is not open');
    await test.opened();
    (await server.peer()).terminate();
    await test.closed();
    expect(() => test.transport.send('late')).toThrow('the socket is not open');
  });

  it('is ended by a frame above the limit, and one at the limit arrives', async () => {
    await using server = await socketServer();
    using test = dial(server.url);
    const peer = await server.peer();
    peer.send('x'.repeat(largestFrameBytes));
    await until('the largest frame', () => test.seen.frames[0]?.length === largestFrameBytes);
    const closed = once(peer, 'close');
    peer.send('x'.repeat(largestFrameBytes + 1));
    expect(await test.closed()).toEqual({
      class: 'protocol',
      code: 'frame-too-large',
      message: 'the venue sent a frame above 16777216 bytes',
    });
    expect((await closed)[0]).toBe(1009);
    expect([test.seen.frames.length, test.seen.closes.length]).toEqual([1, 1]);
  });

  it('is ended by bytes that are no WebSocket frames', async () => {
    await using server = await socketServer();
    using test = dial(server.url);
    await test.opened();
    const peer = (await server.peer()) as unknown as { _socket: Socket };
    peer._socket.write(Buffer.from([0xf3, 0xff, 0x00]));
    const found = await test.closed();
    expect(found).toMatchObject({ class: 'protocol', code: 'bad-reply' });
    expect(found.message).toMatch(/^the venue broke the WebSocket protocol: /);
  });

  it('quotes the reason of a close without secrets or control characters', async () => {
    await using server = await socketServer();
    using test = dial(server.url);
    await test.opened();
    (await server.peer()).close(4000, 'bye\u001b[2J demo-client-secret/+= now');
    expect((await test.closed()).message).toBe('the venue closed the session with 4000, "bye [2J [secret] now"');
  });

  it('reports nothing any more once it is cut', async () => {
    await using server = await socketServer();
    const test = dial(server.url);
    await test.opened();
    const peer = await server.peer();
    const left = once(peer, 'close');
    test.transport.cut();
    peer.send('late');
    await left;
    test.transport.cut();
    test.transport.hangUp();
    expect(test.seen).toEqual({ opened: 1, frames: [], closes: [] });
  });
});
