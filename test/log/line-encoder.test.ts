import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Channel, Channels } from '../../src/log/channels.ts';
import { LinePrefixes } from '../../src/log/line-encoder.ts';
import type { FrameEncoding } from '../../src/protocol/local.ts';

type Line = readonly [seq: number, channel: Channel, receivedAt: number, session: number, encoding?: FrameEncoding];

function expected([seq, { json }, receivedAt, session, encoding]: Line): string {
  const marked = encoding === undefined ? '' : `"encoding":"${encoding}",`;
  return `{"jsonrpc":"2.0","method":"event","params":{"seq":${seq},"channel":${json},"receivedAt":${receivedAt.toFixed(3)},"session":${session},${marked}"message":`;
}

function written(prefixes: LinePrefixes, [seq, channel, receivedAt, session, encoding]: Line): string {
  return Buffer.from(prefixes.of(seq, channel, receivedAt, session, encoding)).toString('latin1');
}

const names = ['rfq.maker', 'rfq_quote.taker', 'q"\\u0000ä\u{1f600}', '","receivedAt":1', '"seq":5,'];
const channels = new Channels();
const channel = fc.constantFrom(...names).map((name) => channels.named(name));
/** Moments around each other, as they come, and any others. */
const receivedAt = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 8_000_000 }).map((offset) => 1_795_334_400_000 + offset / 4_096) },
  { weight: 2, arbitrary: fc.nat({ max: 4_096 }).map((offset) => 1_795_334_999_999 + offset / 4_096) },
  { weight: 2, arbitrary: fc.double({ min: 2 ** 40 - 10, max: 1e13 + 10, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 0.0005, 1_000.0005, -1, 1.5e13, 1e21, 1e13 - 1, 1e13 - 0.5, 999.9995) },
);
const seq = fc.oneof(fc.nat({ max: 1_200 }), fc.nat(), fc.constantFrom(9, 10, 99, 100, 999_999_999, 1e9, 2 ** 53 - 1));
const line: fc.Arbitrary<Line> = fc.tuple(
  seq,
  channel,
  receivedAt,
  fc.nat({ max: 12 }),
  fc.constantFrom<FrameEncoding | undefined>(undefined, undefined, undefined, 'text', 'base64'),
) as fc.Arbitrary<Line>;

it('writes what a text would say, whatever stood in the line before', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const prefixes = new LinePrefixes();
      for (const each of lines) expect(written(prefixes, each)).toBe(expected(each));
    }),
    { numRuns: 1_000 },
  );
});

it('counts and tells the time from line to line', () => {
  fc.assert(
    fc.property(seq, receivedAt, fc.array(fc.double({ min: 0, max: 3e6, noNaN: true })), (first, start, steps) => {
      const prefixes = new LinePrefixes();
      const maker = channels.named('rfq.maker');
      let now = start;
      for (const [index, step] of steps.entries()) {
        now += step;
        const each: Line = [first + index, maker, now, 1];
        expect(written(prefixes, each)).toBe(expected(each));
      }
    }),
    { numRuns: 1_000 },
  );
});
