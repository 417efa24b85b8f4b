import { expect, test } from 'vitest';
import { blankMark } from '../../bench/mark.ts';
import { FrameCutter } from '../../bench/wire/frames.ts';
import {
  type Framing,
  FramingError,
  LineFraming,
  MqttFraming,
  NatsFraming,
  RedisFraming,
} from '../../bench/wire/framing.ts';
import { mqttLength, publishings } from '../../bench/wire/protocols.ts';

/** The messages in a stream (null: a frame without one), given in chunks. */
function messages(framing: Framing, chunks: readonly Buffer[]): readonly (string | null)[] {
  const found: (string | null)[] = [];
  const cutter = new FrameCutter(framing, (bytes, start, end, messageEnd) => {
    // What precedes the payload is the framing's own affair: the mark is looked for from the end.
    const from = messageEnd === -1 ? start : Math.max(start, bytes.lastIndexOf('{', messageEnd - 1));
    found.push(messageEnd === -1 ? null : bytes.toString('utf8', from, messageEnd));
    expect(end).toBeGreaterThan(start);
  });
  // The memory of a chunk is used again, as the consumers do.
  for (const chunk of chunks) {
    const memory = Buffer.from(chunk);
    cutter.take(memory);
    memory.fill(0x0a);
  }
  return found;
}

const short = '{"n":1}';
const long = `{"n":2,"text":"${'x\\n'.repeat(90)}"}`;
const resp = (...parts: readonly string[]) =>
  `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`;
const mqtt = (type: number, body: Buffer) => Buffer.concat([Buffer.from([type, ...mqttLength(body.length)]), body]);
const mqttMessage = (payload: string) => mqtt(0x30, Buffer.from(`\0\u0001t${payload}`));

const streams = [
  { name: 'lines', framing: () => new LineFraming(0), bytes: Buffer.from(`${short}\n${long}\n`), found: [short, long] },
  {
    name: 'lines of figd',
    framing: () => new LineFraming(2),
    bytes: Buffer.from(`{"params":{"message":${short}}}\n{"params":{"message":${long}}}\n`),
    found: [short, long],
  },
  {
    name: 'NATS',
    framing: () => new NatsFraming(),
    bytes: Buffer.from(
      `INFO {"max_payload":1}\r\nPONG\r\nMSG t 1 ${short.length}\r\n${short}\r\nPING\r\nMSG t 1 ${long.length}\r\n${long}\r\n+OK\r\n`,
    ),
    found: [null, null, short, null, long, null],
  },
  {
    name: 'Redis',
    framing: () => new RedisFraming(),
    bytes: Buffer.from(
      `*3\r\n$9\r\nsubscribe\r\n$1\r\nt\r\n:1\r\n${resp('message', 't', short)}+PONG\r\n${resp('message', 't', long)}:7\r\n`,
    ),
    found: [null, short, null, long, null],
  },
  {
    name: 'MQTT',
    framing: () => new MqttFraming(),
    bytes: Buffer.concat([
      mqtt(0x20, Buffer.from([0, 0])),
      mqtt(0x90, Buffer.from([0, 1, 0])),
      mqttMessage(short),
      mqttMessage(long),
    ]),
    found: [null, null, short, long],
  },
];

test.each(streams)('finds the frames of $name, wherever the stream is split', ({ framing, bytes, found }) => {
  expect(messages(framing(), [bytes])).toEqual(found);
  for (let at = 1; at < bytes.length; at += 1) {
    expect(messages(framing(), [bytes.subarray(0, at), bytes.subarray(at)])).toEqual(found);
  }
  const single = Array.from(bytes, (byte) => Buffer.from([byte]));
  expect(messages(framing(), single)).toEqual(found);
});

test.each(streams)(
  'goes on behind a frame of $name that is longer than what is tried at a time',
  ({ framing, bytes, found }) => {
    const many = Buffer.concat(Array.from({ length: 200 }, () => bytes));
    const chunks: Buffer[] = [];
    for (let at = 0; at < many.length; at += 7_001) chunks.push(many.subarray(at, at + 7_001));
    expect(messages(framing(), chunks)).toEqual(Array.from({ length: 200 }, () => found).flat());
  },
);

test('refuses what cannot be a frame', () => {
  const read = (framing: Framing, text: string) => () => framing.next(Buffer.from(text, 'latin1'), 0, text.length);
  expect(read(new NatsFraming(), 'MSG t 1 x7\r\n')).toThrow(FramingError);
  expect(read(new RedisFraming(), '$-1\r\n')).toThrow(FramingError);
  expect(read(new MqttFraming(), '\x30\xff\xff\xff\xff\x01')).toThrow(FramingError);
});

test.each([
  [0, [0]],
  [127, [127]],
  [128, [0x80, 1]],
  [16_383, [0xff, 0x7f]],
  [16_384, [0x80, 0x80, 1]],
])('writes a length of %i in seven bits a byte', (bytes, expected) => {
  expect(mqttLength(bytes)).toEqual(expected);
});

test('publishes in frames of the right length', () => {
  const bytes = blankMark.length;
  expect(publishings.nats.before(bytes).toString()).toBe(`PUB t ${bytes}\r\n`);
  expect(publishings.redis.before(bytes).toString()).toBe(`*3\r\n$7\r\nPUBLISH\r\n$1\r\nt\r\n$${bytes}\r\n`);
  const packet = Buffer.concat([publishings.mqtt.before(bytes), Buffer.from(blankMark)]);
  expect(new MqttFraming().next(packet, 0, packet.length)).toBe(packet.length);
});
