import { ChannelNames, isAt } from './channel-names.ts';
import { afterColon, afterSpace, afterValue, type Notes, plainStringEnd } from './json-bytes.ts';

// Not imported: see json-bytes.ts.
const nowhere = -1;
const quote = 0x22;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Longer frames are parsed; the venue's payloads are about 1.4 kB. */
const longest = 65_536;

/** Where a channel may stand, in the order in which it is looked for. */
const place = { paramsChannel: 0, channel: 1, method: 2, subscription: 3, resultChannel: 4 } as const;
type Place = (typeof place)[keyof typeof place];
const placeCount = 5;
const absent = -1;

/** The objects whose members are looked at. */
type Level = 'frame' | 'params' | 'result';

/**
 * Finds the channel of an ordinary event in one pass over its bytes, in which it also makes sure that they are valid
 * JSON. Whatever is out of the ordinary it leaves to somebody who parses.
 */
export class FrameScan implements Notes {
  hasLineBreak = false;
  /** The frame with a zero behind it, which walks need; the copy takes 30 ns. */
  readonly #bytes = new Uint8Array(longest + 1);
  readonly #names = new ChannelNames();
  /** From where to where in the frame the text stands that each place holds; absent where it holds none. */
  readonly #starts = new Int32Array(placeCount);
  readonly #ends = new Int32Array(placeCount);
  #hasId = false;
  #hasAnswer = false;

  /**
   * The channel of a frame, or null where it has to be parsed: it is not valid JSON, or not an object, may be a reply,
   * names no channel, or does it in an unusual spelling. Where it gives a channel, the frame is valid JSON in UTF-8, and
   * {@link hasLineBreak} tells whether it stands on one line.
   */
  channelOf(frame: Uint8Array, isKnownChannel: (name: string) => boolean): string | null {
    if (frame.length > longest) return null;
    const bytes = this.#bytes;
    bytes.set(frame);
    bytes[frame.length] = 0;
    this.hasLineBreak = false;
    this.#hasId = false;
    this.#hasAnswer = false;
    for (let each = 0; each < placeCount; each += 1) this.#starts[each] = absent;
    const start = afterSpace(bytes, 0, this);
    if (bytes[start] !== openBrace) return null;
    const end = this.#afterMembers(bytes, start + 1, 'frame');
    if (end === nowhere || afterSpace(bytes, end, this) !== frame.length) return null;
    return this.#hasId && this.#hasAnswer ? null : this.#firstChannel(bytes, isKnownChannel);
  }

  #firstChannel(bytes: Uint8Array, isKnownChannel: (name: string) => boolean): string | null {
    for (let each = 0; each < placeCount; each += 1) {
      const start = this.#starts[each] ?? absent;
      if (start === absent) continue;
      const name = this.#names.at(bytes, start, this.#ends[each] ?? start);
      if (each !== place.method || name === null || isKnownChannel(name)) return name;
    }
    return null;
  }

  /** The position behind the object whose first member begins at `start`. */
  #afterMembers(bytes: Uint8Array, start: number, level: Level): number {
    let at = afterSpace(bytes, start, this);
    if (bytes[at] === closeBrace) return at + 1;
    while (bytes[at] === quote) {
      const keyStart = at + 1;
      const keyEnd = plainStringEnd(bytes, keyStart);
      if (keyEnd === nowhere) return nowhere;
      at = afterColon(bytes, keyEnd + 1, this);
      if (at === nowhere) return nowhere;
      at =
        level === 'frame'
          ? this.#afterMember(bytes, keyStart, keyEnd, at)
          : this.#afterInner(bytes, keyStart, keyEnd, at, level);
      if (at === nowhere) return nowhere;
      at = afterSpace(bytes, at, this);
      if (bytes[at] === closeBrace) return at + 1;
      if (bytes[at] !== comma) return nowhere;
      at = afterSpace(bytes, at + 1, this);
    }
    return nowhere;
  }

  /** The position behind the value of a member of the frame. Where a key stands twice, the last one counts. */
  #afterMember(bytes: Uint8Array, keyStart: number, keyEnd: number, at: number): number {
    if (isAt('params', bytes, keyStart, keyEnd)) return this.#afterHolder(bytes, at, 'params');
    if (isAt('method', bytes, keyStart, keyEnd)) return this.#afterCandidate(bytes, at, place.method);
    if (isAt('channel', bytes, keyStart, keyEnd)) return this.#afterCandidate(bytes, at, place.channel);
    if (isAt('id', bytes, keyStart, keyEnd)) this.#hasId = true;
    if (isAt('error', bytes, keyStart, keyEnd)) this.#hasAnswer = true;
    if (!isAt('result', bytes, keyStart, keyEnd)) return afterValue(bytes, at, this);
    this.#hasAnswer = true;
    return this.#afterHolder(bytes, at, 'result');
  }

  #afterHolder(bytes: Uint8Array, at: number, level: 'params' | 'result'): number {
    this.#starts[level === 'params' ? place.paramsChannel : place.resultChannel] = absent;
    if (level === 'params') this.#starts[place.subscription] = absent;
    return bytes[at] === openBrace ? this.#afterMembers(bytes, at + 1, level) : afterValue(bytes, at, this);
  }

  #afterInner(bytes: Uint8Array, keyStart: number, keyEnd: number, at: number, level: 'params' | 'result'): number {
    if (isAt('channel', bytes, keyStart, keyEnd)) {
      return this.#afterCandidate(bytes, at, level === 'params' ? place.paramsChannel : place.resultChannel);
    }
    if (level === 'params' && isAt('subscription', bytes, keyStart, keyEnd)) {
      return this.#afterCandidate(bytes, at, place.subscription);
    }
    return afterValue(bytes, at, this);
  }

  #afterCandidate(bytes: Uint8Array, at: number, where: Place): number {
    this.#starts[where] = absent;
    if (bytes[at] !== quote) return afterValue(bytes, at, this);
    const end = plainStringEnd(bytes, at + 1);
    if (end === nowhere) return nowhere;
    this.#starts[where] = at + 1;
    this.#ends[where] = end;
    return end + 1;
  }
}
