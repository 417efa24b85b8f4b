import type { Batch, Block, Journal, JournalEntry, JournalQuery } from '../../src/log/journal.ts';
import { channelAt, firstLineSince, skipLines } from '../../src/log/line.ts';
import type { Grant, Numbers } from '../../src/log/numbers.ts';
import { patternTest } from '../../src/log/patterns.ts';
import type { LostReason } from '../../src/protocol/local.ts';
import type { Setting } from './plan.ts';
import type { Scheduler } from './scheduler.ts';

/** What a disk holds of the log: the journal of it, and how far its numbers may have gone. It outlives every run. */
export class Disk {
  readonly #scheduler: Scheduler;
  readonly #random: () => number;
  readonly #setting: Setting;
  readonly #kept = new Map<string, KeptEpoch>();
  readonly #underWay = new Map<number, () => void>();
  #epochs = 0;
  #sequence: { epoch: string; ceiling: number; isClosed: boolean } | null = null;
  /** Nothing of the journal can be written until then, or nothing at all. */
  #fullUntil = Number.NEGATIVE_INFINITY;
  #deadUntil = Number.NEGATIVE_INFINITY;
  #entries = 0;

  constructor(scheduler: Scheduler, random: () => number, setting: Setting) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#setting = setting;
  }

  fill(ms: number): void {
    this.#fullUntil = Math.max(this.#fullUntil, this.#scheduler.now + ms);
  }

  /** Not even the numbers can be kept: what is numbered from now on belongs to an epoch without a future. */
  break(ms: number): void {
    this.#deadUntil = Math.max(this.#deadUntil, this.#scheduler.now + ms);
  }

  get trouble(): string | null {
    if (this.#isDead) return 'the disk is dead';
    return this.#scheduler.now < this.#fullUntil ? 'the disk is full' : null;
  }

  /** A run of the daemon opens what there is. */
  open(owner: number): { readonly numbers: Numbers; readonly journal: Journal; close(head: number): void } {
    const known = this.#isDead ? null : this.#sequence;
    const epoch = known?.epoch ?? this.#newEpoch();
    const first = (known?.ceiling ?? 0) + 1;
    const last = this.#epoch(epoch).last;
    if (known !== null && last < known.ceiling) {
      this.#epoch(epoch).hole(last + 1, known.ceiling, known.isClosed ? 'unwritten' : 'crash');
    }
    const isContinuous = known?.isClosed === true && last === known.ceiling;
    if (!this.#isDead) this.#sequence = { epoch, ceiling: first - 1, isClosed: false };
    const numbers = this.#numbers(epoch, first, isContinuous);
    return { numbers, journal: this.#journal(owner), close: numbers.close };
  }

  /** The process is gone, killed or after it had waited long enough: what was on its way has got there or not. */
  ended(): void {
    for (const arrive of this.#underWay.values()) if (this.#random() < 0.5) arrive();
    this.#underWay.clear();
  }

  #numbers(first: string, start: number, isContinuous: boolean): Numbers & { close(head: number): void } {
    let current: Grant = { epoch: first, ceiling: this.#isDead ? Number.MAX_SAFE_INTEGER : start - 1 };
    const keep = (epoch: string, ceiling: number): Grant => {
      this.#sequence = { epoch, ceiling, isClosed: false };
      return { epoch, ceiling };
    };
    return {
      epoch: first,
      first: start,
      isContinuous,
      raise: (seq) => {
        current = this.#isDead
          ? { epoch: this.#newEpoch(), ceiling: Number.MAX_SAFE_INTEGER }
          : keep(current.epoch, seq + this.#setting.numbersAhead);
        return current;
      },
      used: (head) => {
        const isPassing = current.ceiling === Number.MAX_SAFE_INTEGER;
        if (isPassing && !this.#isDead) current = keep(current.epoch, head + this.#setting.numbersAhead);
        return current.ceiling;
      },
      close: (head) => {
        this.ended();
        // What the disk knows is of another epoch where this one cannot be kept, and stays as it is.
        if (this.#sequence?.epoch !== current.epoch) return;
        this.#sequence = { epoch: current.epoch, ceiling: head, isClosed: !this.#isDead };
      },
    };
  }

  #journal(owner: number): Journal {
    const after = <T>(answer: () => T): Promise<T> =>
      new Promise((resolve) => {
        const { diskLatency } = this.#setting;
        const due = this.#scheduler.now + diskLatency * (0.5 + this.#random());
        this.#scheduler.at(due, owner, () => resolve(answer()), 'delivery');
      });
    return {
      oldest: (epoch) => this.#epoch(epoch).oldest,
      write: (entry) => {
        this.#entries += 1;
        const id = this.#entries;
        // What is under way is read where the log has it, as the real disk does: it has to hold still so long.
        this.#underWay.set(id, () => this.#keep(entry));
        return after(() => {
          this.#underWay.delete(id);
          return this.#keep(entry);
        });
      },
      read: (query) => after(() => this.#epoch(query.epoch).read(query)),
      firstSince: (epoch, since) => after(() => this.#epoch(epoch).firstSince(since)),
    };
  }

  #keep({ epoch, hole, blocks }: JournalEntry): boolean {
    if (this.trouble !== null) return false;
    const kept = this.#epoch(epoch);
    if (hole !== null) kept.hole(hole.from, hole.to, 'unwritten');
    for (const block of blocks) kept.add(copyOf(block), this.#setting.retainBytes);
    return true;
  }

  #epoch(name: string): KeptEpoch {
    const known = this.#kept.get(name);
    if (known !== undefined) return known;
    const made = new KeptEpoch();
    this.#kept.set(name, made);
    return made;
  }

  #newEpoch(): string {
    this.#epochs += 1;
    return `e${this.#epochs}`;
  }

  get #isDead(): boolean {
    return this.#scheduler.now < this.#deadUntil;
  }
}

/** The ring's memory is written over. */
function copyOf({ first, last, bytes }: Block): Block {
  // Buffer.from would copy shared memory byte by byte, which is a sixth of the time of a simulated day.
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return { first, last, bytes: copy };
}

interface Hole {
  readonly from: number;
  readonly to: number;
  readonly reason: LostReason;
}

/** The events of an epoch that are on disk, in the plainest form. */
class KeptEpoch {
  #blocks: Block[] = [];
  #holes: Hole[] = [];
  #bytes = 0;

  get last(): number {
    return Math.max(this.#blocks.at(-1)?.last ?? 0, this.#holes.at(-1)?.to ?? 0);
  }

  get oldest(): number | null {
    return this.#blocks[0]?.first ?? null;
  }

  hole(from: number, to: number, reason: LostReason): void {
    this.#holes.push({ from, to, reason });
  }

  add(block: Block, retainBytes: number): void {
    this.#blocks.push(block);
    this.#bytes += block.bytes.length;
    while (this.#bytes > retainBytes && this.#blocks.length > 1) this.#bytes -= this.#blocks.shift()?.bytes.length ?? 0;
  }

  read({ from, channels, maxBytes }: JournalQuery): Batch | null {
    const at = this.#blocks.findIndex(({ last }) => last >= from);
    const block = this.#blocks[at];
    const lost = block !== undefined && block.first <= from ? null : this.#missing(from, block?.first ?? null);
    const start = lost === null ? from : lost.to + 1;
    if (block === undefined || start < block.first) {
      return lost === null ? null : { chunks: [], bytes: 0, next: start, lost };
    }
    const passes = patternTest(channels) ?? (() => true);
    const chunks: Buffer[] = [];
    let bytes = 0;
    let seq = start;
    let offset = skipLines(block.bytes, 0, start - block.first);
    for (; seq <= block.last && bytes < maxBytes; seq += 1) {
      const end = skipLines(block.bytes, offset, 1);
      if (passes(channelAt(block.bytes, offset))) {
        chunks.push(block.bytes.subarray(offset, end));
        bytes += end - offset;
      }
      offset = end;
    }
    return { chunks, bytes, next: seq, lost };
  }

  firstSince(since: number): number | null {
    for (const { first, bytes } of this.#blocks) {
      const index = firstLineSince(bytes, since);
      if (index !== null) return first + index;
    }
    return null;
  }

  #missing(from: number, blockFirst: number | null): Hole | null {
    const hole = this.#holes.find(({ to }) => to >= from);
    if (hole !== undefined && hole.from <= from) return { from, to: hole.to, reason: hole.reason };
    const ends = [hole?.from, blockFirst].filter((seq) => typeof seq === 'number');
    return ends.length === 0 ? null : { from, to: Math.min(...ends) - 1, reason: 'expired' };
  }
}
