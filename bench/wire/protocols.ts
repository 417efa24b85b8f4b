import { type Framing, LineFraming, MqttFraming, NatsFraming, RedisFraming } from './framing.ts';

/** How consumers are spoken to; `ws` is the feed itself, without anything between. */
export type ProtocolName = 'figd' | 'relay' | 'nats' | 'redis' | 'mqtt' | 'ws';

/** What a subscriber says and understands, beside the messages. */
export interface Protocol {
  readonly framing: () => Framing;
  /** Sent once connected. */
  readonly subscribe: Buffer;
  /** Whether a frame says that the subscription stands. */
  readonly confirms: (frame: Buffer) => boolean;
  /** What must be answered, for the connection to live. */
  readonly answer?: (frame: Buffer) => string | null;
}

/** A publisher's side: what stands around each message. */
export interface Publishing {
  /** Sent once connected; it is answered. */
  readonly greeting: Buffer;
  readonly before: (messageBytes: number) => Buffer;
  readonly after: Buffer;
  readonly answer?: (received: Buffer) => string | null;
}

export type BrokerProtocol = 'nats' | 'redis' | 'mqtt';

const topic = 't';
const lineEnd = Buffer.from('\r\n');
const pong = (received: Buffer) => (received.includes('PING\r\n') ? 'PONG\r\n' : null);

/** figd's `subscribe` as a line. */
export function figdSubscribe(from: { readonly epoch: string; readonly seq: number } | 'now' = 'now'): Buffer {
  return Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { from } })}\n`);
}

/** MQTT's CONNECT with a clean session and no keep-alive; the client id is made up by the broker. */
const mqttConnect = mqttPacket(0x10, Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 0, 0, 0]));
const mqttSubscribe = mqttPacket(0x82, Buffer.from([0, 1, 0, topic.length, ...Buffer.from(topic), 0]));
const subAck = 0x90;

export const protocols: Readonly<Record<Exclude<ProtocolName, 'ws'>, Protocol>> = {
  figd: {
    // `}}` closes params and the notification.
    framing: () => new LineFraming(2),
    subscribe: figdSubscribe(),
    confirms: (frame) => frame.includes('"id":1,"result"'),
  },
  relay: {
    framing: () => new LineFraming(0),
    subscribe: Buffer.alloc(0),
    confirms: (frame) => frame.includes('"hello"'),
  },
  nats: {
    framing: () => new NatsFraming(),
    subscribe: Buffer.from(`CONNECT {"verbose":false,"pedantic":false}\r\nSUB ${topic} 1\r\nPING\r\n`),
    confirms: (frame) => frame.includes('PONG'),
    answer: pong,
  },
  redis: {
    framing: () => new RedisFraming(),
    subscribe: respCommand('SUBSCRIBE', topic),
    confirms: (frame) => frame.includes('subscribe'),
  },
  mqtt: {
    framing: () => new MqttFraming(),
    subscribe: Buffer.concat([mqttConnect, mqttSubscribe]),
    confirms: (frame) => frame[0] === subAck,
  },
};

export const publishings: Readonly<Record<BrokerProtocol, Publishing>> = {
  nats: {
    greeting: Buffer.from('CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n'),
    before: (bytes) => Buffer.from(`PUB ${topic} ${bytes}\r\n`),
    after: lineEnd,
    answer: pong,
  },
  redis: {
    greeting: respCommand('PING'),
    before: (bytes) => Buffer.from(`*3\r\n$7\r\nPUBLISH\r\n$${topic.length}\r\n${topic}\r\n$${bytes}\r\n`),
    after: lineEnd,
  },
  mqtt: {
    greeting: mqttConnect,
    before: (bytes) =>
      Buffer.from([0x30, ...mqttLength(2 + topic.length + bytes), 0, topic.length, ...Buffer.from(topic)]),
    after: Buffer.alloc(0),
  },
};

function respCommand(...words: readonly string[]): Buffer {
  return Buffer.from(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);
}

function mqttPacket(type: number, body: Buffer): Buffer {
  return Buffer.from([type, ...mqttLength(body.length), ...body]);
}

/** The remaining length of MQTT: seven bits a byte, least significant first. */
export function mqttLength(bytes: number): number[] {
  const digits: number[] = [];
  let rest = bytes;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    digits.push(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  return digits;
}
