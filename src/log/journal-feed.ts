import type { Timers } from '../protocol/request-table.ts';
import type { EventLog } from './event-log.ts';
import type { Journal } from './journal.ts';

export interface JournalFeedOptions {
  readonly log: EventLog;
  readonly journal: Journal;
  readonly clock: Timers;
  /** How long an event may wait for others that are written with it, in milliseconds. */
  readonly waitMs?: number;
}

const waitMsDefault = 50;
/** So many events do not wait any longer: they are what a crash may cost. */
const batchEvents = 512;
/** A block is read as a whole, and a reader may want a part of it. */
const blockBytes = 65_536;
/** How much is handed over at once; the rest follows when that is written. */
const entryBytes = 4 * 1_048_576;
/**
 * However little is asked for is one block. A disk that refused is tried with no more: megabytes every second would keep
 * a full one busy with nothing.
 */
const leastBytes = 1;
/** How long a disk that cannot be written is left alone. */
const retryMs = 1_000;
/** How long a disk may take for what is left at the end. */
const stopDeadlineMs = 3_000;

/**
 * Brings the log to the journal, off the way of the events: they are numbered and delivered first. One entry is under
 * way at a time; what comes meanwhile waits in the ring. What leaves the ring unwritten is a hole that is written down.
 */
export class JournalFeed {
  readonly #log: EventLog;
  readonly #journal: Journal;
  readonly #clock: Timers;
  readonly #waitMs: number;
  readonly #detach: () => void;
  /** The first number that is not on disk. */
  #next: number;
  /** The highest number under way. */
  #underWay: number | null = null;
  #writing: Promise<void> = Promise.resolve();
  #timer: unknown = null;
  #isRefused = false;
  #isStopping = false;
  #isGivenUp = false;

  constructor({ log, journal, clock, waitMs = waitMsDefault }: JournalFeedOptions) {
    this.#log = log;
    this.#journal = journal;
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#next = log.head + 1;
    this.#detach = log.attach({
      appended: () => this.#appended(),
      holds: (from, to) => this.#underWay !== null && from <= this.#underWay && to >= this.#next,
      renewed: () => {
        this.#next = 1;
      },
    });
  }

  /** The newest sequence number on disk. */
  get written(): number {
    return this.#next - 1;
  }

  /** How it goes: the newest number on disk, the newest on its way there, and whether the disk refused the last time. */
  view(): { readonly written: number; readonly underWay: number | null; readonly isRefused: boolean } {
    return { written: this.written, underWay: this.#underWay, isRefused: this.#isRefused };
  }

  /** Hands over what is left and waits until it is on disk, if the disk takes it within three seconds. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    const late = Promise.withResolvers<void>();
    const deadline = this.#clock.setTimeout(late.resolve, stopDeadlineMs);
    await Promise.race([this.#writeRest(), late.promise]);
    this.#isGivenUp = true;
    this.#clock.clearTimeout(deadline);
    // What is under way still reads the log's memory.
    if (this.#underWay === null) this.#detach();
  }

  async #writeRest(): Promise<void> {
    await this.#writing;
    for (let before = -1; this.#next <= this.#log.head && this.#next > before && !this.#isGivenUp; ) {
      before = this.#next;
      await this.#write();
    }
  }

  #appended(): void {
    if (this.#underWay !== null || this.#isStopping) return;
    const isEnough = this.#log.head - this.#next >= batchEvents;
    if (isEnough && !this.#isRefused) this.#begin();
    else this.#timer ??= this.#clock.setTimeout(() => this.#begin(), this.#isRefused ? retryMs : this.#waitMs);
  }

  #begin(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#write().then(() => {
      if (this.#next <= this.#log.head) this.#appended();
    });
  }

  async #write(): Promise<void> {
    const { epoch, oldestHeld } = this.#log;
    const hole = this.#next < oldestHeld ? { from: this.#next, to: oldestHeld - 1 } : null;
    const most = this.#isRefused ? leastBytes : entryBytes;
    const blocks = this.#log.blocks(Math.max(this.#next, oldestHeld), blockBytes, most);
    const last = blocks.at(-1)?.last ?? hole?.to ?? this.#next - 1;
    this.#underWay = last;
    const isWritten = await this.#journal.write({ epoch, hole, blocks });
    this.#underWay = null;
    this.#isRefused = !isWritten;
    // A new epoch may have begun meanwhile.
    if (!isWritten || epoch !== this.#log.epoch) return;
    this.#next = last + 1;
    this.#log.written(last);
  }
}
