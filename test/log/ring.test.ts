import { expect, it } from 'vitest';
import { ChannelFilter, Channels } from '../../src/log/channels.ts';
import { Ring } from '../../src/log/ring.ts';

const mebibyte = 1_048_576;
const nothing = new Uint8Array();

function stage(ringBytes: number, isHeld: (from: number, to: number) => boolean = () => false) {
  const ring = new Ring(ringBytes, isHeld);
  const all = new ChannelFilter(new Channels(), ['*']);
  let head = 0;
  return {
    ring,
    /** Appends so many lines of a length, each filled with a letter of its own. */
    add: (count: number, bytes: number) => {
      for (let left = count; left > 0; left -= 1) {
        head += 1;
        const message = Buffer.alloc(bytes - 1, 97 + (head % 26)).toString();
        ring.slabFor(head, bytes).append(0, Buffer.from(message), nothing, Buffer.from('\n'));
      }
    },
    read: (seq: number) => Buffer.concat(ring.read(seq, all, 1).chunks).toString(),
    lineOf: (seq: number, bytes: number) => `${String.fromCharCode(97 + (seq % 26)).repeat(bytes - 1)}\n`,
  };
}

it('keeps what is not written for as long as it has room, and drops the oldest then', () => {
  const { ring, add } = stage(16 * mebibyte);
  add(15_000, 1_024);
  expect([ring.oldest, ring.heldBytes]).toEqual([1, 15 * mebibyte]);
  add(5_000, 1_024);
  expect([ring.oldest, ring.heldBytes]).toEqual([4 * 1_024 + 1, 16 * mebibyte]);
});

it('keeps 8 MiB of what is written, for readers that are a moment behind', () => {
  const { ring, add } = stage(64 * mebibyte);
  add(20_000, 1_024);
  ring.written(20_000);
  add(1_024, 1_024);
  expect(ring.heldBytes).toBe(8 * mebibyte);
  add(12_000, 1_024);
  expect(ring.oldest).toBeLessThanOrEqual(20_001);
});

it('writes over no slab that somebody still reads', () => {
  const held = { from: 1, to: 1_024 };
  const { ring, add, read, lineOf } = stage(2 * mebibyte, (from, to) => from <= held.to && to >= held.from);
  add(10, 1_024);
  const [block] = ring.blocks(1, 10_240, 1);
  const before = block?.bytes.toString();
  add(20_000, 1_024);
  expect(block?.bytes.toString()).toBe(before);
  expect(read(20_010)).toBe(lineOf(20_010, 1_024));
});

it('writes over one that nobody reads, instead of taking new memory', () => {
  const { ring, add } = stage(2 * mebibyte);
  add(10, 1_024);
  const [block] = ring.blocks(1, 10_240, 1);
  const before = block?.bytes.toString();
  add(20_000, 1_024);
  expect(block?.bytes.toString()).not.toBe(before);
});

it('cuts blocks at whole lines, of about the size that is asked for', () => {
  const { ring, add } = stage(8 * mebibyte);
  add(100, 1_000);
  add(1, 100_000);
  add(1, 10);
  const blocks = ring.blocks(5, 10_000, 1e9);
  expect(blocks.map(({ first, last }) => last - first + 1)).toEqual([...Array<number>(9).fill(10), 6, 1, 1]);
  expect(blocks.every(({ bytes }) => bytes.at(-1) === 10)).toBe(true);
  expect([blocks[0]?.first, blocks.at(-1)?.last]).toEqual([5, 102]);
});
