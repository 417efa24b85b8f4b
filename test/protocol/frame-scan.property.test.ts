import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameScan } from '../../src/protocol/frame-scan.ts';
import { parseFrame, readFrame } from '../../src/protocol/venue-frame.ts';

// FIGD_TEST_FRAMES=5000000 compares as many.
const numRuns = Number(process.env['FIGD_TEST_FRAMES'] ?? 20_000);

const known = (name: string) => name === 'rfq.maker' || name === 'rfq.taker';

/** Mostly one of the first, now and then one of the second. */
function mostly(usual: readonly string[], seldom: readonly string[]): fc.Arbitrary<string> {
  const weight = Math.max(1, Math.round((seldom.length * 25) / usual.length));
  return fc.constantFrom(...Array.from({ length: weight }, () => usual).flat(), ...seldom);
}

/** How a space between tokens may look. */
const gap = mostly(['', '', '', '', ' ', '\n', '\r\n', '\t '], ['\v', '\u00a0', '\ufeff']);

const keyText = mostly(
  ['params', 'params', 'result', 'channel', 'channel', 'method', 'subscription', 'data', 'x', 'id', 'error', 'paramz'],
  ['par\\u0061ms', 'chann\\u0065l', 'ch\\annel', 'Channel', 'chännel', '__proto__', 'toString', '', 'a"b', 'a\nb'],
);

const scalar = mostly(
  [
    ...['"rfq.maker"', '"rfq.maker"', '"rfq.maker"', '"rfq.taker"', '"rfq.unknown"', '"subscription"', '"figd"', '""'],
    ...['0', '-0', '1', '12.50', '1e5', '1E+5', '2.5e-10', '0.1', '0e0', 'true', 'false', 'null', '[]', '{}', '9e999'],
    ...[
      '"\\""',
      '"\\\\"',
      '"\\b\\f\\n\\r\\t\\/"',
      '"\\u00e9"',
      '"\\ud800"',
      '"\\uD83D\\uDE00"',
      '"\u007f"',
      '"\u2028"',
    ],
    ...['"\ufffd"', '"\u6f22\u5b57\ud83d\ude00"', '"é"', '"\ufeff"'],
  ],
  [
    ...['"figd.state"', '"venue.unrouted"', '"rfq\\u002emaker"', '"rfq.mäker"', '"rfq\\/maker"'],
    ...[`"${'x'.repeat(256)}"`, `"${'x'.repeat(257)}"`, '"\\x"', '"\\u12"', '"\\u12g4"', '"\\U0041"', '"\\"', "'a'"],
    ...['"\t"', '"\n"', '"\u0000"', '"\u001f"', '"\\\u0000"', '01', '-', '-01', '1.', '.1', '1e', '1e+', '+1', '1.e1'],
    ...[
      '0x1',
      '--1',
      '1e5.5',
      'NaN',
      'Infinity',
      'nul',
      'nulll',
      'True',
      '',
      '[1,]',
      '{"a":1,}',
      '{"a"}',
      '[1 2]',
      '\u2028',
    ],
  ],
);

/** Text close to JSON: layouts, keys that stand twice, strange spellings and plain mistakes, in bounded depth. */
function valueText(depth: number): fc.Arbitrary<string> {
  if (depth === 0) return scalar;
  const inner = valueText(depth - 1);
  const array = fc.tuple(gap, fc.array(inner, { maxLength: 3 })).map(([space, each]) => `[${space}${each.join(',')}]`);
  return fc.oneof(
    { weight: 3, arbitrary: scalar },
    { weight: 3, arbitrary: objectText(inner) },
    { weight: 1, arbitrary: array },
  );
}

function objectText(value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return membersText(value).map((members) => `{${members}}`);
}

function membersText(value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const member = fc.tuple(keyText, gap, value, gap).map(([key, before, text, after]) => {
    return `"${key}"${before}:${before}${text}${after}`;
  });
  return fc.array(member, { maxLength: 3 }).map((members) => members.join(','));
}

