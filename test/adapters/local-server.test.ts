import { describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { ownError } from './support/line-client.ts';
import { LocalDaemon } from './support/local-daemon.ts';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('a client', () => {
  it('is greeted with the place of the log', async () => {
    await using daemon = await LocalDaemon.start();
    daemon.add('rfq.maker');
    const client = await daemon.connect();
    expect(client.lines).toEqual([
      '{"jsonrpc":"2.0","method":"hello","params":{"protocol":1,"version":"9.9.9","epoch":"e1","head":1,"oldest":1,"state":"live"}}',
    ]);
  });

  it('gets each event from now on, in order, once, byte for byte', async () => {
    await using daemon = await LocalDaemon.start();
    daemon.add('rfq.maker', 'before');
    const client = await daemon.follower();
    const message = Buffer.from('{ "n" : 1.50e+2, "s":"\u00e9\\/\u2028" }');
    daemon.log.append({ channel: 'rfq.taker', message, receivedAt: 1_795_334_400_123.456, session: 7 });
    daemon.add('rfq.maker', 'after');
    await client.line(3);
    expect(client.lines.slice(1)).toEqual([
      '{"jsonrpc":"2.0","id":"call-1","result":{"epoch":"e1","from":2,"head":1,"resumed":true}}',
      '{"jsonrpc":"2.0","method":"event","params":{"seq":2,"channel":"rfq.taker","receivedAt":1795334400123.456,"session":7,"message":{ "n" : 1.50e+2, "s":"\u00e9\\/\u2028" }}}',
      '{"jsonrpc":"2.0","method":"event","params":{"seq":3,"channel":"rfq.maker","receivedAt":1795334400123.456,"session":1,"message":"after"}}',
    ]);
  });

  it('gets every event of a long log and of a burst during the replay, without hole or double', async () => {
    await using daemon = await LocalDaemon.start();
    for (const seq of range(1, 3_000)) daemon.add('rfq.maker', { seq, pad: 'x'.repeat(1_000) });
    const client = await daemon.follower({ from: { epoch: 'e1', seq: 1 } });
    for (const seq of range(3_001, 4_000)) daemon.add('rfq.maker', { seq });
    await client.message('event 4000', ({ params }) => (params as { seq?: number } | undefined)?.seq === 4_000);
    expect(client.seqs()).toEqual(range(1, 4_000));
    expect(client.params('event').map(({ message }) => (message as { seq: number }).seq)).toEqual(range(1, 4_000));
  });

  it("gets only the channels it asked for, and figd's own facts", async () => {
    await using daemon = await LocalDaemon.start();
    const client = await daemon.follower({ channels: ['rfq.*'] });
    for (const channel of ['rfq.maker', 'rfq_quote.maker', 'figd.state', 'rfq.taker', 'venue.unrouted', 'figd.gap']) {
      daemon.add(channel);
    }
    await until('four events', () => client.seqs().length >= 4);
    expect(client.params('event').map(({ seq, channel }) => [seq, channel])).toEqual([
      [1, 'rfq.maker'],
      [3, 'figd.state'],
      [4, 'rfq.taker'],
      [6, 'figd.gap'],
    ]);
  });

  it('is told why its position cannot be had, and starts at the oldest event', async () => {
    await using daemon = await LocalDaemon.start();
    daemon.add('rfq.maker');
    const client = await daemon.connect();
    const reply = await client.call('subscribe', { from: { epoch: 'gone', seq: 17 }, ticks: false });
    expect(reply['result']).toEqual({ epoch: 'e1', from: 1, head: 1, resumed: false, reason: 'epoch' });
    await client.notification('event');
    expect(client.seqs()).toEqual([1]);
    expect(await client.call('subscribe', { from: { epoch: 'e1', seq: 3 } })).toEqual({
      jsonrpc: '2.0',
      id: 'call-2',
      error: ownError(-32602, 'from.seq 3 lies beyond the next event, 2'),
    });
  });

  it('replaces its subscription by subscribing again', async () => {
    await using daemon = await LocalDaemon.start();
    const client = await daemon.follower({ channels: ['rfq.maker'] });
    daemon.add('rfq.maker');
    await client.notification('event');
    await client.call('subscribe', { channels: ['rfq.taker'], from: 'oldest', ticks: false });
    daemon.add('rfq.maker');
    daemon.add('rfq.taker');
    await until('the second event', () => client.seqs().length === 2);
    expect(client.seqs()).toEqual([1, 3]);
    expect(daemon.server.subscribers().map(({ cursor }) => cursor.filter.patterns)).toEqual([['rfq.taker']]);
  });

  it('gets nothing more once it has unsubscribed, and may come back', async () => {
    await using daemon = await LocalDaemon.start();
    const client = await daemon.follower();
    expect((await client.call('unsubscribe'))['result']).toEqual({ unsubscribed: true });
    expect(daemon.server.subscribers()).toEqual([]);
    daemon.add('rfq.maker');
    await client.call('ping');
    expect(client.seqs()).toEqual([]);
    await client.call('subscribe', { from: { epoch: 'e1', seq: 1 }, ticks: false });
    await client.notification('event');
    expect(client.seqs()).toEqual([1]);
  });

  it('gets its answer before the first event of the subscription', async () => {
    await using daemon = await LocalDaemon.start();
    daemon.add('rfq.maker');
    const client = await daemon.connect();
    client.write('{"id":1,"method":"subscribe","params":{"from":"oldest","ticks":false}}\n{"id":2,"method":"ping"}\n');
    await client.line(3);
    const order = client.messages.map(({ id, method }) => id ?? method);
    expect(order.toSorted()).toEqual([1, 2, 'event', 'hello']);
    expect(order.slice(0, 2)).toEqual(['hello', 1]);
  });

  it('may ask for the status and the time', async () => {
    await using daemon = await LocalDaemon.start({ status: { pid: 1, state: 'live' } });
    const client = await daemon.connect();
    expect((await client.call('status'))['result']).toEqual({ pid: 1, state: 'live' });
    const before = Date.now();
    const { now } = (await client.call('ping'))['result'] as { now: number };
    expect(Math.abs(now - before)).toBeLessThan(5_000);
  });

  it('may ask for the gaps since a moment, on either socket', async () => {
    const gap = {
      id: 1,
      cause: 'half-open',
      since: 5,
      until: 7,
      blindMs: 2,
      channels: ['a'],
      clockOffsetMs: 3,
      reconciled: null,
    };
    await using daemon = await LocalDaemon.start({ gaps: [gap] });
    for (const path of [daemon.eventsPath, daemon.controlPath]) {
      const client = await daemon.connect(path);
      const report = (since: number) => ({ now: since + 60_000, beganAt: 1_795_334_000_000, gaps: [gap] });
      expect((await client.call('outages', { since: 5.5 }))['result']).toEqual(report(5.5));
      const { now } = (await client.call('outages'))['result'] as { now: number };
      expect(Math.abs(now - 60_000 - (Date.now() - 86_400_000))).toBeLessThan(5_000);
      const message = 'since is a number of unix milliseconds';
      expect((await client.call('outages', { since: '24h' }))['error']).toEqual(ownError(-32602, message));
    }
  });

  it('gets no answer to a notification', async () => {
    await using daemon = await LocalDaemon.start();
    const client = await daemon.connect();
    client.write('{"method":"ping"}\n{"method":"nonsense"}\n{"method":"subscribe","params":{"ticks":false}}\n');
    await client.call('ping');
    expect(client.lines.length).toBe(2);
    expect(daemon.server.subscribers().length).toBe(1);
  });
});

describe('ticks', () => {
  it('come every second to those who subscribed, unless they do not want them', async () => {
    await using daemon = await LocalDaemon.start();
    const [ticking, silent, stranger] = [await daemon.connect(), await daemon.follower(), await daemon.connect()];
    await ticking.call('subscribe');
    daemon.add('rfq.maker');
    await until('two ticks', () => ticking.params('tick').length >= 2);
    const [first, second] = ticking.params('tick') as { now: number }[];
    const expected = {
      head: 1,
      state: 'live',
      lastReceivedAt: 1_795_334_400_123.456,
      now: expect.any(Number),
      position: 2,
    };
    expect([first, second]).toEqual([expected, expected]);
    const between = (second?.now ?? 0) - (first?.now ?? 0);
    expect(between).toBeGreaterThan(800);
    expect(between).toBeLessThan(3_000);
    expect([silent.params('tick'), stranger.params('tick')]).toEqual([[], []]);
  });
});

describe('ticks of a reader that wants none of what comes', () => {
  it('have the position behind it, with which it comes back', async () => {
    await using daemon = await LocalDaemon.start();
    const client = await daemon.connect();
    await client.call('subscribe', { channels: ['rfq.taker'] });
    for (let count = 0; count < 5; count += 1) daemon.add('rfq.maker');
    await until('a tick', () => client.params('tick').length > 0);
    expect(client.params('tick')[0]).toMatchObject({ head: 5, position: 6 });
    expect(client.params('event')).toEqual([]);
  });
});

describe('the control socket', () => {
  const control = {
    reload: () => ({ accepted: true }),
    rest: async ({ path }: { path?: unknown }) => ({ path }),
    broken: () => {
      throw new TypeError('x is not a function');
    },
    unspeakable: async () => {
      const knot: Record<string, unknown> = {};
      knot['knot'] = knot;
      return knot;
    },
    silent: async () => undefined,
  };

  it('offers its methods and those of the events socket', async () => {
    await using daemon = await LocalDaemon.start({ control });
    const client = await daemon.connect(daemon.controlPath);
    expect((await client.call('reload'))['result']).toEqual({ accepted: true });
    expect((await client.call('rest', { path: '/v1/rfq' }))['result']).toEqual({ path: '/v1/rfq' });
    expect((await client.call('status'))['result']).toEqual({ pid: process.pid });
    await client.call('subscribe', { ticks: false });
    daemon.add('rfq.maker');
    await client.notification('event');
  });

  it('is named by the events socket, which refuses its methods', async () => {
    await using daemon = await LocalDaemon.start({ control });
    const client = await daemon.connect();
    const errors = [await client.call('reload'), await client.call('nonsense'), await client.call('toString')];
    const offered = 'method not found; this socket offers subscribe, unsubscribe, status, outages, ping';
    expect(errors.map(({ error }) => error)).toEqual([
      ownError(-32601, 'method not found; reload is on control.sock'),
      ownError(-32601, offered),
      ownError(-32601, offered),
    ]);
    const owner = await daemon.connect(daemon.controlPath);
    expect((await owner.call('nonsense'))['error']).toEqual(
      ownError(-32601, `${offered}, reload, rest, broken, unspeakable, silent`),
    );
  });

  it('answers a fault of ours with −32603, reports it, and goes on', async () => {
    await using daemon = await LocalDaemon.start({ control });
    const client = await daemon.connect(daemon.controlPath);
    const error = ownError(-32603, 'internal failure in figd; see its log');
    expect((await client.call('broken'))['error']).toEqual(error);
    expect(daemon.bugs).toEqual([new TypeError('x is not a function')]);
    // Cannot be written as JSON: found out only when the promise has settled.
    expect((await client.call('unspeakable'))['error']).toEqual(error);
    expect(daemon.bugs.length).toBe(2);
    expect((await client.call('ping'))['result']).toEqual({ now: expect.any(Number) });
  });

  it('answers a method that has nothing to say with null', async () => {
    await using daemon = await LocalDaemon.start({ control });
    const client = await daemon.connect(daemon.controlPath);
    expect(await client.call('silent')).toEqual({ jsonrpc: '2.0', id: 'call-1', result: null });
  });
});
