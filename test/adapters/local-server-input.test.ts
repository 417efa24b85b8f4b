import fc from 'fast-check';
import { expect, it } from 'vitest';
import { maxRequestLineBytes } from '../../src/protocol/local.ts';
import { until, within } from '../support/until.ts';
import { LineClient, ownError } from './support/line-client.ts';
import { LocalDaemon, type LocalDaemonOptions } from './support/local-daemon.ts';

const bye = (reason: string) => ({ jsonrpc: '2.0', method: 'bye', params: { reason, head: expect.any(Number) } });
const asksNothingMore = 'the client asks nothing more';
const tooLong = 'the line is longer than 1048576 bytes';
const longLine = ownError(-32600, tooLong);

it.each([
  ['what is not JSON', 'hello?', null, -32700, 'the line is not JSON'],
  ['a batch', '[{"id":1,"method":"ping"}]', null, -32600, 'batches are not supported: one request a line'],
  ['a request without a method', '{"id":1}', 1, -32600, 'method is missing or not a string'],
  ['params that are no object', '{"id":1,"method":"ping","params":[]}', 1, -32602, 'params is an object'],
  ['wrong parameters', '{"id":1,"method":"subscribe","params":{"ticks":1}}', 1, -32602, 'ticks is true or false'],
])('answers %s with an error and goes on', async (_what, line, id, code, message) => {
  await using daemon = await LocalDaemon.start();
  const client = await daemon.connect();
  client.write(`${line}\n{"id":"next","method":"ping"}\n`);
  const next = await client.message('the next answer', (reply) => reply['id'] === 'next');
  expect(client.messages.slice(1)).toEqual([{ jsonrpc: '2.0', id, error: ownError(code, message) }, next]);
  expect(daemon.bugs).toEqual([]);
});

it('answers a line that is not UTF-8 with −32700 and goes on', async () => {
  await using daemon = await LocalDaemon.start();
  const client = await daemon.connect();
  client.write(Buffer.from([...Buffer.from('{"id":1,"method":"'), 0xff, 0xfe, ...Buffer.from('"}\n')]));
  await client.line(1);
  const error = ownError(-32700, 'the line is not UTF-8');
  expect(client.messages[1]).toEqual({ jsonrpc: '2.0', id: null, error });
  expect(await client.call('ping')).toHaveProperty('result');
});

it('passes over empty lines, and reads lines that end in CR LF', async () => {
  await using daemon = await LocalDaemon.start();
  const client = await daemon.connect();
  client.write('\n\n{"id":1,"method":"ping"}\r\n\n');
  await client.line(1);
  await client.call('ping');
  expect(client.messages.slice(1).map(({ id }) => id)).toEqual([1, 'call-1']);
});

it('says nothing to half a line until the rest has come', async () => {
  await using daemon = await LocalDaemon.start();
  const [half, other] = [await daemon.connect(), await daemon.connect()];
  half.write('{"id":1,"meth');
  await other.call('ping');
  expect(half.lines.length).toBe(1);
  half.write('od":"ping"}\n');
  await half.line(1);
  expect(half.messages[1]).toMatchObject({ id: 1, result: {} });
});

it('answers many requests in one chunk, each once and in order', async () => {
  await using daemon = await LocalDaemon.start();
  const client = await daemon.connect();
  const ids = Array.from({ length: 2_000 }, (_, index) => index);
  client.write(ids.map((id) => `{"id":${id},"method":"ping"}\n`).join(''));
  await client.line(2_000);
  expect(client.messages.slice(1).map(({ id }) => id)).toEqual(ids);
});

it('gives the same answers wherever the bytes of the requests are cut', async () => {
  await using daemon = await LocalDaemon.start({ status: { name: 'größe €😀' } });
  const script = Buffer.from(
    '{"id":1,"method":"status"}\nnonsense\n\n{"id":"zwölf €😀","method":"unheard"}\r\n{"id":3,"method":"unsubscribe"}\n',
  );
  const whole = await daemon.connect();
  whole.write(script);
  await whole.line(4);
  const expected = whole.lines.slice(1);
  expect(expected.length).toBe(4);
  await fc.assert(
    fc.asyncProperty(fc.subarray([...script.keys()].slice(1)), async (cuts) => {
      const client = await daemon.connect();
      client.socket.setNoDelay(true);
      for (const [index, from] of [0, ...cuts].entries()) {
        client.write(script.subarray(from, cuts[index]));
        await new Promise(setImmediate);
      }
      await client.line(4);
      expect(client.lines.slice(1)).toEqual(expected);
      await client.close();
    }),
    { numRuns: 25, examples: [[[...script.keys()].slice(1)], [[]]] },
  );
});

