import { expect, it } from 'vitest';
import { until } from '../support/until.ts';
import type { LineClient } from './support/line-client.ts';
import { ownError } from './support/line-client.ts';
import { LocalDaemon } from './support/local-daemon.ts';

const kilobyte = 'x'.repeat(1_000);
const sliceBytes = 262_144;
const lineBytes = 1_200;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

function buffered(daemon: LocalDaemon): number {
  return Math.max(0, ...daemon.server.subscribers().map(({ bufferedBytes }) => bufferedBytes));
}

/** Appends events, some in each turn, and returns the most that ever waited in a socket. */
async function pour(daemon: LocalDaemon, count: number): Promise<number> {
  let most = 0;
  for (let sent = 0; sent < count; sent += 1) {
    daemon.add('rfq.maker', kilobyte);
    if (sent % 100 === 99) {
      await turns(2);
      most = Math.max(most, buffered(daemon));
    }
  }
  return most;
}

/** The sequence numbers that came, and those the client was told are lost. */
function accounted({ messages }: LineClient): number[] {
  return messages.flatMap(({ method, params }) => {
    const { seq, from, to } = (params ?? {}) as { seq: number; from: number; to: number };
    if (method === 'event') return [seq];
    return method === 'lost' ? range(from, to) : [];
  });
}

it('lets no more wait in the socket of a client that does not read than the buffer and a slice', async () => {
  await using daemon = await LocalDaemon.start({ consumerBuffer: 131_072, ringBytes: 64 * 1_048_576 });
  const slow = await daemon.follower();
  slow.socket.pause();
  const most = await pour(daemon, 10_000);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(131_072 + sliceBytes + lineBytes);
  expect(daemon.server.subscribers()[0]?.cursor.lag).toBeGreaterThan(5_000);
  slow.socket.resume();
  await until('all events', () => slow.lines.length >= 10_002);
  expect(slow.seqs()).toEqual(range(1, 10_000));
});

it('tells a client that was overtaken which events it lost, and goes on without a hole', async () => {
  await using daemon = await LocalDaemon.start({ consumerBuffer: 65_536, ringBytes: 1_048_576 });
  const slow = await daemon.follower();
  slow.socket.pause();
  await pour(daemon, 5_000);
  slow.socket.resume();
  await until('the lost range', () => slow.params('lost').length > 0);
  daemon.add('rfq.maker', 'last');
  await until('the last event', () => slow.seqs().at(-1) === 5_001);
  expect(accounted(slow)).toEqual(range(1, 5_001));
  expect(slow.params('lost')).toEqual([{ from: expect.any(Number), to: expect.any(Number), reason: 'expired' }]);
  expect(slow.seqs().length).toBeLessThan(5_001);
});

it('delays nobody else for one that does not read', async () => {
  await using daemon = await LocalDaemon.start({ consumerBuffer: 65_536, ringBytes: 1_048_576 });
  const slow = await daemon.follower();
  slow.socket.pause();
  const others = [await daemon.follower(), await daemon.follower(), await daemon.follower()];
  for (let sent = 0; sent < 5_000; sent += 100) {
    await pour(daemon, 100);
    await until('the others to have it', () => others.every((one) => one.lines.length === sent + 102));
  }
  for (const other of others) expect(other.seqs()).toEqual(range(1, 5_000));
  expect(slow.lines.length).toBe(2);
});

it.each([1, 4_096, 65_535])('serves a slow client even with a buffer of %d bytes', async (consumerBuffer) => {
  await using daemon = await LocalDaemon.start({ consumerBuffer });
  const slow = await daemon.follower();
  slow.socket.pause();
  await pour(daemon, 2_000);
  slow.socket.resume();
  await until('all events', () => slow.lines.length >= 2_002);
  expect(slow.seqs()).toEqual(range(1, 2_000));
});

it('gives a client with a filter that passes little all it wants of a long log', async () => {
  await using daemon = await LocalDaemon.start({ ringBytes: 64 * 1_048_576 });
  for (let seq = 1; seq <= 30_000; seq += 1) daemon.add(seq % 10_000 === 0 ? 'rfq.taker' : 'rfq.maker');
  const client = await daemon.follower({ channels: ['rfq.taker'], from: 'oldest' });
  await until('three events', () => client.seqs().length === 3);
  expect(client.seqs()).toEqual([10_000, 20_000, 30_000]);
});

