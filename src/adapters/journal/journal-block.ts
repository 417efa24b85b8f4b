import type { StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { channelAt, skipLines } from '../../log/line.ts';
import { patternTest } from '../../log/patterns.ts';
import { DamagedFileError, numberOr } from '../sqlite-file.ts';
import { together } from '../together.ts';

/** Neighbouring lines. */
export interface FileBlock {
  readonly first: number;
  readonly last: number;
  readonly lines: Buffer;
}

/** CRC-32, as zlib has it. */
export function checksum(lines: Buffer | Uint8Array): number {
  return crc32(lines);
}

/** @throws {DamagedFileError} where its bytes are not those that were written */
export function blockIn(row: ReturnType<StatementSync['get']>): FileBlock | null {
  if (row === undefined) return null;
  const { first_seq: first, last_seq: last, crc, lines } = row;
  if (!(lines instanceof Uint8Array) || checksum(lines) !== crc) {
    throw new DamagedFileError(`the block that ends with event ${last} has been changed`);
  }
  return {
    first: numberOr(first, 0),
    last: numberOr(last, 0),
    lines: Buffer.from(lines.buffer, lines.byteOffset, lines.length),
  };
}

/** The lines of a block from a number on. */
export function restOf({ first, last, lines }: FileBlock, from: number): FileBlock {
  return { first: from, last, lines: lines.subarray(skipLines(lines, 0, from - first)) };
}

/** Null where every channel passes. */
export function channelTest(patterns: readonly string[]): ((channel: string) => boolean) | null {
  const answers = new Map<string, boolean>();
  const test = patternTest(patterns);
  if (test === null) return null;
  return (channel) => {
    const known = answers.get(channel);
    if (known !== undefined) return known;
    const answer = test(channel);
    answers.set(channel, answer);
    return answer;
  };
}

/** The lines of a block from a number on that pass, up to about `maxBytes`; where all pass, the whole rest of it. */
export function linesFrom(
  { first, last, lines }: FileBlock,
  from: number,
  passes: ((channel: string) => boolean) | null,
  maxBytes: number,
): { readonly chunks: readonly Uint8Array[]; readonly bytes: number; readonly next: number } {
  let at = skipLines(lines, 0, from - first);
  if (passes === null) return { chunks: [lines.subarray(at)], bytes: lines.length - at, next: last + 1 };
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let seq = from;
  for (; seq <= last && bytes < maxBytes; seq += 1) {
    const end = skipLines(lines, at, 1);
    if (passes(channelAt(lines, at))) {
      chunks.push(lines.subarray(at, end));
      bytes += end - at;
    }
    at = end;
  }
  return { chunks: chunks.length === 0 ? [] : [together(chunks, bytes)], bytes, next: seq };
}
