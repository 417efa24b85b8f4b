/** Takes a byte stream apart into frames. What a frame says is not its business, only where it ends. */
export interface Framing {
  /** Index behind the message in the frame found last; −1 when that frame can hold none. */
  readonly messageEnd: number;
  /**
   * Finds the frame that begins at `start`.
   * @returns the index behind it, or −1 while it is not all there before `end`
   * @throws {FramingError} where the bytes cannot be a frame
   */
  next(bytes: Buffer, start: number, end: number): number;
}

export class FramingError extends Error {
  override readonly name = 'FramingError';
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** A message a line, with so many bytes behind the message on its line. */
export class LineFraming implements Framing {
  readonly #suffix: number;
  messageEnd = -1;

  constructor(suffixBytes: number) {
    this.#suffix = suffixBytes;
  }

  next(bytes: Buffer, start: number, end: number): number {
    const at = lineEnd(bytes, start, end);
    if (at === -1) return -1;
    this.messageEnd = at - this.#suffix;
    return at + 1;
  }
}

const capitalM = 0x4d;
const space = 0x20;

/** NATS: `MSG <subject> <sid> <bytes>␍␊<payload>␍␊`; everything else is a line. */
export class NatsFraming implements Framing {
  messageEnd = -1;

  next(bytes: Buffer, start: number, end: number): number {
    const at = lineEnd(bytes, start, end);
    if (at === -1) return -1;
    this.messageEnd = -1;
    if (bytes[start] !== capitalM) return at + 1;
    let digits = at - 1;
    while (digits > start && bytes[digits - 1] !== space) digits -= 1;
    const messageEnd = at + 1 + readNumber(bytes, digits, at - 1);
    if (messageEnd + 2 > end) return -1;
    this.messageEnd = messageEnd;
    return messageEnd + 2;
  }
}

const asterisk = 0x2a;
const dollar = 0x24;
const messageWord = 'message'.length;

/** RESP 2: `*3␍␊$7␍␊message␍␊$<n>␍␊<channel>␍␊$<n>␍␊<payload>␍␊`, and other arrays, integers and simple strings. */
export class RedisFraming implements Framing {
  messageEnd = -1;
  #valueEnd = -1;

  next(bytes: Buffer, start: number, end: number): number {
    this.messageEnd = -1;
    if (start >= end) return -1;
    if (bytes[start] !== asterisk) return this.#value(bytes, start, end);
    const at = lineEnd(bytes, start, end);
    if (at === -1) return -1;
    const values = readNumber(bytes, start + 1, at - 1);
    let next = at + 1;
    let firstLength = 0;
    for (let index = 0; index < values; index += 1) {
      const from = next;
      next = this.#value(bytes, from, end);
      if (next === -1) return -1;
      if (index === 0 && bytes[from] === dollar) firstLength = this.#valueEnd - lineEnd(bytes, from, end) - 1;
    }
    // `subscribe` has 9 letters, `unsubscribe` 11.
    if (values === 3 && firstLength === messageWord) this.messageEnd = this.#valueEnd;
    return next;
  }

  #value(bytes: Buffer, start: number, end: number): number {
    const at = lineEnd(bytes, start, end);
    if (at === -1) return -1;
    this.#valueEnd = at - 1;
    if (bytes[start] !== dollar) return at + 1;
    const valueEnd = at + 1 + readNumber(bytes, start + 1, at - 1);
    if (valueEnd + 2 > end) return -1;
    this.#valueEnd = valueEnd;
    return valueEnd + 2;
  }
}

const publish = 3;
const longestLength = 4;

/** MQTT 3.1.1: a type, the remaining length in seven bits a byte, the rest. A PUBLISH ends with its payload. */
export class MqttFraming implements Framing {
  messageEnd = -1;

  next(bytes: Buffer, start: number, end: number): number {
    let length = 0;
    for (let index = 0; ; index += 1) {
      if (index === longestLength) throw new FramingError('a length of more than four bytes');
      const at = start + 1 + index;
      if (at >= end) return -1;
      const byte = bytes[at] ?? 0;
      length += (byte & 0x7f) * 2 ** (7 * index);
      if ((byte & 0x80) !== 0) continue;
      const next = at + 1 + length;
      if (next > end) return -1;
      this.messageEnd = (bytes[start] ?? 0) >> 4 === publish ? next : -1;
      return next;
    }
  }
}

/** Index of the line feed, or −1 when there is none before `end`. */
function lineEnd(bytes: Buffer, start: number, end: number): number {
  const at = bytes.indexOf(lineFeed, start);
  return at >= end ? -1 : at;
}

/** A whole number between two indices. @throws {FramingError} where it is none */
function readNumber(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) throw new FramingError(`not a number: ${bytes.toString('latin1', start, end)}`);
    value = value * 10 + digit;
  }
  if (start >= end || bytes[end] !== carriageReturn) throw new FramingError('a number without an end');
  return value;
}
