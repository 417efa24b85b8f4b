import { describe, expect, it } from 'vitest';
import { Cursor } from '../../src/log/cursor.ts';
import { RpcError } from '../../src/protocol/json-rpc.ts';
import { range, readAll, seqs, type TestLog, testLog } from './support.ts';

/** A log whose head is 10 and whose oldest event is 8: each line takes a slab of its own. */
function shortened(): TestLog {
  const all = testLog({ ringBytes: 3 * 100_000 });
  for (const _ of range(1, 10)) all.add('rfq.maker', 'x'.repeat(99_000));
  expect([all.log.oldest, all.log.head]).toEqual([8, 10]);
  return all;
}

describe('where a cursor begins', () => {
  it.each([
    ['without a position', undefined, { from: 11, resumed: true }],
    ['from now', 'now' as const, { from: 11, resumed: true }],
    ['from the oldest', 'oldest' as const, { from: 8, resumed: true }],
    ['from a position that is held', { epoch: 'e1', seq: 9 }, { from: 9, resumed: true }],
    ['from the oldest position', { epoch: 'e1', seq: 8 }, { from: 8, resumed: true }],
    ['from the next event', { epoch: 'e1', seq: 11 }, { from: 11, resumed: true }],
    ['from just before the oldest', { epoch: 'e1', seq: 7 }, { from: 8, resumed: false, reason: 'expired' }],
    ['from the beginning', { epoch: 'e1', seq: 1 }, { from: 8, resumed: false, reason: 'expired' }],
    ['from another epoch', { epoch: 'e0', seq: 9 }, { from: 8, resumed: false, reason: 'epoch' }],
    ['from far in another epoch', { epoch: 'e0', seq: 99 }, { from: 8, resumed: false, reason: 'epoch' }],
  ])('%s', (_where, from, expected) => {
    const { log, add } = shortened();
    const [cursor, result] = Cursor.open(log, from === undefined ? {} : { from });
    expect(result).toEqual({ epoch: 'e1', head: 10, ...expected });
    expect(cursor.lag).toBe(11 - expected.from);
    expect(seqs(readAll(cursor, 1))).toEqual(range(expected.from, 10));
    add('rfq.maker');
    expect(seqs(readAll(cursor))).toEqual([11]);
    expect([cursor.position, cursor.lag]).toEqual([12, 0]);
  });

  it.each([12, 13, Number.MAX_SAFE_INTEGER])('is refused at %d, beyond the next event', (seq) => {
    const { log } = shortened();
    expect(() => Cursor.open(log, { from: { epoch: 'e1', seq } })).toThrow(
      new RpcError(-32602, `from.seq ${seq} lies beyond the next event, 11`),
    );
  });

  it('is 1 in an empty log, from wherever', () => {
    const { log } = testLog();
    const first = { epoch: 'e1', seq: 1 };
    for (const from of ['now', 'oldest', first] as const) {
      expect(Cursor.open(log, { from })[1]).toEqual({ epoch: 'e1', from: 1, head: 0, resumed: true });
    }
    expect(() => Cursor.open(log, { from: { epoch: 'e1', seq: 2 } })).toThrow(RpcError);
  });
});

it('is told once which range it lost, and goes on behind it', () => {
  const { log, add } = testLog({ ringBytes: 3 * 100_000 });
  const [cursor] = Cursor.open(log, {});
  for (const _ of range(1, 10)) add('rfq.maker', 'x'.repeat(99_000));
  const { lost, next } = cursor.read(1);
  expect(lost).toEqual({ from: 1, to: 7, reason: 'expired' });
  expect([next, cursor.position, cursor.lag]).toEqual([9, 9, 2]);
  expect(cursor.read(1).lost).toBeNull();
  expect(seqs(readAll(cursor))).toEqual([10]);
});

it('has lost nothing in an empty log or at the head', () => {
  const { log, add } = testLog();
  const [cursor] = Cursor.open(log, {});
  expect(cursor.read(1).lost).toBeNull();
  add('rfq.maker');
  expect(cursor.read(1).lost).toBeNull();
});

it('costs the others nothing: each cursor has a place of its own', () => {
  const { log, add } = testLog();
  const [first] = Cursor.open(log, {});
  const [second] = Cursor.open(log, { channels: ['rfq.taker'] });
  add('rfq.maker');
  add('rfq.taker');
  expect(seqs(readAll(first))).toEqual([1, 2]);
  expect([first.lag, second.lag]).toEqual([0, 2]);
  expect(seqs(readAll(second))).toEqual([2]);
});
