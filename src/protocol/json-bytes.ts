/*
 * Walks over JSON (RFC 8259) in its bytes, without making anything of it. What is found valid here `JSON.parse` takes as
 * well, and the bytes are valid UTF-8; the other way round it holds up to {@link deepest} levels.
 *
 * Every walk wants a zero byte behind the JSON. It is part of nothing, so no walk goes beyond it, and none has to compare
 * its position with a length: with that comparison a frame took 1.7 times as long, and 2.9 times as long from the first
 * read beyond the end on (measured).
 * The constants are not exported because V8 takes only those of its own module for constants: that is another 12 %.
 */

/** What a walk tells beside where it ends. */
export interface Notes {
  /** There was a line feed or a carriage return between tokens. */
  hasLineBreak: boolean;
}

/** The position told where the bytes are not valid JSON, or nest deeper than is followed. */
const nowhere = -1;
/** As many levels as one integer has bits to remember what each is; the venue's payloads have five. */
const deepest = 31;

const quote = 0x22;
const colon = 0x3a;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const backslash = 0x5c;
const space = 0x20;
const minus = 0x2d;
const plus = 0x2b;
const point = 0x2e;
const zero = 0x30;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const tab = 0x09;

/** 1: ASCII that stands in a string for itself. */
const isPlain = tableOf((byte) => byte >= space && byte < 0x80 && byte !== quote && byte !== backslash);
const isDigit = tableOf((byte) => byte >= zero && byte <= 0x39);
const isHex = tableOf((byte) => /[0-9a-fA-F]/.test(String.fromCharCode(byte)));
/** 1: what may stand behind a backslash, but for the `u`. */
const isEscape = tableOf((byte) => '"\\/bfnrt'.includes(String.fromCharCode(byte)));
const letterU = 0x75;
const wordTrue = Uint8Array.from(Buffer.from('true'));
const wordFalse = Uint8Array.from(Buffer.from('false'));
const wordNull = Uint8Array.from(Buffer.from('null'));

function tableOf(test: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => Number(test(byte)));
}

/** The position of the next byte that is no whitespace. */
export function afterSpace(bytes: Uint8Array, start: number, notes: Notes): number {
  let at = start;
  for (;;) {
    const byte = bytes[at] ?? 0;
    if (byte > space) return at;
    if (byte === lineFeed || byte === carriageReturn) notes.hasLineBreak = true;
    else if (byte !== space && byte !== tab) return at;
    at += 1;
  }
}

/** The position of the quote that ends the string whose content begins at `start`, if it is ASCII without an escape. */
export function plainStringEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isPlain[bytes[at] ?? 0] === 1) at += 1;
  return bytes[at] === quote ? at : nowhere;
}

/** The position behind the string whose content begins at `start`. */
function afterString(bytes: Uint8Array, start: number): number {
  let at = start;
  let byte = bytes[at] ?? 0;
  while (isPlain[byte] === 1) {
    at += 1;
    byte = bytes[at] ?? 0;
  }
  return byte === quote ? at + 1 : afterUnusualString(bytes, at);
}

/** The same for what is not plain from `start` on: an escape, a character that is not ASCII, or no end. */
function afterUnusualString(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at !== nowhere) {
    const byte = bytes[at] ?? 0;
    if (isPlain[byte] === 1) at += 1;
    else if (byte === quote) return at + 1;
    else at = byte === backslash ? afterEscape(bytes, at) : afterWideCharacter(bytes, at);
  }
  return nowhere;
}

function afterEscape(bytes: Uint8Array, at: number): number {
  const byte = bytes[at + 1] ?? 0;
  if (isEscape[byte] === 1) return at + 2;
  if (byte !== letterU) return nowhere;
  for (let digit = at + 2; digit < at + 6; digit += 1) if (isHex[bytes[digit] ?? 0] !== 1) return nowhere;
  return at + 6;
}

