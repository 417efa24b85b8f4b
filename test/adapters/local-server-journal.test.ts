import { expect, it } from 'vitest';
import { SlowJournal } from '../log/support/slow-journal.ts';
import { line, range } from '../log/support.ts';
import { until } from '../support/until.ts';
import { LocalDaemon } from './support/local-daemon.ts';

const allConnections = ({ server }: LocalDaemon) => (server.view() as { connections: { all: number } }).connections.all;

async function start(): Promise<{ daemon: LocalDaemon; journal: SlowJournal }> {
  const journal = new SlowJournal();
  journal.first = 1;
  journal.lines.set(
    'e1',
    new Map(range(1, 300).map((seq) => [seq, line(seq, 'rfq.maker', JSON.stringify('x'.repeat(1_000)))])),
  );
  const daemon = await LocalDaemon.start({ journal, ringBytes: 1_048_576, status: { much: 'x'.repeat(500_000) } });
  // The first ones leave the memory.
  for (let count = 0; count < 1_200; count += 1) daemon.add('rfq.maker', 'x'.repeat(1_000));
  return { daemon, journal };
}

/** A client that asks, reads none of the replies, and is killed once figd has a question to the journal. */
async function dieAsking({ daemon, journal }: Awaited<ReturnType<typeof start>>, from: unknown): Promise<void> {
  const client = await daemon.connect();
  client.socket.pause();
  const subscribe = { jsonrpc: '2.0', id: 2, method: 'subscribe', params: { from } };
  client.write(`{"jsonrpc":"2.0","id":1,"method":"status"}\n${JSON.stringify(subscribe)}\n`);
  await until('a question', () => journal.waiting === 1);
  // What it has not read turns its end into a reset.
  client.socket.destroy();
  await until('the connection to be gone', () => allConnections(daemon) === 0);
}

it.each([['oldest'], [{ since: 5 }]])('reads nothing more for a connection that has ended: from %j', async (from) => {
  const { daemon, journal } = await start();
  await using _daemon = daemon;
  await dieAsking({ daemon, journal }, from);
  journal.settle();
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  expect([daemon.server.subscribers(), journal.waiting]).toEqual([[], 0]);
});

it.each([
  ['subscribe', { channels: ['rfq.taker'], ticks: false }, ['rfq.taker']],
  ['unsubscribe', {}, []],
])('hears what comes behind a subscription by a moment once that holds: %s', async (method, params, channels) => {
  const { daemon, journal } = await start();
  await using _daemon = daemon;
  journal.first = 1_200;
  const client = await daemon.connect();
  const first = { channels: ['rfq.maker'], from: { since: 5 }, ticks: false };
  const requests = [
    { jsonrpc: '2.0', id: 1, method: 'subscribe', params: first },
    { jsonrpc: '2.0', id: 2, method, params },
  ];
  client.write(requests.map((request) => `${JSON.stringify(request)}\n`).join(''));
  await until('a question', () => journal.waiting === 1);
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  journal.settle();
  await client.message('the second reply', ({ id }) => id === 2);
  expect(client.messages.flatMap(({ id }) => (id === undefined ? [] : [id]))).toEqual([1, 2]);
  for (const channel of ['rfq.taker', 'rfq.maker']) daemon.add(channel);
  await client.call('ping');
  const came = client.params('event').filter(({ seq }) => Number(seq) > 1_200);
  expect(came.map(({ channel }) => channel)).toEqual(channels);
});

const receivedAt = 1_795_334_400_123.456;

it.each([
  ['a moment before all that is kept', 1_200, receivedAt - 1, { resumed: false, reason: 'expired' }],
  ['the moment of the oldest event', 1_200, receivedAt, { resumed: true }],
  ['a moment before figd was started', 3, receivedAt - 1, { resumed: false, reason: 'epoch' }],
])('without a journal begins at the oldest event, and says whether something is missing: %s', async (...given) => {
  const [, events, since, told] = given;
  await using daemon = await LocalDaemon.start({ ringBytes: 1_048_576 });
  for (let count = 0; count < events; count += 1) daemon.add('rfq.maker', 'x'.repeat(1_000));
  const client = await daemon.connect();
  const { result } = await client.call('subscribe', { from: { since }, ticks: false });
  const { from, head, epoch, ...rest } = result as Record<string, unknown>;
  expect([from, rest]).toEqual([daemon.log.oldest, told]);
});

it('with a journal has all since a moment that lies before its first event of all', async () => {
  const { daemon, journal } = await start();
  await using _daemon = daemon;
  const client = await daemon.connect();
  client.write('{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"from":{"since":5}}}\n');
  await until('a question', () => journal.waiting === 1);
  journal.settle();
  const reply = await client.message('the reply', ({ id }) => id === 1);
  expect(reply['result']).toMatchObject({ from: 1, resumed: true });
});
