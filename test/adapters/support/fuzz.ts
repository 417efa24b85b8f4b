import fc from 'fast-check';
import { maxRequestLineBytes } from '../../../src/protocol/local.ts';

/** Something a client sends, and what it must get for it. */
export interface Utterance {
  readonly what: string;
  readonly bytes: Buffer;
  /** The ids of the replies, as JSON. */
  readonly replies: readonly string[];
  /** The connection is closed behind the last reply. */
  readonly isLast?: boolean;
}

/** How a client goes. */
export type Ending =
  /** Reads what it has coming, and closes. */
  | 'waits'
  /** Closes its half at once, and reads what it has coming. */
  | 'half-closes'
  /** Says half a request before it does. */
  | 'half-closes in a line'
  /** Closes at once. */
  | 'destroys'
  /** Never reads, and closes when the others are done. */
  | 'never reads';

export interface Visit {
  readonly utterances: readonly Utterance[];
  /** Where its bytes are cut, in thousandths of their length. */
  readonly cuts: readonly number[];
  /** How much of it is sent at all by one that destroys, in thousandths. */
  readonly sent: number;
  readonly ending: Ending;
}

const nobody = 'null';

function says(what: string, line: string | Buffer, replies: readonly string[]): Utterance {
  return { what, bytes: Buffer.concat([Buffer.from(line), Buffer.from('\n')]), replies };
}

const id = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('x'.repeat(1_024), '__proto__', 'constructor', null),
);

const request = fc.constantFrom(
  { method: 'ping' },
  { method: 'status' },
  { method: 'outages' },
  { method: 'outages', params: { since: 'yesterday' } },
  { method: 'unsubscribe' },
  { method: 'subscribe', params: { ticks: false } },
  { method: 'subscribe', params: { from: 'oldest', channels: ['rfq.*', '**', '*a*b*c*'] } },
  { method: 'subscribe', params: { from: { epoch: 'e1', seq: 1e9 } } },
  { method: 'subscribe', params: { channels: Array.from({ length: 257 }, () => '*') } },
  { method: 'rotate' },
  { method: '__proto__' },
  { method: 'x'.repeat(10_000) },
);

/** JSON keeps no minus before a zero. */
const echoed = (value: unknown) => JSON.stringify(value);

const askedWith = (value: unknown, body: object) =>
  says('request', JSON.stringify({ id: value, ...body }), [echoed(value)]);

const utterance: fc.Arbitrary<Utterance> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(id, request).map(([value, body]) => askedWith(value, body)) },
  { weight: 2, arbitrary: request.map((body) => says('notification', JSON.stringify(body), [])) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 300 }), request).map(([count, body]) =>
      says(
        'flood',
        Array(count)
          .fill(JSON.stringify({ id: 7, ...body }))
          .join('\n'),
        Array(count).fill('7'),
      ),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 200 })
      // Begins as nothing in UTF-8 does, and holds no line feed.
      .map((bytes) =>
        says('garbage', Buffer.from([0xff, ...bytes.map((byte) => (byte === 0x0a ? 0x0b : byte))]), [nobody]),
      ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      says('empty lines', '\n'.repeat(300), []),
      says('nesting', '['.repeat(100_000), [nobody]),
      says('deep params', `{"id":1,"method":"ping","params":${'{"a":'.repeat(500)}1${'}'.repeat(500)}}`, ['1']),
      says('a batch', '[{"id":1,"method":"ping"}]', [nobody]),
      says('a huge id', JSON.stringify({ id: 'i'.repeat(100_000), method: 'ping' }), [nobody]),
      says('an id beyond 2^53', '{"id":1e999,"method":"ping"}', [nobody]),
      says('an id twice', '{"id":1,"id":2,"method":"ping"}', ['2']),
      says('__proto__', '{"id":1,"method":"subscribe","params":{"__proto__":{"channels":["x"]}}}', ['1']),
      says('__proto__ outside', '{"__proto__":{"method":"status"},"id":1}', ['1']),
      says('no request', '"ping"', [nobody]),
      says('a lone surrogate', '{"id":"\\ud800","method":"ping"}', ['"\\ud800"']),
      says('carriage returns', '{"id":1,"method":"ping"}\r\r', ['1']),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { what: 'a line too long', bytes: Buffer.alloc(maxRequestLineBytes + 1, 'x'), replies: [nobody], isLast: true },
      {
        what: 'and its end',
        bytes: Buffer.from(`${'x'.repeat(maxRequestLineBytes + 1)}\n`),
        replies: [nobody],
        isLast: true,
      },
    ),
  },
);

/** For the report of a failure: some utterances have a mebibyte. */
function inWords(said: Utterance): Utterance {
  const text = said.bytes.toString('latin1', 0, 120);
  return Object.assign({ ...said }, { [fc.toStringMethod]: () => `${said.what}: ${JSON.stringify(text)}` });
}

/** What a client does from its hello to its end. */
export const visit: fc.Arbitrary<Visit> = fc.record({
  utterances: fc.array(utterance.map(inWords), { maxLength: 6 }),
  cuts: fc.array(fc.nat({ max: 1_000 }), { maxLength: 5 }),
  sent: fc.nat({ max: 1_000 }),
  ending: fc.constantFrom<Ending[]>('waits', 'half-closes', 'half-closes in a line', 'destroys', 'never reads'),
});

/** What a visit sends, in pieces, and the ids of the replies it must get. */
export function plan({ utterances, cuts, sent, ending }: Visit): {
  pieces: Buffer[];
  replies: string[];
  isThrownOut: boolean;
} {
  const last = utterances.findIndex(({ isLast }) => isLast === true);
  const heard = last === -1 ? utterances : utterances.slice(0, last + 1);
  const half = ending === 'half-closes in a line' ? [Buffer.from('{"id":"half","meth')] : [];
  const whole = Buffer.concat([...utterances.map(({ bytes }) => bytes), ...half]);
  const length = ending === 'destroys' ? Math.round((whole.length * sent) / 1_000) : whole.length;
  const places = [...cuts.map((cut) => Math.min(length, Math.round((whole.length * cut) / 1_000))), length];
  places.sort((a, b) => a - b);
  let from = 0;
  const pieces = places.map((to) => {
    const piece = whole.subarray(from, to);
    from = to;
    return piece;
  });
  return { pieces, replies: heard.flatMap(({ replies }) => replies), isThrownOut: last !== -1 };
}
