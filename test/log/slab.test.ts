import { expect, it } from 'vitest';
import { Slab } from '../../src/log/slab.ts';

it('holds lines one after the other, with the place and the channel of each', () => {
  const slab = new Slab(5, 64);
  slab.append(3, Buffer.from('<'), Buffer.from('é'), Buffer.from('>'));
  slab.append(0, Buffer.from('['), Buffer.from(''), Buffer.from(']'));
  expect([slab.count, slab.nextSeq]).toEqual([2, 7]);
  expect([slab.channelAt(0), slab.channelAt(1)]).toEqual([3, 0]);
  expect([slab.startOf(0), slab.endOf(0), slab.startOf(1), slab.endOf(1)]).toEqual([0, 4, 4, 6]);
  expect(slab.slice(0, 6).toString('utf8')).toBe('<é>[]');
});

it('has room for exactly its capacity', () => {
  const slab = new Slab(1, 10);
  expect([slab.hasRoomFor(10), slab.hasRoomFor(11)]).toEqual([true, false]);
  slab.append(0, Buffer.from('ab'), Buffer.from('cd'), Buffer.from('e'));
  expect([slab.hasRoomFor(5), slab.hasRoomFor(6)]).toEqual([true, false]);
});

it('gives its bytes without a copy', () => {
  const slab = new Slab(1, 10);
  slab.append(0, Buffer.from('a'), Buffer.from('b'), Buffer.from('c'));
  expect(slab.slice(0, 3).buffer).toBe(slab.slice(1, 2).buffer);
  expect(slab.slice(0, 3).buffer.byteLength).toBe(10);
});
