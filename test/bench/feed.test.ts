import { expect, test } from 'vitest';
import { lostIn, Position } from '../../bench/consumers/figd-lines.ts';
import { sum, Tally } from '../../bench/consumers/tally.ts';
import { Block } from '../../bench/feed/block.ts';
import { realisticFrames, smallFrames, webSocketFrame } from '../../bench/feed/templates.ts';
import { isMarked, numberAt, timeAt, writeNumber } from '../../bench/mark.ts';

/** The payloads in a run of unmasked text frames. */
function payloads(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x81);
    const short = bytes[at + 1] ?? 0;
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    const start = at + (short === 126 ? 4 : 2);
    found.push(bytes.subarray(start, start + length));
    at = start + length;
  }
  return found;
}

test('sends the samples of the venue as notifications with a number and a time', () => {
  const block = new Block(realisticFrames(), 65_536);
  const sent = payloads(block.marked(9_999_998, block.count, 12_345_678_901_234));
  expect(sent.length).toBe(block.count);
  sent.forEach((payload, index) => {
    expect(isMarked(payload, 0, payload.length)).toBe(true);
    expect(numberAt(payload, payload.length)).toBe(9_999_998 + index);
    expect(timeAt(payload, payload.length)).toBe(12_345_678_901_234);
    const { params } = JSON.parse(payload.toString());
    expect(params.channel).toMatch(/^rfq/);
    expect(Object.keys(params.data).length).toBeGreaterThan(5);
  });
});

test('sends a part of a block where less is wanted', () => {
  const block = new Block(smallFrames(), 10_000);
  expect(payloads(block.marked(1, 3, 5)).map((payload) => numberAt(payload, payload.length))).toEqual([1, 2, 3]);
});

test('has small events of about 200 bytes', () => {
  for (const frame of smallFrames()) expect(Math.abs(frame.length - 200)).toBeLessThan(40);
});

test('has lengths of one and of two bytes', () => {
  const texts = ['', 'a'.repeat(125), 'b'.repeat(126), 'c'.repeat(65_535)];
  expect(payloads(Buffer.concat(texts.map(webSocketFrame))).map(String)).toEqual(texts);
  expect(() => webSocketFrame('d'.repeat(65_536))).toThrow(RangeError);
});

test('finds no mark in other lines', () => {
  const tick = Buffer.from('{"jsonrpc":"2.0","method":"tick","params":{"head":1240}}');
  expect(isMarked(tick, 0, tick.length)).toBe(false);
  expect(isMarked(Buffer.from('}}'), 0, 2)).toBe(false);
});

test('counts what is missing, doubled and told', () => {
  const tally = new Tally();
  tally.expect(10);
  const [frame = Buffer.alloc(0)] = smallFrames();
  for (const number of [10, 11, 11, 14, 12]) {
    writeNumber(frame, frame.length, number);
    tally.take(frame, frame.length, 7);
  }
  tally.tell(2);
  expect(tally.received(16)).toEqual({ messages: 5, missing: 4, doubled: 2, told: 2, complete: false });
  expect(tally.received(14)).toEqual({ messages: 5, missing: 2, doubled: 2, told: 2, complete: true });
  expect(sum([tally.received(14), tally.received(14)])).toMatchObject({ messages: 10, complete: true });
});

test('comes back to figd behind the last event', () => {
  const position = new Position();
  expect(position.from).toBe('now');
  position.see(Buffer.from('{"jsonrpc":"2.0","method":"hello","params":{"protocol":1,"epoch":"ab","head":4}}\n'));
  expect(position.from).toBe('now');
  position.see(Buffer.from('{"jsonrpc":"2.0","method":"event","params":{"seq":129,"channel":"rfq.maker"}}\n'));
  position.see(Buffer.from('{"jsonrpc":"2.0","method":"tick","params":{"head":200}}\n'));
  expect(position.from).toEqual({ epoch: 'ab', seq: 130 });
});

test('reads how many events figd says are lost', () => {
  const lost = '{"jsonrpc":"2.0","method":"lost","params":{"from":1200,"to":1450,"reason":"expired"}}\n';
  expect(lostIn(Buffer.from(lost))).toBe(251);
  expect(lostIn(Buffer.from('{"jsonrpc":"2.0","method":"tick","params":{}}\n'))).toBe(0);
});