/** The position behind a character of two to four bytes, by the table of well-formed UTF-8 (Unicode, table 3-7). */
function afterWideCharacter(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0xc2 || first > 0xf4) return nowhere;
  const second = bytes[at + 1] ?? 0;
  if (second < lowestSecond(first) || second > highestSecond(first)) return nowhere;
  const end = at + (first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);
  for (let next = at + 2; next < end; next += 1) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return nowhere;
  return end;
}

/** No character in more bytes than it needs. */
function lowestSecond(first: number): number {
  if (first === 0xe0) return 0xa0;
  return first === 0xf0 ? 0x90 : 0x80;
}

/** No surrogate, and nothing beyond U+10FFFF. */
function highestSecond(first: number): number {
  if (first === 0xed) return 0x9f;
  return first === 0xf4 ? 0x8f : 0xbf;
}

function afterDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isDigit[bytes[at] ?? 0] === 1) at += 1;
  return at === start ? nowhere : at;
}

function afterNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === minus ? start + 1 : start;
  at = bytes[at] === zero ? at + 1 : afterDigits(bytes, at);
  if (at !== nowhere && bytes[at] === point) at = afterDigits(bytes, at + 1);
  // The letter E in either case.
  if (at === nowhere || ((bytes[at] ?? 0) | 0x20) !== 0x65) return at;
  const sign = bytes[at + 1];
  return afterDigits(bytes, sign === plus || sign === minus ? at + 2 : at + 1);
}

function afterWord(bytes: Uint8Array, at: number, word: Uint8Array): number {
  for (let index = 1; index < word.length; index += 1) if (bytes[at + index] !== word[index]) return nowhere;
  return at + word.length;
}

/** The position behind a text, number, `true`, `false` or `null` that begins at `at`. */
function afterScalar(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] ?? 0;
  if (byte === quote) return afterString(bytes, at + 1);
  if (byte === minus || isDigit[byte] === 1) return afterNumber(bytes, at);
  if (byte === wordTrue[0]) return afterWord(bytes, at, wordTrue);
  if (byte === wordFalse[0]) return afterWord(bytes, at, wordFalse);
  return byte === wordNull[0] ? afterWord(bytes, at, wordNull) : nowhere;
}

/** The position of the value whose colon is at `at`, or behind whitespace there. */
export function afterColon(bytes: Uint8Array, at: number, notes: Notes): number {
  const found = afterSpace(bytes, at, notes);
  return bytes[found] === colon ? afterSpace(bytes, found + 1, notes) : nowhere;
}

/** The position of the value whose key begins at `at`. */
function afterKey(bytes: Uint8Array, at: number, notes: Notes): number {
  if (bytes[at] !== quote) return nowhere;
  const end = afterString(bytes, at + 1);
  return end === nowhere ? nowhere : afterColon(bytes, end, notes);
}

/** The position behind the value that begins at `start`; −1 where there is none, here as in all of these. */
export function afterValue(bytes: Uint8Array, start: number, notes: Notes): number {
  let at = start;
  let depth = 0;
  /** The last bit is 1 within an object and 0 within an array; those before it tell of what is around. */
  let objects = 0;
  while (at !== nowhere) {
    const byte = bytes[at];
    if (byte === openBrace || byte === openBracket) {
      const isObject = byte === openBrace;
      at = afterSpace(bytes, at + 1, notes);
      if (bytes[at] !== (isObject ? closeBrace : closeBracket)) {
        if (depth === deepest) return nowhere;
        depth += 1;
        objects = (objects << 1) | Number(isObject);
        if (isObject) at = afterKey(bytes, at, notes);
        continue;
      }
      at += 1;
    } else {
      at = afterScalar(bytes, at);
      if (at === nowhere) return nowhere;
    }
    // Behind a value: as many containers end here as there are closing brackets.
    for (; ; at += 1, depth -= 1, objects >>>= 1) {
      if (depth === 0) return at;
      at = afterSpace(bytes, at, notes);
      const next = bytes[at];
      if (next === comma) break;
      if (next !== ((objects & 1) === 1 ? closeBrace : closeBracket)) return nowhere;
    }
    at = afterSpace(bytes, at + 1, notes);
    if ((objects & 1) === 1) at = afterKey(bytes, at, notes);
  }
  return nowhere;
}
