import { expect, it } from 'vitest';
import { EventWriter } from '../../src/adapters/event-writer.ts';
import { Cursor } from '../../src/log/cursor.ts';
import { EventLog } from '../../src/log/event-log.ts';
import { passingNumbers } from '../../src/log/numbers.ts';
import { SlowJournal } from '../log/support/slow-journal.ts';
import { line, receivedAt, seqs, testLog } from '../log/support.ts';
import { SluggishSocket } from './support/sluggish-socket.ts';

function stage(channels = ['*']) {
  const socket = new SluggishSocket({ highWaterMark: 16_384 });
  const writer = new EventWriter(socket.asSocket, { bufferBytes: 65_536, schedule: () => undefined });
  const { log, add } = testLog();
  writer.follow(Cursor.open(log, { channels, from: 'oldest' })[0]);
  return { socket, writer, log, add };
}

it('holds the lines that wait in the socket, and no others', () => {
  const { socket, writer, add } = stage();
  expect(writer.holds(1, 9)).toBe(false);
  add('a', 'x'.repeat(2_000));
  writer.pump();
  add('a', 'x'.repeat(2_000));
  writer.pump();
  expect([writer.holds(1, 1), writer.holds(2, 2), writer.holds(3, 9)]).toEqual([true, true, false]);
  socket.read();
  add('a', 'x'.repeat(2_000));
  writer.pump();
  expect([writer.holds(1, 1), writer.holds(2, 3)]).toEqual([false, true]);
  socket.isStalled = false;
  socket.read();
  expect(writer.holds(1, 3)).toBe(false);
});

it('holds what waits also where its reader went back with a second subscription', () => {
  const { writer, log, add } = stage();
  for (let count = 0; count < 9; count += 1) add('a');
  writer.follow(Cursor.open(log, { from: { epoch: 'e1', seq: 9 } })[0]);
  writer.pump();
  writer.follow(Cursor.open(log, { from: 'oldest' })[0]);
  writer.pump();
  expect([writer.holds(1, 3), writer.holds(9, 9), writer.holds(10, 12)]).toEqual([true, true, false]);
});

it('holds nothing more for turns in which its filter passes nothing, so that a stalled socket costs no memory', () => {
  const { socket, writer, add } = stage(['a']);
  add('a');
  writer.pump();
  for (let count = 0; count < 100; count += 1) {
    add('b');
    writer.pump();
  }
  expect([writer.holds(1, 1), writer.holds(2, 101)]).toEqual([true, false]);
  expect(socket.writableLength).toBeGreaterThan(0);
});

it('copies the few lines that a filter passes while the socket is full: each would keep the memory around it', () => {
  const { socket, writer, add } = stage(['a']);
  const written: Buffer[] = [];
  const write = socket.write.bind(socket);
  socket.write = ((chunk: Buffer) => written.push(chunk) > 0 && write(chunk)) as typeof socket.write;
  for (let count = 0; count < 20; count += 1) {
    add('a', count);
    add('b', 'x'.repeat(10_000));
    writer.pump();
  }
  expect(written).toHaveLength(20);
  expect(written.map(({ buffer, length }) => buffer.byteLength === length)).toEqual([false, ...Array(19).fill(true)]);
  expect([writer.holds(1, 2), writer.holds(3, 40)]).toEqual([true, false]);
  socket.isStalled = false;
  socket.read();
  expect(seqs(socket.text)).toEqual(Array.from({ length: 20 }, (_, index) => 2 * index + 1));
});

it('gives back what it has fetched once the socket has taken it, and not before', async () => {
  const journal = new SlowJournal();
  const log = new EventLog({ numbers: passingNumbers('e1'), journal, ringBytes: 65_536, schedule: () => undefined });
  const lines = new Map([1, 2, 3].map((seq) => [seq, line(seq, 'a', '{}')]));
  journal.lines.set('e1', lines);
  for (let count = 0; count < 9; count += 1) {
    log.append({ channel: 'a', message: Buffer.alloc(32_768, '0'), receivedAt, session: 1 });
  }
  const socket = new SluggishSocket({ highWaterMark: 16_384 });
  const writer = new EventWriter(socket.asSocket, { bufferBytes: 65_536, schedule: () => undefined });
  writer.follow(Cursor.open(log, { from: 'oldest' })[0]);
  writer.pump();
  journal.settle();
  await new Promise(setImmediate);
  expect([socket.text, journal.released]).toEqual(['', 0]);
  socket.isStalled = false;
  socket.read();
  await new Promise(setImmediate);
  expect([socket.text, journal.released]).toEqual([[...lines.values()].join(''), 1]);
});
