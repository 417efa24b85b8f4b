import { chmodSync, renameSync } from 'node:fs';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LocalClient } from '../../src/adapters/local-client.ts';
import {
  AccessDeniedError,
  ConnectionClosedError,
  NoAnswerError,
  NotFigdError,
  NotRunningError,
} from '../../src/adapters/local-socket-errors.ts';
import { isRecord, RpcError } from '../../src/protocol/json-rpc.ts';
import { FakeDaemon } from '../commands/support/fake-daemon.ts';

let daemon: FakeDaemon;

beforeEach(async () => {
  daemon = await FakeDaemon.start();
});

afterEach(() => daemon.remove());

/** Replaces the fake daemon by a server that says `text` and nothing else. */
async function saying(text: string): Promise<() => Promise<void>> {
  await daemon.stop();
  const server = createServer((socket) => socket.on('error', () => undefined).end(text));
  await new Promise<void>((resolve) => server.listen(daemon.path(), resolve));
  return () => new Promise((resolve) => server.close(() => resolve()));
}

it('knows what the daemon said on connecting', async () => {
  const client = await LocalClient.connect(daemon.path());
  expect(client.hello).toEqual({ protocol: 1, version: '0.1.0', epoch: 'e1', head: 9, oldest: 1, state: 'live' });
  client.close();
});

it('matches results and errors to their requests', async () => {
  daemon.handlers.set('good', ({ n }) => ({ twice: Number(n) * 2 }));
  daemon.handlers.set('bad', () => new Error('no'));
  const client = await LocalClient.connect(daemon.path());
  const [good, bad] = await Promise.allSettled([client.request('good', { n: 4 }), client.request('bad')]);
  expect(good).toEqual({ status: 'fulfilled', value: { twice: 8 } });
  expect(bad).toEqual({ status: 'rejected', reason: expect.any(RpcError) });
  expect(bad).toMatchObject({ reason: { code: -32602, message: 'no', json: '{"code":-32602,"message":"no"}' } });
  client.close();
});

it('asks with JSON as it is, and gives back the JSON that came', async () => {
  daemon.handlers.set('raw', (params, connection) => {
    expect(params).toEqual({ n: 1 });
    connection.send('{"id":1,"result":{"big":12345678901234567890, "n":1.0}}\n');
  });
  const client = await LocalClient.connect(daemon.path());
  expect(await client.requestJson('raw', '{"n":1.0}', 1_000)).toBe('{"big":12345678901234567890, "n":1.0}');
  client.close();
});

it('takes an error without an id for the answer to its only request, and for none where there are more', async () => {
  const error = { code: -32600, message: 'too long' };
  daemon.handlers.set('bad', (_params, connection) => connection.send(`${JSON.stringify({ id: null, error })}\n`));
  const client = await LocalClient.connect(daemon.path());
  await expect(client.request('bad')).rejects.toMatchObject(error);
  const others = await Promise.allSettled([client.request('silence', {}, 100), client.request('bad', {}, 100)]);
  expect(others).toMatchObject([{ reason: expect.any(NoAnswerError) }, { reason: expect.any(NoAnswerError) }]);
  client.close();
});

it('rejects a request at its deadline, and when the connection ends', async () => {
  const client = await LocalClient.connect(daemon.path());
  await expect(client.request('silence', {}, 20)).rejects.toThrow(NoAnswerError);
  const pending = client.request('silence');
  daemon.connections[0]?.hangUp('shutting down');
  await expect(pending).rejects.toThrow(/closed the connection: shutting down/);
  await expect(client.request('late')).rejects.toThrow(ConnectionClosedError);
});

it('tells apart why there is no connection', async () => {
  daemon.hangs = true;
  await expect(LocalClient.connect(daemon.path(), 50)).rejects.toThrow(NoAnswerError);
  await daemon.stop();
  await expect(LocalClient.connect(daemon.path())).rejects.toEqual(new NotRunningError(daemon.path()));
  for (const [text, kind] of [
    ['HTTP/1.1 400 Bad Request\r\n\r\n', NotFigdError],
    ['{"method":"hello","params":{"protocol":2}}\n', NotFigdError],
    ['{"method":"bye","params":{"reason":"too many consumers"}}\n', ConnectionClosedError],
    ['', ConnectionClosedError],
  ] as const) {
    const close = await saying(text);
    await expect(LocalClient.connect(daemon.path())).rejects.toThrow(kind);
    await close();
  }
});

it('takes a socket that a crash left behind for what it is', async () => {
  const stale = `${daemon.path()}.stale`;
  renameSync(daemon.path(), stale);
  await daemon.stop();
  await expect(LocalClient.connect(stale)).rejects.toEqual(new NotRunningError(stale));
});

it('says when the socket is closed to this user', async () => {
  chmodSync(daemon.path(), 0o000);
  // Root may connect to anything; nobody may not even enter the directory.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await expect(LocalClient.connect(daemon.path())).rejects.toThrow(AccessDeniedError);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

it('reads whole lines, however the bytes are cut', async () => {
  const texts = fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(texts, fc.integer({ min: 1, max: 7 }), async (messages, size) => {
      daemon.onSubscribe(1, async (connection) => {
        const lines = messages.map((message, index) => JSON.stringify({ method: 'event', params: { index, message } }));
        const bytes = Buffer.from(`${lines.join('\n')}\n`);
        for (let at = 0; at < bytes.length; at += size) {
          connection.send(bytes.subarray(at, at + size));
          await new Promise(setImmediate);
        }
        connection.hangUp();
      });
      const client = await LocalClient.connect(daemon.path());
      await client.request('subscribe');
      const got: unknown[] = [];
      for await (const { params } of client.notifications()) got.push(params);
      const whole = messages.map((message, index) => ({ index, message: JSON.parse(JSON.stringify(message)) }));
      expect(got).toEqual(whole);
    }),
    { numRuns: 30 },
  );
});

it('stops reading while the consumer is slow, and loses nothing', async () => {
  const total = 40_000;
  const sent = Promise.withResolvers<void>();
  daemon.onSubscribe(1, (connection) => {
    for (let seq = 1; seq <= total; seq += 1) connection.event(seq, 'rfq.maker', 'x'.repeat(200));
    connection.hangUp();
    sent.resolve();
  });
  const client = await LocalClient.connect(daemon.path());
  await client.request('subscribe');
  const notifications = client.notifications();
  const first = await notifications.next();
  await sent.promise;
  // Far more than the socket's buffers hold is still with the sender, so the connection cannot have ended.
  for (let turn = 0; turn < 1_000; turn += 1) await new Promise(setImmediate);
  expect(client.ended).toBeUndefined();
  const seqs = [first.value, ...(await Array.fromAsync(notifications))].map(
    (item) => isRecord(item?.params) && item.params['seq'],
  );
  expect(seqs).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  expect(client.ended).toBeInstanceOf(ConnectionClosedError);
});
