const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const comma = 0x2c;
const opening = [0x7b, 0x5b];
const closing = [0x7d, 0x5d];

/**
 * The bytes of one member's value in the outermost object of `json`, as they stand there: to hand on what came without
 * changing it. The first member of that name counts. Undefined when there is none.
 *
 * @param json an object in valid JSON; nothing is checked
 */
export function memberBytes(json: Buffer, name: string): Buffer | undefined {
  const wanted = Buffer.from(JSON.stringify(name));
  let depth = 0;
  let valueStart = -1;
  let key: Buffer | undefined;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (byte === quote) {
      const start = at;
      at = stringEnd(json, at);
      if (depth === 1 && valueStart === -1) key = json.subarray(start, at + 1);
    } else if (opening.includes(byte)) {
      depth += 1;
    } else if (depth === 1 && byte === colon && valueStart === -1) {
      valueStart = at + 1;
    } else if (closing.includes(byte) || (byte === comma && depth === 1)) {
      if (depth === 1 && key?.equals(wanted)) return trimmed(json.subarray(valueStart, at));
      if (depth === 1) valueStart = -1;
      if (byte !== comma) depth -= 1;
    }
  }
  return undefined;
}

/** Where the string that begins at `start` has its closing quote. */
function stringEnd(json: Buffer, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    if (json[at] === backslash) at += 1;
    else if (json[at] === quote) return at;
  }
  return json.length;
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
    const ends = depth === 1 && (byte === comma || closing.includes(byte));
    if (byte === quote) at = stringEnd(json, at);
    else if (opening.includes(byte)) {
      depth += 1;
      if (depth === 1) start = at + 1;
    } else if (ends) {
      const element = trimmed(json.subarray(start, at));
      if (element.length > 0) elements.push(element);
      start = at + 1;
    }
    if (closing.includes(byte)) depth -= 1;
  }
  return elements;
}
