import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { isRecord, parseJson } from '../../protocol/json-rpc.ts';

/** What is known of the numbers that were given. */
export interface SequenceRecord {
  readonly epoch: string;
  /** No higher number has been given, as long as this host has not been switched off since. */
  readonly ceiling: number;
  /** No higher number has been given, whatever happened: this was on the disk itself before any of them was. */
  readonly far: number;
  /** Changes with each start of the host. */
  readonly boot: string;
  /** Whether `ceiling` is the last number that was given. */
  readonly isClosed: boolean;
  /** Counts the writes: the higher of the two records is the later one. */
  readonly serial: number;
}

/** Each record has a disk sector of its own, so that one is whole whatever happens to the other. */
export const recordBytes = 512;
/** How far ahead the disk itself is told. */
export const farStep = 1_048_576;
const fileMode = 0o640;

/**
 * What a file of two records allows; null where there is none, or where it cannot be trusted. A sector is written as a
 * whole or not at all, so a record that cannot be read was damaged by something else, and may have been the higher one.
 */
export function readSequence(path: string): SequenceRecord | null {
  const bytes = readOrNull(path);
  if (bytes === null) return null;
  const [a, b] = [0, recordBytes].map((at) => decode(bytes.subarray(at, at + recordBytes)));
  if (a === undefined || b === undefined || a === null || b === null || a.epoch !== b.epoch) return null;
  const latest = a.serial >= b.serial ? a : b;
  if (latest.isClosed) return latest;
  return { ...latest, ceiling: Math.max(a.ceiling, b.ceiling), far: Math.max(a.far, b.far) };
}

/** The first number that has certainly not been given. @param bootNow empty where it is not known */
export function nextAfter({ ceiling, far, boot, isClosed }: SequenceRecord, bootNow: string): number {
  const isSameBoot = boot === bootNow && boot !== '';
  return isClosed || isSameBoot ? ceiling + 1 : far + 1;
}

/**
 * A new file in the place of the old one: at each moment one of them is there, whole, and when this returns the new one
 * is on the disk itself.
 * @returns its descriptor
 * @throws what the file system throws; the new file may then be there all the same
 */
export function createSequence(path: string, record: SequenceRecord): number {
  const bytes = encode(record);
  const fd = openSync(`${path}.new`, 'w', fileMode);
  try {
    writeWhole(fd, Buffer.concat([bytes, bytes]), 0);
    fsyncSync(fd);
    renameSync(`${path}.new`, path);
    syncDirectory(dirname(path));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** @throws also where only a part could be written, which the system does not call an error */
export function writeWhole(fd: number, bytes: Buffer, position: number): void {
  const written = writeSync(fd, bytes, 0, bytes.length, position);
  if (written !== bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes could be written`);
}

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** JSON, so that people can read it, filled up with spaces. */
export function encode({ epoch, ceiling, far, boot, isClosed, serial }: SequenceRecord): Buffer {
  const text = JSON.stringify({ epoch, ceiling, far, boot, closed: isClosed, serial });
  return Buffer.from(`${text.padEnd(recordBytes - 1)}\n`, 'latin1');
}

function decode(bytes: Buffer): SequenceRecord | null {
  const value = bytes.length < recordBytes ? null : parseJson(bytes.toString('latin1'));
  if (!isRecord(value)) return null;
  const { epoch, ceiling, far, boot, closed, serial } = value;
  const numbers = [ceiling, far, serial].every((each) => Number.isSafeInteger(each) && Number(each) >= 0);
  if (typeof epoch !== 'string' || typeof boot !== 'string' || typeof closed !== 'boolean' || !numbers) return null;
  return { epoch, ceiling: Number(ceiling), far: Number(far), boot, isClosed: closed, serial: Number(serial) };
}