it('stops reading a client that floods it with requests and reads no replies, and answers all when it does', async () => {
  const answer = { text: 'y'.repeat(20_000) };
  const consumerBuffer = 131_072;
  await using daemon = await LocalDaemon.start({ consumerBuffer, status: answer });
  const flooder = await daemon.follower();
  flooder.socket.pause();
  const requests = 3_000;
  flooder.write(
    range(1, requests)
      .map((id) => `{"id":${id},"method":"status"}\n`)
      .join(''),
  );
  const other = await daemon.connect();
  let most = 0;
  for (let round = 0; round < 50; round += 1) {
    await other.call('ping');
    most = Math.max(most, buffered(daemon));
  }
  expect(most).toBeGreaterThan(0);
  // One reply may go over, whatever came in the same chunk.
  expect(most).toBeLessThanOrEqual(consumerBuffer + 21_000);
  expect(daemon.statusCalls).toBeLessThan(100);
  flooder.socket.resume();
  await until('all replies', () => flooder.lines.length === requests + 2);
  expect(flooder.messages.slice(2).map(({ id }) => id)).toEqual(range(1, requests));
});

it('takes as many subscribers as it is told, and another as soon as one has gone', async () => {
  await using daemon = await LocalDaemon.start({ maxConsumers: 2 });
  const [first] = [await daemon.follower(), await daemon.follower()];
  const third = await daemon.connect();
  const refusal = ownError(-32002, 'there are 2 consumers already (local.maxConsumers)');
  expect((await third.call('subscribe'))['error']).toEqual(refusal);
  expect(await first.call('subscribe', { ticks: false })).toHaveProperty('result');
  expect(await third.call('status')).toHaveProperty('result');
  await first.close();
  await until('a free place', () => daemon.server.subscribers().length === 1);
  expect(await third.call('subscribe', { ticks: false })).toHaveProperty('result');
});

it('says bye to connections far beyond the consumers, and keeps the control socket open', async () => {
  await using daemon = await LocalDaemon.start({ maxConsumers: 1 });
  const welcome = await Promise.all(range(1, 65).map(() => daemon.connect()));
  const turnedAway = await daemon.connect();
  await turnedAway.whenClosed();
  expect(turnedAway.messages[1]).toEqual({
    jsonrpc: '2.0',
    method: 'bye',
    params: { reason: 'too many connections', head: 0 },
  });
  expect(await (await daemon.connect(daemon.controlPath)).call('status')).toHaveProperty('result');
  expect(welcome.filter(({ closed }) => closed)).toEqual([]);
});

it('takes as many, with as much waiting for each, as it is told while it runs; whoever is there stays', async () => {
  await using daemon = await LocalDaemon.start({ maxConsumers: 1 });
  const first = await daemon.follower();
  daemon.server.limit({ maxConsumers: 3, consumerBuffer: 65_536 });
  const [second, third] = [await daemon.follower(), await daemon.follower()];
  daemon.server.limit({ maxConsumers: 1, consumerBuffer: 65_536 });
  const late = await daemon.connect();
  const refusal = ownError(-32002, 'there are 1 consumers already (local.maxConsumers)');
  expect((await late.call('subscribe'))['error']).toEqual(refusal);
  for (const client of [first, second, third]) client.socket.pause();
  const message = 'x'.repeat(20_000);
  await until('both to be full', () => {
    daemon.add('rfq.maker', message);
    return daemon.server.subscribers().every(({ cursor }) => cursor.lag > 100);
  });
  const waiting = daemon.server.subscribers().map(({ bufferedBytes }) => bufferedBytes);
  // The first one has the buffer of the time at which it connected, a mebibyte.
  expect(waiting[0]).toBeGreaterThan(500_000);
  for (const bytes of waiting.slice(1)) expect(bytes).toBeLessThanOrEqual(65_536 + 21_000);
});

it('makes room for connections with the consumers that it takes', async () => {
  await using daemon = await LocalDaemon.start({ maxConsumers: 1 });
  daemon.server.limit({ maxConsumers: 11, consumerBuffer: 65_536 });
  const welcome = await Promise.all(range(1, 75).map(() => daemon.connect()));
  const turnedAway = await daemon.connect();
  await turnedAway.whenClosed();
  expect(turnedAway.messages[1]).toMatchObject({ method: 'bye', params: { reason: 'too many connections' } });
  expect(welcome.filter(({ closed }) => closed)).toEqual([]);
});
