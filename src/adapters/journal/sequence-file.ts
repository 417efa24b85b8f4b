import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Grant, Numbers } from '../../log/numbers.ts';
import { isRecord, parseJson } from '../../protocol/json-rpc.ts';
import { words } from '../sqlite-file.ts';

export const sequenceFileName = 'sequence';

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

export interface SequenceOptions {
  readonly path: string;
  readonly boot: string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly newEpoch: () => string;
  /** Told when the numbers cannot be kept any more, and null once they can. It must not throw. */
  readonly onTrouble: (message: string | null) => void;
}

/** Each record has a disk sector of its own, so that one is whole whatever happens to the other. */
const recordBytes = 512;
/** How far ahead numbers are kept: what is told as lost after a crash is that much too long at most. */
const smallestStep = 64;
const largestStep = 65_536;
const quickMs = 50;
const slowMs = 500;
/** How far ahead the disk itself has been told. */
const farStep = 1_048_576;
const fileMode = 0o640;
/** How long a file that cannot be written is left alone. */
const retryMs = 10_000;

/**
 * Keeps how far the sequence numbers have gone, a little ahead of them, in a file of two records that are written in
 * turns. A number is given only once a record that covers it was written to the file, which the kill of a process does
 * not undo. For the loss of power there is a second mark, far ahead, that is forced to the disk.
 */
export class SequenceFile implements Numbers {
  readonly first: number;
  readonly isContinuous: boolean;
  readonly #options: SequenceOptions;
  #fd: number | null;
  #epoch: string;
  #ceiling: number;
  #far: number;
  #farOnDisk: number;
  #step = smallestStep;
  #raisedAt = Number.NEGATIVE_INFINITY;
  #serial: number;
  #isWriting = false;
  #isSyncing = false;
  #triedAt = 0;

  private constructor(options: SequenceOptions, { epoch, first, isContinuous, fd, serial }: Start) {
    this.#options = options;
    this.first = first;
    this.isContinuous = isContinuous;
    this.#epoch = epoch;
    this.#fd = fd;
    this.#serial = serial;
    this.#ceiling = fd === null ? Number.MAX_SAFE_INTEGER : first - 1;
    this.#far = first - 1;
    this.#farOnDisk = first - 1;
  }

  /**
   * Goes on where the file says, or begins a new epoch where it says nothing. It never throws: where the file cannot be
   * written, the numbers are those of a new epoch that ends with this process.
   *
   * @param last the last number the journal has of the file's epoch, 0 where it has none; null where what it had is
   * not known, so that it must be a new epoch
   */
  static open(options: SequenceOptions, last: number | null): SequenceFile {
    const record = last === null ? null : readSequence(options.path);
    const next = record === null ? null : nextAfter(record, options.boot);
    // An older copy of the file was put back where the journal is ahead of it.
    const goesOn = record !== null && next !== null && (last ?? 0) < next;
    const epoch = goesOn ? record.epoch : options.newEpoch();
    const first = goesOn ? next : 1;
    const serial = goesOn ? record.serial : 0;
    const isContinuous = goesOn && record.isClosed && last === record.ceiling;
    try {
      return SequenceFile.#begin(options, { epoch, first, isContinuous, serial });
    } catch (error) {
      options.onTrouble(`${options.path} cannot be written: ${words(error)}; a new epoch begins with each start`);
      return new SequenceFile(options, {
        epoch: options.newEpoch(),
        first: 1,
        isContinuous: false,
        fd: null,
        serial: 0,
      });
    }
  }

