import type { FrameEncoding } from '../protocol/local.ts';

const seqMark = '{"jsonrpc":"2.0","method":"event","params":{"seq":';
const channelMark = ',"channel":';
const receivedMark = ',"receivedAt":';
const lineFeed = 0x0a;
const comma = 0x2c;
const quote = 0x22;
const backslash = 0x5c;

/** What stands in a line behind the message. */
export const lineSuffix = Uint8Array.from(Buffer.from('}}\n'));

/** What stands in a line in front of the message; ASCII. @param channel its name as JSON, ASCII too */
export function linePrefix(
  seq: number,
  channel: string,
  receivedAt: number,
  session: number,
  encoding: FrameEncoding | undefined,
): string {
  const marked = encoding === undefined ? '' : `"encoding":"${encoding}",`;
  return `${seqMark}${seq}${channelMark}${channel}${receivedMark}${receivedAt.toFixed(3)},"session":${session},${marked}"message":`;
}

/** The name of the channel of the line that begins at an offset. @param lines as {@link linePrefix} made them */
export function channelAt(lines: Buffer, at: number): string {
  const start = channelStart(lines, at);
  return JSON.parse(lines.toString('latin1', start, stringEnd(lines, start)));
}

/** When the event of the line that begins at an offset was received, in unix milliseconds. */
export function receivedAtOf(lines: Buffer, at: number): number {
  const start = stringEnd(lines, channelStart(lines, at)) + receivedMark.length;
  return Number(lines.toString('latin1', start, lines.indexOf(comma, start)));
}

/** The offset behind so many lines, counted from an offset. */
export function skipLines(lines: Buffer, at: number, count: number): number {
  let offset = at;
  for (let left = count; left > 0; left -= 1) offset = lines.indexOf(lineFeed, offset) + 1;
  return offset;
}

/** When the last of some lines was received, in unix milliseconds. */
export function lastReceivedAt(lines: Buffer): number {
  return receivedAtOf(lines, lines.lastIndexOf(lineFeed, -2) + 1);
}

/** The index of the first line received at a moment (unix milliseconds) or later; null where the last one is older. */
export function firstLineSince(lines: Buffer, since: number): number | null {
  if (lastReceivedAt(lines) < since) return null;
  let index = 0;
  for (let at = 0; receivedAtOf(lines, at) < since; at = skipLines(lines, at, 1)) index += 1;
  return index;
}

function channelStart(lines: Buffer, at: number): number {
  return lines.indexOf(comma, at + seqMark.length) + channelMark.length;
}

/** Behind the closing quote of the string that begins at `start`. */
function stringEnd(lines: Buffer, start: number): number {
  for (let at = start + 1; ; at += 1) {
    if (lines[at] === backslash) at += 1;
    else if (lines[at] === quote || lines[at] === undefined) return at + 1;
  }
}
