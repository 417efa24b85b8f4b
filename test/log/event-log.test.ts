import { expect, it } from 'vitest';
import { Cursor } from '../../src/log/cursor.ts';
import { line, range, readAll, seqs, testLog } from './support.ts';

it('numbers events from 1 without holes', () => {
  const { log, add } = testLog();
  expect([log.head, log.oldest]).toEqual([0, 1]);
  expect(range(1, 500).map((index) => add(`c${index % 3}`))).toEqual(range(1, 500));
  expect([log.head, log.oldest]).toEqual([500, 1]);
});

it('writes the line of the contract, byte for byte', () => {
  const { log } = testLog();
  const [cursor] = Cursor.open(log, {});
  const message = Buffer.from('{ "a" : 1.50e+2, "b":"\u00e9\\/" }');
  log.append({ channel: 'rfq.maker', message, receivedAt: 1_795_334_400_123.456, session: 7 });
  log.append({ channel: 'venue.unrouted', message: Buffer.from('"x"'), receivedAt: 1, session: 7, encoding: 'text' });
  const own = Buffer.from('{"state":"live"}');
  log.append({ channel: 'figd.state', message: own, receivedAt: 1_795_334_400_124 + 4095 / 4096, session: 0 });
  expect(readAll(cursor)).toBe(
    '{"jsonrpc":"2.0","method":"event","params":{"seq":1,"channel":"rfq.maker","receivedAt":1795334400123.456,"session":7,"message":{ "a" : 1.50e+2, "b":"\u00e9\\/" }}}\n' +
      '{"jsonrpc":"2.0","method":"event","params":{"seq":2,"channel":"venue.unrouted","receivedAt":1.000,"session":7,"encoding":"text","message":"x"}}\n' +
      '{"jsonrpc":"2.0","method":"event","params":{"seq":3,"channel":"figd.state","receivedAt":1795334400125.000,"session":0,"message":{"state":"live"}}}\n',
  );
});

it('keeps its own copy of the message', () => {
  const { log } = testLog();
  const [cursor] = Cursor.open(log, {});
  const message = Buffer.from('{"a":1}');
  log.append({ channel: 'rfq.maker', message, receivedAt: 1_795_334_400_123, session: 1 });
  message.fill(0x20);
  expect(readAll(cursor)).toBe(line(1, 'rfq.maker', '{"a":1}'));
});

it('writes a channel of any name as JSON', () => {
  const { log, add } = testLog();
  const [cursor] = Cursor.open(log, {});
  const names = ['"quoted"', 'back\\slash', 'zeile\n', 'ü€😀', '\ud800', '\u007f\u2028'];
  for (const name of names) add(name);
  const text = readAll(cursor);
  const lines = text.split('\n').slice(0, -1);
  expect(lines.map((one) => JSON.parse(one).params.channel)).toEqual(names);
  expect(text).toMatch(/^[\n\x20-\x7e]*$/);
});

it('counts events and notes the latest of each channel', () => {
  const { log } = testLog();
  const message = Buffer.from('{}');
  log.append({ channel: 'rfq.maker', message, receivedAt: 10, session: 1 });
  log.append({ channel: 'rfq.maker', message, receivedAt: 20, session: 1 });
  log.append({ channel: 'figd.state', message, receivedAt: 30, session: 0 });
  const known = log.channels.all().map(({ name, events, lastEventAt }) => [name, events, lastEventAt]);
  expect(known).toEqual([
    ['figd.state', 1, 30],
    ['figd.gap', 0, null],
    ['venue.unrouted', 0, null],
    ['figd.reconcile', 0, null],
    ['rfq.maker', 2, 20],
  ]);
});

it("does not take figd's own facts for a sign of life of the venue", () => {
  const { log } = testLog();
  const message = Buffer.from('{}');
  log.append({ channel: 'figd.state', message, receivedAt: 5, session: 0 });
  expect(log.lastReceivedAt).toBeNull();
  log.append({ channel: 'rfq.maker', message, receivedAt: 6.5, session: 1 });
  log.append({ channel: 'figd.state', message, receivedAt: 7, session: 0 });
  expect(log.lastReceivedAt).toBe(6.5);
});