  static #begin(options: SequenceOptions, start: Omit<Start, 'fd'>): SequenceFile {
    const file = new SequenceFile(options, { ...start, fd: create(options, start) });
    file.#raiseFar(start.first - 1);
    return file;
  }

  get epoch(): string {
    return this.#epoch;
  }

  raise(seq: number): Grant {
    this.#adaptStep();
    const ceiling = seq + this.#step;
    try {
      if (this.#fd !== null) this.#writeNow(ceiling);
      this.#ceiling = this.#fd === null ? Number.MAX_SAFE_INTEGER : ceiling;
    } catch (error) {
      this.#fail(error);
    }
    return { epoch: this.#epoch, ceiling: this.#ceiling };
  }

  used(head: number): number {
    if (this.#fd === null) this.#tryAgain(head);
    else if (this.#ceiling - head < this.#step / 2 && !this.#isWriting) this.#writeAhead(head);
    return this.#ceiling;
  }

  /** Notes the last number that was given, so that the next start goes on without a hole. */
  close(head: number): void {
    if (this.#fd === null) return;
    try {
      this.#write({ ceiling: head, isClosed: true });
    } catch (error) {
      this.#options.onTrouble(`${this.#options.path} cannot be written: ${words(error)}`);
    }
    this.#release();
  }

  /** So that a step lasts for some tenths of a second at whatever pace the events come. */
  #adaptStep(): void {
    const now = this.#options.now();
    const passed = now - this.#raisedAt;
    this.#raisedAt = now;
    if (passed < quickMs) this.#step = Math.min(largestStep, this.#step * 2);
    else if (passed > slowMs) this.#step = Math.max(smallestStep, this.#step / 2);
  }

  #writeNow(ceiling: number): void {
    if (ceiling > this.#farOnDisk) this.#raiseFar(ceiling);
    this.#write({ ceiling, isClosed: false });
  }

  /** The same from a thread of the pool, before it is needed. The other record stays as it is meanwhile. */
  #writeAhead(head: number): void {
    const fd = this.#fd;
    if (fd === null) return;
    this.#adaptStep();
    const ceiling = head + this.#step;
    if (ceiling + farStep / 2 > this.#far) this.#syncAhead(fd, ceiling);
    if (ceiling > this.#farOnDisk) return;
    this.#isWriting = true;
    write(fd, this.#record({ ceiling, isClosed: false }), 0, recordBytes, recordBytes, (error) => {
      this.#isWriting = false;
      // What could not be written ahead is tried again when it is needed.
      if (error === null && this.#fd === fd) this.#ceiling = Math.max(this.#ceiling, ceiling);
    });
  }

  #syncAhead(fd: number, ceiling: number): void {
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    const far = ceiling + farStep;
    this.#far = far;
    this.#write({ ceiling: this.#ceiling, isClosed: false });
    fdatasync(fd, (error) => {
      this.#isSyncing = false;
      if (error === null && this.#fd === fd) this.#farOnDisk = far;
    });
  }

  #raiseFar(ceiling: number): void {
    if (this.#fd === null) return;
    this.#far = ceiling + farStep;
    this.#write({ ceiling: Math.max(ceiling, this.#ceiling), isClosed: false });
    fdatasyncSync(this.#fd);
    this.#farOnDisk = this.#far;
  }

  #write(what: Pick<SequenceRecord, 'ceiling' | 'isClosed'>): void {
    if (this.#fd !== null) writeSync(this.#fd, this.#record(what), 0, recordBytes, 0);
  }

  #record(what: Pick<SequenceRecord, 'ceiling' | 'isClosed'>): Buffer {
    this.#serial += 1;
    const { boot } = this.#options;
    return encode({ epoch: this.#epoch, far: this.#far, boot, serial: this.#serial, ...what });
  }

  /** Numbers that cannot be kept belong to an epoch that nobody will go on with. */
  #fail(error: unknown): void {
    const { path, newEpoch, onTrouble, now } = this.#options;
    onTrouble(`${path} cannot be written: ${words(error)}; a new epoch has begun, which ends with this process`);
    this.#release();
    this.#triedAt = now();
    this.#epoch = newEpoch();
    this.#ceiling = Number.MAX_SAFE_INTEGER;
  }

  /** A descriptor that a thread of the pool still writes to must not become that of another file. */
  #release(): void {
    if (this.#fd !== null && !this.#isWriting && !this.#isSyncing) closeSync(this.#fd);
    this.#fd = null;
  }

  #tryAgain(head: number): void {
    const { now, onTrouble } = this.#options;
    if (now() - this.#triedAt < retryMs) return;
    this.#triedAt = now();
    try {
      const start = { epoch: this.#epoch, first: head + 1, serial: 0 };
      this.#fd = create(this.#options, start);
      this.#ceiling = head;
      this.#raiseFar(head);
      onTrouble(null);
    } catch {
      // It has been told already.
      this.#fd = null;
      this.#ceiling = Number.MAX_SAFE_INTEGER;
    }
  }
}

interface Start {
  readonly epoch: string;
  readonly first: number;
  readonly isContinuous: boolean;
  readonly fd: number | null;
  readonly serial: number;
}

/** The later of the two records of a file, with what both allow; null where there is none. */
export function readSequence(path: string): SequenceRecord | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return null;
  }
  const records = [0, recordBytes]
    .map((at) => decode(bytes.subarray(at, at + recordBytes)))
    .filter((record) => record !== null)
    .sort((a, b) => b.serial - a.serial);
  const [latest] = records;
  if (latest === undefined || latest.isClosed) return latest ?? null;
  const same = records.filter(({ epoch }) => epoch === latest.epoch);
  const highest = (of: (record: SequenceRecord) => number) => same.map(of).reduce((a, b) => Math.max(a, b));
  return { ...latest, ceiling: highest(({ ceiling }) => ceiling), far: highest(({ far }) => far) };
}

/** The first number that has certainly not been given. */
function nextAfter({ ceiling, far, boot, isClosed }: SequenceRecord, bootNow: string): number {
  const isSameBoot = boot === bootNow && boot !== '';
  return isClosed || isSameBoot ? ceiling + 1 : far + 1;
}

/** A new file in the place of the old one: at each moment one of them is there, whole. @returns its descriptor */
function create(
  { path, boot }: SequenceOptions,
  { epoch, first, serial }: Pick<Start, 'epoch' | 'first' | 'serial'>,
): number {
  const ceiling = first - 1;
  const record = encode({ epoch, ceiling, far: ceiling, boot, isClosed: true, serial: serial + 1 });
  const fd = openSync(`${path}.new`, 'w', fileMode);
  try {
    writeSync(fd, Buffer.concat([record, Buffer.alloc(recordBytes, ' ')]));
    fsyncSync(fd);
    renameSync(`${path}.new`, path);
    syncDirectory(dirname(path));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
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
function encode({ epoch, ceiling, far, boot, isClosed, serial }: SequenceRecord): Buffer {
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