it('takes a line of exactly 1 MiB', async () => {
  await using daemon = await LocalDaemon.start();
  const client = await daemon.connect();
  const request = '{"id":1,"method":"ping"}';
  client.write(`${request.padEnd(maxRequestLineBytes)}\n`);
  await client.line(1);
  expect(client.messages[1]).toMatchObject({ id: 1, result: {} });
});

it.each([
  ['with its end', `${'x'.repeat(maxRequestLineBytes + 1)}\n`],
  ['without its end', 'x'.repeat(maxRequestLineBytes + 1)],
  ['that never ends', 'x'.repeat(4 * maxRequestLineBytes)],
  ['followed by requests', `${'x'.repeat(maxRequestLineBytes + 1)}\n{"id":1,"method":"ping"}\n`],
])('answers a line over 1 MiB %s with −32600 and closes the connection', async (_what, text) => {
  await using daemon = await LocalDaemon.start();
  const [client, other] = [await daemon.connect(), await daemon.follower()];
  await client.call('subscribe', { ticks: false });
  client.write(text);
  await until('the end of the connection', () => client.ended);
  daemon.add('rfq.maker');
  await other.notification('event');
  expect(client.messages.slice(2)).toEqual([{ jsonrpc: '2.0', id: null, error: longLine }, bye(tooLong)]);
  await until('the client to be forgotten', () => daemon.server.subscribers().length === 1);
});

it('takes in the rest of a line that is too long, so that no reset overtakes the answer', async () => {
  await using daemon = await LocalDaemon.start();
  const client = await daemon.connect();
  const sent = Promise.withResolvers<Error | null | undefined>();
  client.socket.write('x'.repeat(8 * maxRequestLineBytes), sent.resolve);
  expect(await within('the line to be taken', sent.promise)).toBeFalsy();
  await client.whenClosed();
  expect(client.messages.slice(1)).toEqual([{ jsonrpc: '2.0', id: null, error: longLine }, bye(tooLong)]);
});

it('closes within seconds even on a client that reads nothing and never stops sending', async () => {
  await using daemon = await LocalDaemon.start();
  const client = await daemon.connect();
  client.socket.pause();
  const chunk = 'x'.repeat(65_536);
  const send = () => {
    while (!client.closed && client.socket.writable && client.socket.write(chunk));
  };
  client.socket.on('drain', send);
  send();
  await until('the connection to break', () => !client.socket.writable);
});

/** A control that answers `rest` when the test does. */
function slowControl() {
  const called = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<object>();
  const rest = () => {
    called.resolve();
    return answer.promise;
  };
  return { control: { rest }, called: called.promise, answer: answer.resolve };
}

it('keeps a client that is answered by promises from disturbing itself when it leaves', async () => {
  const { control, called, answer } = slowControl();
  await using daemon = await LocalDaemon.start({ control });
  const client = await daemon.connect(daemon.controlPath);
  client.write('{"id":1,"method":"rest"}\n');
  await called;
  await client.close();
  answer({ late: true });
  const other = await daemon.connect();
  expect(await other.call('ping')).toHaveProperty('result');
  expect(daemon.bugs).toEqual([]);
});

it('tells a method that nobody waits for its answer any more', async () => {
  const called = Promise.withResolvers<AbortSignal>();
  const control: LocalDaemonOptions['control'] = {
    rest: (_params, { gone }) => {
      called.resolve(gone);
      return new Promise(() => undefined);
    },
  };
  await using daemon = await LocalDaemon.start({ control });
  const client = await daemon.connect(daemon.controlPath);
  client.write('{"id":1,"method":"rest"}\n');
  const gone = await called.promise;
  expect(gone.aborted).toBe(false);
  await daemon.stop();
  await until('it is told', () => gone.aborted);
});

