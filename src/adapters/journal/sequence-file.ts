import { closeSync, existsSync, fdatasync, fdatasyncSync, write } from 'node:fs';
import type { Grant, Numbers } from '../../log/numbers.ts';
import { messageOf } from '../../protocol/text.ts';
import {
  createSequence,
  encode,
  farStep,
  nextAfter,
  readSequence,
  recordBytes,
  type SequenceRecord,
  writeWhole,
} from './sequence-record.ts';

export const sequenceFileName = 'sequence';

export interface SequenceOptions {
  readonly path: string;
  readonly boot: string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly newEpoch: () => string;
  /** Whether the directory is locked against other daemons: without that a file must not be made in it. */
  readonly isOurs: () => boolean;
  /** Told when the numbers cannot be kept any more, and null once they can. It must not throw. */
  readonly onTrouble: (message: string | null) => void;
}

/** How far ahead numbers are kept: what is told as lost after a crash is that much too long at most. */
const smallestStep = 64;
const largestStep = 65_536;
const quickMs = 50;
const slowMs = 500;
/** How long a file that cannot be written is left alone. */
const retryMs = 1_000;

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
  /** Whether the file may be somebody else's by now. */
  #isOver = false;
  /** Whether the file names the epoch, and does not keep its numbers. */
  #isBurnt = false;

  private constructor(options: SequenceOptions, { epoch, first, isContinuous, fd, serial }: Start) {
    this.#options = options;
    this.first = first;
    this.isContinuous = isContinuous;
    this.#epoch = epoch;
    this.#fd = fd;
    this.#serial = serial;
    this.#ceiling = fd === null ? Number.MAX_SAFE_INTEGER : first - 1;
    this.#far = first - 1 + farStep;
    this.#farOnDisk = this.#far;
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
      if (!options.isOurs()) throw new Error('its directory cannot be locked');
      const fd = createSequence(options.path, firstRecord(options, epoch, first - 1, serial));
      return new SequenceFile(options, { epoch, first, isContinuous, fd, serial: serial + 1 });
    } catch (error) {
      options.onTrouble(`${options.path} cannot be written: ${messageOf(error)}; a new epoch begins with each start`);
      return new SequenceFile(options, {
        epoch: options.newEpoch(),
        first: 1,
        isContinuous: false,
        fd: null,
        serial: 0,
      });
    }
  }

  get epoch(): string {
    return this.#epoch;
  }

  raise(seq: number): Grant {
    if (this.#isOver || this.#isBurnt) this.#renew();
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
    if (this.#isOver) return head;
    if (this.#fd === null) this.#tryAgain(head);
    else if (this.#ceiling - head < this.#step / 2 && !this.#isWriting) this.#writeAhead(head);
    return this.#ceiling;
  }

  /** Notes the last number that was given, so that the next start goes on without a hole. Others are of a new epoch. */
  close(head: number): void {
    this.#isOver = true;
    if (this.#fd === null) return;
    try {
      this.#write({ ceiling: head, isClosed: true });
    } catch (error) {
      this.#options.onTrouble(`${this.#options.path} cannot be written: ${messageOf(error)}`);
    }
    this.#release();
  }

  /** Makes the file again where somebody has removed it, so that the next start goes on with the epoch. */
  restore(): void {
    const { path } = this.#options;
    if (this.#isOver || this.#fd === null || existsSync(path)) return;
    try {
      this.#makeAnew(this.#ceiling);
    } catch {
      this.#burnIfNamed(0);
    }
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
    write(fd, this.#record({ ceiling, isClosed: false }), 0, recordBytes, recordBytes, (error, written) => {
      this.#isWriting = false;
      // What could not be written ahead is tried again when it is needed.
      if (error !== null || written !== recordBytes || this.#fd !== fd) return;
      this.#ceiling = Math.max(this.#ceiling, ceiling);
    });
  }

  #syncAhead(fd: number, ceiling: number): void {
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    const far = ceiling + farStep;
    this.#far = far;
    try {
      this.#write({ ceiling: this.#ceiling, isClosed: false });
    } catch {
      // Tried again when it is needed, and told then.
      this.#isSyncing = false;
      return;
    }
    fdatasync(fd, (error) => {
      this.#isSyncing = false;
      if (error === null && this.#fd === fd) this.#farOnDisk = Math.max(this.#farOnDisk, far);
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
    if (this.#fd !== null) writeWhole(this.#fd, this.#record(what), 0);
  }

  #record(what: Pick<SequenceRecord, 'ceiling' | 'isClosed'>): Buffer {
    this.#serial += 1;
    const { boot } = this.#options;
    return encode({ epoch: this.#epoch, far: this.#far, boot, serial: this.#serial, ...what });
  }

  #fail(error: unknown): void {
    const { path, onTrouble, now } = this.#options;
    onTrouble(`${path} cannot be written: ${messageOf(error)}; a new epoch has begun`);
    this.#release();
    this.#triedAt = now();
    this.#renew();
  }

  /** Numbers that cannot be kept belong to an epoch that nobody will go on with. */
  #renew(): void {
    this.#isBurnt = false;
    this.#epoch = this.#options.newEpoch();
    this.#ceiling = Number.MAX_SAFE_INTEGER;
  }

  /** A descriptor that a thread of the pool still writes to must not become that of another file. */
  #release(): void {
    if (this.#fd !== null && !this.#isWriting && !this.#isSyncing) closeSync(this.#fd);
    this.#fd = null;
  }

  /** Keeps the numbers of an epoch from a point on, once the file can be written again. */
  #tryAgain(head: number): void {
    const { now, onTrouble, isOurs } = this.#options;
    if (now() - this.#triedAt < retryMs || !isOurs()) return;
    this.#triedAt = now();
    try {
      this.#makeAnew(head);
      this.#isBurnt = false;
      onTrouble(null);
    } catch {
      // It has been told already.
      this.#burnIfNamed(head);
    }
  }

  #makeAnew(ceiling: number): void {
    this.#serial += 1;
    const fd = createSequence(this.#options.path, firstRecord(this.#options, this.#epoch, ceiling, this.#serial));
    this.#release();
    this.#fd = fd;
    this.#ceiling = ceiling;
    this.#far = ceiling + farStep;
    this.#farOnDisk = this.#far;
  }

  /**
   * The next start must not go on with an epoch in which numbers go on unkept: where a file names it all the same, the
   * next number that is needed begins another.
   */
  #burnIfNamed(head: number): void {
    if (readSequence(this.#options.path)?.epoch !== this.#epoch) return;
    this.#release();
    this.#isBurnt = true;
    this.#ceiling = head;
  }
}

interface Start {
  readonly epoch: string;
  readonly first: number;
  readonly isContinuous: boolean;
  readonly fd: number | null;
  readonly serial: number;
}

/** What a new file begins with: numbers up to `ceiling` were given. */
function firstRecord({ boot }: SequenceOptions, epoch: string, ceiling: number, serial: number): SequenceRecord {
  return { epoch, ceiling, far: ceiling + farStep, boot, isClosed: false, serial: serial + 1 };
}
