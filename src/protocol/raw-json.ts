const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const comma = 0x2c;
const openBrace = 0x7b;
const openBracket = 0x5b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;

/**
 * The bytes of one member's value in the outermost object of `json`, as they stand there: to hand on what came without
 * changing it. Where several members have that name, or spell it with escapes, it is the one that `JSON.parse` takes: the
 * last. Undefined when there is none.
 *
 * @param json an object in valid JSON; nothing is checked
 */
export function memberBytes(json: Buffer, name: string): Buffer | undefined {
  const wanted = Buffer.from(JSON.stringify(name));
  let depth = 0;
  let isWanted = false;
  let valueStart = -1;
  let found: Buffer | undefined;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === quote) {
      const end = stringEnd(json, at);
      if (depth === 1 && valueStart === -1) isWanted = isKey(json.subarray(at, end + 1), wanted, name);
      at = end;
    } else if (byte === openBrace || byte === openBracket) {
      depth += 1;
    } else if (byte === colon) {
      if (depth === 1 && valueStart === -1) valueStart = at + 1;
    } else if (byte === comma || byte === closeBrace || byte === closeBracket) {
      if (depth === 1) {
        if (isWanted && valueStart !== -1) found = trimmed(json.subarray(valueStart, at));
        valueStart = -1;
      }
      if (byte !== comma) depth -= 1;
    }
  }
  return found;
}

/** @param key with its quotes @param wanted the name as JSON writes it */
function isKey(key: Buffer, wanted: Buffer, name: string): boolean {
  return key.equals(wanted) || (key.includes(backslash) && JSON.parse(key.toString('utf8')) === name);
}

/** Where the string that begins at `start` has its closing quote. */
function stringEnd(json: Buffer, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    if (json[at] === backslash) at += 1;
    else if (json[at] === quote) return at;
  }
  return json.length;
}

function isOpening(byte: number): boolean {
  return byte === openBrace || byte === openBracket;
}

function isClosing(byte: number): boolean {
  return byte === closeBrace || byte === closeBracket;
}

function trimmed(bytes: Buffer): Buffer {
  let start = 0;
  let end = bytes.length;
  while (start < end && (bytes[start] ?? 0) <= 0x20) start += 1;
  while (end > start && (bytes[end - 1] ?? 0) <= 0x20) end -= 1;
  return bytes.subarray(start, end);
}

/**
 * The bytes of each element of an array, as they stand there.
 *
 * @param json an array in valid JSON; nothing is checked
 */
export function elementBytes(json: Buffer): readonly Buffer[] {
  const elements: Buffer[] = [];
  let depth = 0;
  let start = -1;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    const ends = depth === 1 && (byte === comma || isClosing(byte));
    if (byte === quote) at = stringEnd(json, at);
    else if (isOpening(byte)) {
      depth += 1;
      if (depth === 1) start = at + 1;
    } else if (ends) {
      const element = trimmed(json.subarray(start, at));
      if (element.length > 0) elements.push(element);
      start = at + 1;
    }
    if (isClosing(byte)) depth -= 1;
  }
  return elements;
}

/**
 * The text of JSON with its slashes, and all that is spelled by number, as themselves: JSON may write any character as an
 * escape, and some writers do so with slashes, quotes or all that is not ASCII.
 */
export function withoutEscapes(json: string): string {
  return json.replace(/\\(?:\/|u([0-9a-f]{4}))/gi, (_escape, hex?: string) =>
    hex === undefined ? '/' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