it('answers a client that closes its half of the connection behind its request', async () => {
  await using daemon = await LocalDaemon.start();
  const client = await daemon.connect();
  client.socket.end('{"id":1,"method":"status"}\n');
  await client.whenClosed();
  expect(client.messages[1]).toEqual({ jsonrpc: '2.0', id: 1, result: { pid: process.pid } });
});

it('gives a client that closes its half the answer that has to be waited for', async () => {
  const { control, called, answer } = slowControl();
  await using daemon = await LocalDaemon.start({ control });
  const client = await daemon.connect(daemon.controlPath);
  client.socket.end('{"id":1,"method":"rest"}\n{"id":2,"method":"ping"}\n');
  await called;
  await client.line(1);
  answer({ late: true });
  await client.whenClosed();
  expect(client.messages.slice(2)).toEqual([{ jsonrpc: '2.0', id: 1, result: { late: true } }, bye(asksNothingMore)]);
});

it('waits a second at most for a client that has closed its half when it has to end itself', async () => {
  await using daemon = await LocalDaemon.start({ status: { much: 'x'.repeat(500_000) } });
  const client = await daemon.connect();
  client.socket.pause();
  client.socket.end('{"id":1,"method":"status"}\n');
  await until('the answer', () => daemon.statusCalls === 1);
  // Until it has been heard that nothing more will be asked.
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  await within('the end', daemon.stop(), 3_000);
});

it('gives a client that closes its half all answers it has coming, as slowly as it reads them', async () => {
  await using daemon = await LocalDaemon.start({ status: { text: 'y'.repeat(20_000) }, consumerBuffer: 65_536 });
  const client = await daemon.connect();
  client.socket.pause();
  client.socket.end(Array.from({ length: 500 }, (_, id) => `{"id":${id},"method":"status"}\n`).join(''));
  await until('the first answers', () => daemon.statusCalls > 0);
  client.socket.resume();
  await client.whenClosed();
  expect(client.messages.at(-1)).toEqual(bye(asksNothingMore));
  expect(client.messages.slice(1, -1).map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, id) => id));
});

it('keeps 16 MiB of unfinished lines, and turns away the one that goes beyond, and nobody with a short line', async () => {
  await using daemon = await LocalDaemon.start();
  const half = 'x'.repeat(maxRequestLineBytes);
  const clients = await Promise.all(Array.from({ length: 24 }, () => daemon.connect()));
  const short = await daemon.connect();
  for (const client of clients) client.write(half);
  short.write(`{"id":1,"method":"ping"${' '.repeat(8_000)}`);
  await until('some to be turned away', () => clients.filter(({ closed }) => closed).length >= 8);
  const refusal = 'the unfinished lines of all connections are longer than 16777216 bytes together';
  for (const client of clients.filter(({ closed }) => closed)) {
    const error = ownError(-32600, refusal);
    expect(client.messages.slice(1)).toEqual([{ jsonrpc: '2.0', id: null, error }, bye(refusal)]);
  }
  short.write('}\n');
  await short.line(1);
  expect(short.messages[1]).toMatchObject({ id: 1, result: {} });
  // Its memory is free again as soon as they have gone.
  await Promise.all(clients.map((client) => client.close()));
  const next = await daemon.connect();
  next.write(`{"id":2,"method":"ping"}${' '.repeat(maxRequestLineBytes - 100)}`);
  next.write('\n');
  await next.line(1);
  expect(next.messages[1]).toMatchObject({ id: 2, result: {} });
});

it('leaves nothing behind when clients leave in the middle of anything', async () => {
  await using daemon = await LocalDaemon.start();
  for (let seq = 0; seq < 500; seq += 1) daemon.add('rfq.maker', 'x'.repeat(2_000));
  const subscribe = '{"id":1,"method":"subscribe","params":{"from":"oldest"}}\n';
  const scripts = ['', '{"id":1', subscribe, `${subscribe}{"id":2,`, subscribe.repeat(3), 'x'.repeat(2_000_000)];
  await Promise.all(
    scripts.flatMap((script) =>
      [0, 1, 5].map(async (turns) => {
        const client = await LineClient.open(daemon.eventsPath);
        client.write(script);
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
        await client.close();
      }),
    ),
  );
  await daemon.deserted();
  const witness = await daemon.follower();
  daemon.add('rfq.maker');
  await witness.notification('event');
  expect(daemon.server.subscribers().length).toBe(1);
  expect(daemon.bugs).toEqual([]);
});