/** An event as the venue may send it, with `inner` and `outer` members beside or over what it says. */
const eventText = fc
  .tuple(
    fc.constantFrom(
      (inner: string, outer: string) => `{"params":{"channel":"rfq.maker"${inner}}${outer}}`,
      (inner: string, outer: string) => `{"method":"m","params":{"subscription":"rfq.taker"${inner}}${outer}}`,
      (inner: string, outer: string) => `{"result":{"channel":"rfq.maker"${inner}}${outer}}`,
      (inner: string, outer: string) => `{"channel":"rfq.maker"${outer},"data":{"x":1${inner}}}`,
      (inner: string, outer: string) => `{"method":"rfq.maker"${outer},"params":{"x":1${inner}}}`,
    ),
    membersText(valueText(1)),
    membersText(valueText(1)),
  )
  .map(([write, inner, outer]) => write(inner === '' ? '' : `,${inner}`, outer === '' ? '' : `,${outer}`));

const text = fc
  .tuple(gap, fc.oneof({ weight: 3, arbitrary: eventText }, objectText(valueText(2)), scalar), gap)
  .map((parts) => parts.join(''));

interface Change {
  readonly kind: 'flip' | 'cut' | 'insert' | 'double';
  /** Where, as a part of the length. */
  readonly at: number;
  readonly byte: number;
}

const strangeBytes = [
  ...Buffer.from('"\\{}[],:0-1.eE+tn \n\r\t\0'),
  0x7f,
  0x80,
  0xbf,
  0xc0,
  0xc2,
  0xe0,
  0xed,
  0xf0,
  0xf4,
  0xff,
];

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom<Change['kind']>('flip', 'cut', 'insert', 'insert', 'double'),
  at: fc.nat({ max: 999 }).map((part) => part / 1_000),
  byte: fc.oneof(fc.constantFrom(...strangeBytes), fc.nat({ max: 255 })),
});

function changed(bytes: Buffer, { kind, at, byte }: Change): Buffer {
  const where = Math.floor(at * bytes.length);
  const [before, after] = [bytes.subarray(0, where), bytes.subarray(where)];
  if (kind === 'cut') return before;
  if (kind === 'insert') return Buffer.concat([before, Uint8Array.of(byte), after]);
  if (kind === 'double') return Buffer.concat([bytes, after]);
  const copy = Buffer.from(bytes);
  if (where < copy.length) copy[where] = (copy[where] ?? 0) ^ (1 << (byte & 7));
  return copy;
}

const frames = fc
  .tuple(
    text,
    fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(change, { maxLength: 3 }) }),
  )
  .map(([content, changes]) => changes.reduce(changed, Buffer.from(content)));

it('reads any bytes as somebody who parses them does', () => {
  const scan = new FrameScan();
  let scanned = 0;
  fc.assert(
    fc.property(frames, (bytes) => {
      const before = Buffer.from(bytes);
      if (scan.channelOf(bytes, known) !== null) scanned += 1;
      return isSame(readFrame(bytes, known), parseFrame(bytes, known)) && bytes.equals(before);
    }),
    { numRuns },
  );
  // Else it would have compared parsing with parsing.
  expect(scanned).toBeGreaterThan(numRuns / 10);
});

type Frame = ReturnType<typeof readFrame>;

/** Quicker than `toEqual`, which would take most of the time. */
function isSame(one: Frame, other: Frame): boolean {
  if (one.kind === 'reply') return JSON.stringify(one) === JSON.stringify(other);
  if (other.kind === 'reply') return false;
  if (one.channel !== other.channel || one.encoding !== other.encoding) return false;
  return 'encoding' in one === 'encoding' in other && Buffer.from(one.message).equals(other.message);
}

it('does not parse what is no more than an event, whatever it carries', () => {
  const scan = new FrameScan();
  const data = fc.jsonValue({ stringUnit: 'binary', maxDepth: 8 });
  const layouts = fc.constantFrom(0, 2, '\t');
  fc.assert(
    fc.property(data, layouts, (value, indent) => {
      const bytes = Buffer.from(
        JSON.stringify({ jsonrpc: '2.0', params: { channel: 'rfq.maker', data: value } }, null, indent),
      );
      expect(scan.channelOf(bytes, known)).toBe('rfq.maker');
      expect(scan.hasLineBreak).toBe(indent !== 0);
    }),
    { numRuns: 500 },
  );
});
