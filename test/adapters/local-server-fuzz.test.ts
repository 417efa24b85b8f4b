import fc from 'fast-check';
import { expect, it } from 'vitest';
import { until, within } from '../support/until.ts';
import { plan, type Visit, visit } from './support/fuzz.ts';
import { LineClient } from './support/line-client.ts';
import { LocalDaemon } from './support/local-daemon.ts';

const turn = () => new Promise(setImmediate);

/** The ids of the replies that came, as JSON. */
function repliesOf(client: LineClient): string[] {
  return client.messages.flatMap((message) => (Object.hasOwn(message, 'id') ? [JSON.stringify(message['id'])] : []));
}

/** Whether each of `some` is in `all`, as often. */
function isPartOf(some: readonly string[], all: readonly string[]): boolean {
  const left = new Map<string, number>();
  for (const each of all) left.set(each, (left.get(each) ?? 0) + 1);
  return some.every((each) => {
    const count = left.get(each) ?? 0;
    left.set(each, count - 1);
    return count > 0;
  });
}

/** Makes one visit, and checks what the visitor got. Resolves with how it goes in the end. */
async function pay(daemon: LocalDaemon, { pieces, replies, isThrownOut }: ReturnType<typeof plan>, { ending }: Visit) {
  const client = await LineClient.open(daemon.eventsPath);
  if (ending === 'never reads') client.socket.pause();
  for (const piece of pieces) {
    if (client.socket.writable) client.write(piece);
    daemon.add('rfq.maker');
    await turn();
  }
  if (ending === 'half-closes' || ending === 'half-closes in a line') client.socket.end();
  if (ending === 'never reads') return client;
  if (ending !== 'destroys') {
    await until('all replies', () => client.closed || repliesOf(client).length >= replies.length);
    if (isThrownOut || ending !== 'waits') await client.whenClosed();
    expect(repliesOf(client).toSorted()).toEqual(replies.toSorted());
  }
  await client.close();
  expect(isPartOf(repliesOf(client), replies)).toBe(true);
  expect(client.params('event').map(({ seq }) => seq)).toEqual(client.seqs());
  return client;
}

it('whatever visitors send, and however they go: everybody else has every event once and in order, and answers', async () => {
  await using daemon = await LocalDaemon.start({ status: { pad: 'y'.repeat(2_000) }, maxConsumers: 16 });
  const witness = await daemon.follower();
  const before = process.memoryUsage();
  await fc.assert(
    fc.asyncProperty(fc.array(visit, { minLength: 1, maxLength: 4 }), async (visits) => {
      const first = daemon.log.head + 1;
      const seen = witness.lines.length;
      const clients = await Promise.all(visits.map((each) => pay(daemon, plan(each), each)));
      const last = daemon.add('rfq.maker');
      await until('the last event', () => witness.lines.length >= seen + last - first + 1, 2_000);
      const lines = witness.lines.slice(seen).map((line) => JSON.parse(line) as { params: { seq: number } });
      expect(lines.map(({ params }) => params.seq)).toEqual(
        Array.from({ length: last - first + 1 }, (_, at) => first + at),
      );
      await Promise.all(clients.map((client) => client.close()));
      await until('nobody but the witness', () => daemon.server.subscribers().length === 1);
      const other = await LineClient.open(daemon.eventsPath);
      expect((await within('an answer', other.call('ping'), 2_000))['result']).toEqual({ now: expect.any(Number) });
      await other.close();
      expect(daemon.bugs).toEqual([]);
    }),
    { numRuns: 200, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
  );
  const after = process.memoryUsage();
  expect(after.rss - before.rss).toBeLessThan(512 * 1_048_576);
});

it('a visitor who leaves at any byte of its requests leaves nothing behind', async () => {
  await using daemon = await LocalDaemon.start();
  const witness = await daemon.follower();
  const script = Buffer.from('{"id":"é","method":"subscribe","params":{"from":"oldest"}}\n{"id":2,"method":"ping"}\n');
  for (let length = 0; length <= script.length; length += 1) {
    const client = await LineClient.open(daemon.eventsPath);
    client.write(script.subarray(0, length));
    daemon.add('rfq.maker');
    if (length % 2 === 0) await turn();
    await client.close();
  }
  await until('every event', () => witness.seqs().length === script.length + 1);
  expect(witness.seqs()).toEqual(Array.from({ length: script.length + 1 }, (_, index) => index + 1));
  await until('nobody but the witness', () => daemon.server.subscribers().length === 1);
  expect(daemon.bugs).toEqual([]);
});
