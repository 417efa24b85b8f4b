import type { FrameEncoding } from '../protocol/local.ts';
import { type ChannelFilter, Channels } from './channels.ts';
import type { Batch, Block, Journal } from './journal.ts';
import { firstLineSince, lineSuffix, receivedAtOf } from './line.ts';
import { LinePrefixes } from './line-encoder.ts';
import type { Numbers } from './numbers.ts';
import { Ring } from './ring.ts';

export interface EventLogOptions {
  readonly numbers: Numbers;
  /** Where lines can be read that are no longer in memory; null where there is no such place. */
  readonly journal: Journal | null;
  /** How many bytes of encoded lines are kept in memory at most, for readers that are behind. */
  readonly ringBytes: number;
  /** Runs a function once this turn of the event loop is over. */
  readonly schedule: (run: () => void) => void;
}

export interface Append {
  readonly channel: string;
  /** Valid JSON in UTF-8 without a line break. */
  readonly message: Uint8Array;
  /** Unix milliseconds with a microsecond fraction. */
  readonly receivedAt: number;
  /** Number of the venue session that received it; 0 for figd's own facts. */
  readonly session: number;
  readonly encoding?: FrameEncoding | undefined;
}

/** Somebody who reads the log as it grows. */
export interface LogReader {
  /** Called once after every turn in which events were appended. */
  readonly appended?: () => void;
  /** Whether it still reads bytes of lines in a range that it was given. */
  readonly holds?: (from: number, to: number) => boolean;
  /** The epoch ends: its events can be read for the last time. */
  readonly ending?: () => void;
  /** A new epoch has begun: positions of the one before mean nothing any more. */
  readonly renewed?: () => void;
}

/** How many bytes of lines are looked at together to find a moment. */
const lookBytes = 65_536;

/**
 * Every event gets a sequence number once and its line is encoded once; consumers are cursors that read at their own
 * pace. The newest lines are in memory, what is older in the journal.
 */
export class EventLog {
  readonly channels = new Channels();
  readonly journal: Journal | null;
  readonly #numbers: Numbers;
  readonly #schedule: (run: () => void) => void;
  readonly #ring: Ring;
  readonly #prefixes = new LinePrefixes();
  readonly #readers = new Set<LogReader>();
  #epoch: string;
  #ceiling = 0;
  #head: number;
  #lastReceivedAt: number | null = null;
  #announced = false;
  /** What readers at the head are given, most of them the same. */
  #latest: (Batch & { readonly from: number; readonly head: number }) | null = null;

