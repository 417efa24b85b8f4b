import type { FrameEncoding } from '../protocol/local.ts';
import { type Channel, type ChannelFilter, Channels } from './channels.ts';
import { Slab } from './slab.ts';

export interface EventLogOptions {
  /** Names this numbering of events: a sequence number means something only within its epoch. */
  readonly epoch: string;
  /** How many bytes of encoded lines are kept for readers that are behind. */
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

/** What a cursor gets from one look into the log. */
export interface Batch {
  /** Runs of whole lines, in order, to be written as they are. */
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  /** The position after this batch. */
  readonly next: number;
}

const slabBytes = 1_048_576;
const smallestSlabBytes = 65_536;
/** How many lines one read may look at: a filter that passes nothing must not hold up the event loop. */
const scanLimit = 4_096;
const suffix = '}}\n';

/**
 * Every event gets a sequence number once and its line is encoded once; consumers are cursors that read at their own
 * pace. The log keeps the newest `ringBytes` of lines in memory.
 */
export class EventLog {
  readonly epoch: string;
  readonly channels = new Channels();
  readonly #ringBytes: number;
  readonly #slabBytes: number;
  readonly #schedule: (run: () => void) => void;
  readonly #slabs: Slab[] = [];
  readonly #listeners = new Set<() => void>();
  #heldBytes = 0;
  #head = 0;
  #lastReceivedAt: number | null = null;
  #announced = false;

  constructor({ epoch, ringBytes, schedule }: EventLogOptions) {
    this.epoch = epoch;
    this.#ringBytes = ringBytes;
    this.#slabBytes = Math.max(smallestSlabBytes, Math.min(slabBytes, Math.floor(ringBytes / 8)));
    this.#schedule = schedule;
  }

  /** The newest sequence number given; 0 before the first event. */
  get head(): number {
    return this.#head;
  }

  /** The oldest sequence number that can still be read; head + 1 while there is none. */
  get oldest(): number {
    return this.#slabs[0]?.firstSeq ?? this.#head + 1;
  }

  /** Bytes of memory held for lines. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** When the latest venue frame came in (unix milliseconds), or null before the first. */
  get lastReceivedAt(): number | null {
    return this.#lastReceivedAt;
  }

  /** Gives the event its sequence number, encodes its line, and wakes the readers once this turn is over. */
  append({ channel: name, message, receivedAt, session, encoding }: Append): number {
    const channel = this.channels.named(name);
    const seq = this.#head + 1;
    const prefix = linePrefix(seq, channel, receivedAt, session, encoding);
    const bytes = prefix.length + message.length + suffix.length;
    this.#slabFor(seq, bytes).append(channel.id, prefix, message, suffix);
    this.#head = seq;
    channel.events += 1;
    channel.lastEventAt = receivedAt;
    if (session > 0) this.#lastReceivedAt = receivedAt;
    this.#announce();
    return seq;
  }

  /** Calls `listener` once after every turn in which events were appended. Returns how to stop that. */
  onAppended(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The lines from `position` on that pass the filter, up to about `maxBytes` (at least one line where there is one).
   * A position before {@link oldest} must be moved first; one beyond the head gives an empty batch.
   */
  read(position: number, filter: ChannelFilter, maxBytes: number): Batch {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let next = Math.max(position, this.oldest);
    let scanned = 0;
    const all = filter.passesAll;
    for (let at = this.#slabIndexOf(next); at < this.#slabs.length; at += 1) {
      const slab = this.#slabs[at];
      if (slab === undefined || bytes >= maxBytes || scanned >= scanLimit) break;
      let index = next - slab.firstSeq;
      let runStart = -1;
      let runEnd = 0;
      for (; index < slab.count && bytes < maxBytes && scanned < scanLimit; index += 1, scanned += 1) {
        const end = slab.endOf(index);
        if (all || filter.passes(slab.channelAt(index))) {
          const start = slab.startOf(index);
          if (runStart === -1) runStart = start;
          runEnd = end;
          bytes += end - start;
        } else if (runStart !== -1) {
          chunks.push(slab.slice(runStart, runEnd));
          runStart = -1;
        }
      }
      if (runStart !== -1) chunks.push(slab.slice(runStart, runEnd));
      next = slab.firstSeq + index;
    }
    return { chunks, bytes, next };
  }

  #slabFor(seq: number, bytes: number): Slab {
    const newest = this.#slabs.at(-1);
    if (newest?.hasRoomFor(bytes)) return newest;
    const slab = new Slab(seq, Math.max(this.#slabBytes, bytes));
    this.#slabs.push(slab);
    this.#heldBytes += slab.capacity;
    // The newest slab stays, however large its line.
    while (this.#heldBytes > this.#ringBytes && this.#slabs.length > 1) {
      this.#heldBytes -= this.#slabs.shift()?.capacity ?? 0;
    }
    return slab;
  }

  /** Index of the slab that holds a sequence number; the number of slabs when it is beyond the head. */
  #slabIndexOf(seq: number): number {
    let low = 0;
    let high = this.#slabs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#slabs[middle]?.nextSeq ?? 0) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#schedule(() => {
      this.#announced = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

function linePrefix(
  seq: number,
  channel: Channel,
  receivedAt: number,
  session: number,
  encoding: FrameEncoding | undefined,
): string {
  const marked = encoding === undefined ? '' : `"encoding":"${encoding}",`;
  return `{"jsonrpc":"2.0","method":"event","params":{"seq":${seq},"channel":${channel.json},"receivedAt":${receivedAt.toFixed(3)},"session":${session},${marked}"message":`;
}