it('announces once at the end of each turn in which events came, and not in others', () => {
  const { log, add, endTurn, waiting } = testLog();
  const heads: number[] = [];
  log.attach({ appended: () => heads.push(log.head) });
  for (const _ of range(1, 100)) add('rfq.maker');
  expect([waiting.length, heads]).toEqual([1, []]);
  endTurn();
  endTurn();
  expect([waiting.length, heads]).toEqual([0, [100]]);
  add('rfq.maker');
  endTurn();
  expect(heads).toEqual([100, 101]);
});

it('announces to every listener, until it is told to stop', () => {
  const { log, add, endTurn } = testLog();
  const calls: string[] = [];
  const stop = log.attach({ appended: () => calls.push('first') });
  log.attach({ appended: () => calls.push('second') });
  add('rfq.maker');
  endTurn();
  stop();
  add('rfq.maker');
  endTurn();
  expect(calls).toEqual(['first', 'second', 'second']);
});

it('announces again what a listener appends', () => {
  const { log, add, endTurn } = testLog();
  const heads: number[] = [];
  log.attach({
    appended: () => {
      heads.push(log.head);
      if (log.head === 1) add('figd.gap');
    },
  });
  add('rfq.maker');
  endTurn();
  endTurn();
  expect(heads).toEqual([1, 2]);
});

it('gives a line larger than a slab a slab of its own, and keeps it while it is the newest', () => {
  const { log, add } = testLog({ ringBytes: 65_536 });
  add('rfq.maker');
  const huge = 'x'.repeat(300_000);
  add('rfq.maker', huge);
  expect([log.oldest, log.head]).toEqual([2, 2]);
  const [cursor] = Cursor.open(log, { from: 'oldest' });
  expect(readAll(cursor)).toBe(line(2, 'rfq.maker', JSON.stringify(huge)));
  expect(log.heldBytes).toBe(line(2, 'rfq.maker', JSON.stringify(huge)).length);
  add('rfq.maker');
  expect([log.oldest, log.head, log.heldBytes]).toEqual([3, 3, 65_536]);
});

it('looks at no more than 4,096 lines in one read, so that a filter cannot hold up the loop', () => {
  const { log, add } = testLog({ ringBytes: 16 * 1_048_576 });
  for (const _ of range(1, 10_000)) add('rfq.maker');
  add('rfq.taker');
  const [cursor] = Cursor.open(log, { channels: ['rfq.taker'], from: 'oldest' });
  const reads = range(1, 3).map(() => {
    const { bytes, next } = cursor.read(65_536);
    return { bytes, next };
  });
  const last = line(10_001, 'rfq.taker', '{}').length;
  expect(reads).toEqual([
    { bytes: 0, next: 4_097 },
    { bytes: 0, next: 8_193 },
    { bytes: last, next: 10_002 },
  ]);
});

it('gives an empty batch at the head and beyond', () => {
  const { log, add } = testLog();
  add('rfq.maker');
  const [cursor] = Cursor.open(log, {});
  expect(cursor.read(1_000)).toEqual({ chunks: [], bytes: 0, next: 2, lost: null });
  expect(log.read(9, cursor.filter, 1_000)).toEqual({ chunks: [], bytes: 0, next: 9, lost: null });
});

it('gives neighbouring events of a slab as one chunk, and cuts where the filter leaves one out', () => {
  const { log, add } = testLog();
  for (const channel of ['a', 'a', 'b', 'a', 'figd.gap', 'b']) add(channel);
  const [cursor] = Cursor.open(log, { channels: ['a'], from: 'oldest' });
  const { chunks, bytes, next } = cursor.read(65_536);
  expect(chunks.map((chunk) => seqs(chunk.toString('utf8')))).toEqual([
    [1, 2],
    [4, 5],
  ]);
  expect([bytes, next]).toEqual([Buffer.concat(chunks).length, 7]);
});