  constructor({ numbers, journal, ringBytes, schedule }: EventLogOptions) {
    this.journal = journal;
    this.#numbers = numbers;
    this.#schedule = schedule;
    this.#ring = new Ring(ringBytes, (from, to) => {
      for (const reader of this.#readers) if (reader.holds?.(from, to) === true) return true;
      return false;
    });
    this.#epoch = numbers.epoch;
    this.#head = numbers.first - 1;
  }

  /** Names this numbering of events: a sequence number means something only within its epoch. */
  get epoch(): string {
    return this.#epoch;
  }

  /** The newest sequence number given; 0 before the first event. */
  get head(): number {
    return this.#head;
  }

  /** The oldest sequence number that can still be read; head + 1 while there is none. */
  get oldest(): number {
    return Math.min(this.journal?.oldest(this.#epoch) ?? Number.POSITIVE_INFINITY, this.oldestHeld);
  }

  /** The oldest that is in memory; head + 1 while there is none. */
  get oldestHeld(): number {
    return this.#ring.oldest ?? this.#head + 1;
  }

  /** Bytes of memory held for lines. */
  get heldBytes(): number {
    return this.#ring.heldBytes;
  }

  /** When the latest venue frame came in (unix milliseconds), or null before the first. */
  get lastReceivedAt(): number | null {
    return this.#lastReceivedAt;
  }

  /** Gives the event its sequence number, encodes its line, and wakes the readers once this turn is over. */
  append({ channel: name, message, receivedAt, session, encoding }: Append): number {
    const channel = this.channels.named(name);
    const seq = this.#head < this.#ceiling ? this.#head + 1 : this.#raise();
    const prefix = this.#prefixes.of(seq, channel, receivedAt, session, encoding);
    const bytes = prefix.length + message.length + lineSuffix.length;
    this.#ring.slabFor(seq, bytes).append(channel.id, prefix, message, lineSuffix);
    this.#head = seq;
    channel.events += 1;
    channel.lastEventAt = receivedAt;
    if (session > 0) this.#lastReceivedAt = receivedAt;
    this.#announce();
    return seq;
  }

  /** Returns how to leave. */
  attach(reader: LogReader): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  /**
   * The lines in memory from `position` on that pass the filter, up to about `maxBytes` (at least one line where there
   * is one). From a position before {@link oldestHeld} it goes on there; one beyond the head gives an empty batch.
   */
  read(position: number, filter: ChannelFilter, maxBytes: number): Batch {
    const from = Math.max(position, this.oldestHeld);
    if (!filter.passesAll) return this.#ring.read(from, filter, maxBytes);
    const latest = this.#latest;
    if (latest !== null && latest.from === from && latest.head === this.#head && latest.bytes <= maxBytes) {
      return latest;
    }
    const batch = this.#ring.read(from, filter, maxBytes);
    if (batch.next > this.#head) this.#latest = { ...batch, from, head: this.#head };
    return batch;
  }

  /** The lines in memory from a position on for the journal. */
  blocks(position: number, blockBytes: number, maxBytes: number): readonly Block[] {
    return this.#ring.blocks(position, blockBytes, maxBytes);
  }

  /** Everything up to that number is in the journal. */
  written(seq: number): void {
    this.#ring.written(seq);
  }

  /** When an event of an epoch was received (unix milliseconds); null where it cannot be had any more. */
  async receivedAt(epoch: string, seq: number): Promise<number | null> {
    if (epoch === this.#epoch && seq >= this.oldestHeld) {
      const [block] = this.#ring.blocks(seq, 1, 1);
      return block === undefined ? null : receivedAtOf(block.bytes, 0);
    }
    const batch = await this.journal?.read({ epoch, from: seq, channels: ['*'], maxBytes: 1 });
    const [chunk] = batch?.lost === null ? batch.chunks : [];
    return chunk === undefined ? null : receivedAtOf(chunk, 0);
  }

  /** The number of the first event received at a moment (unix milliseconds) or later; head + 1 where there is none. */
  async firstSince(since: number): Promise<number> {
    const epoch = this.#epoch;
    const found = (await this.journal?.firstSince(epoch, since)) ?? null;
    if (found !== null && epoch === this.#epoch) return found;
    for (let position = this.oldestHeld; position <= this.#head; ) {
      const [block] = this.#ring.blocks(position, lookBytes, 1);
      if (block === undefined) break;
      const index = firstLineSince(block.bytes, since);
      if (index !== null) return block.first + index;
      position = block.last + 1;
    }
    return this.#head + 1;
  }

  /**
   * Why not all that was received from a moment (unix milliseconds) on can be had; null where it can, or where nothing
   * came before the oldest event.
   */
  async missingBefore(since: number): Promise<'expired' | 'epoch' | null> {
    const { epoch, oldest } = this;
    // Without a journal the numbers begin anew with each start, and what was before is gone.
    if (oldest === 1 && this.journal !== null) return null;
    const at = await this.receivedAt(epoch, oldest);
    if (at !== null && since >= at) return null;
    return oldest === 1 ? 'epoch' : 'expired';
  }

  /** A number beyond those that were allowed so far. */
  #raise(): number {
    const grant = this.#numbers.raise(this.#head + 1);
    this.#ceiling = grant.ceiling;
    if (grant.epoch === this.#epoch) return this.#head + 1;
    // Readers in step get what came in this turn while it can still be read.
    for (const reader of this.#readers) reader.appended?.();
    for (const reader of this.#readers) reader.ending?.();
    this.#epoch = grant.epoch;
    this.#head = 0;
    this.#latest = null;
    this.#ring.clear();
    for (const reader of this.#readers) reader.renewed?.();
    return 1;
  }

  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#schedule(() => {
      this.#announced = false;
      for (const reader of this.#readers) reader.appended?.();
      this.#ceiling = this.#numbers.used(this.#head);
    });
  }
}
