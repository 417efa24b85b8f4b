import type { ChannelFilter } from './channels.ts';
import type { Batch, Block } from './journal.ts';
import { Slab } from './slab.ts';

const slabBytes = 1_048_576;
const smallestSlabBytes = 65_536;
/** How many lines one read may look at: a filter that passes nothing must not hold up the event loop. */
const scanLimit = 4_096;
/**
 * What the journal has is held in memory only for readers that are a moment behind: about 5,000 events of the documented
 * size. The system's page cache is the better place for the rest.
 */
const warmBytes = 8 * 1_048_576;
/** Slabs that wait to be filled again. More than one, because a stalled reader may hold on to a few. */
const mostSpares = 3;

/** Whether somebody still reads the bytes of lines in a range. */
export type IsHeld = (from: number, to: number) => boolean;

/** The newest lines in memory: slabs, filled one after the other, of which the oldest goes first. */
export class Ring {
  readonly #ringBytes: number;
  readonly #slabBytes: number;
  readonly #isHeld: IsHeld;
  #slabs: Slab[] = [];
  #spares: Slab[] = [];
  #heldBytes = 0;
  /** Lines up to here can be read from the journal. */
  #writtenUpTo = 0;

  /** @param ringBytes the most memory to use, unless a single line is larger */
  constructor(ringBytes: number, isHeld: IsHeld) {
    this.#ringBytes = ringBytes;
    this.#slabBytes = Math.max(smallestSlabBytes, Math.min(slabBytes, Math.floor(ringBytes / 8)));
    this.#isHeld = isHeld;
  }

  /** The oldest sequence number held, or undefined. */
  get oldest(): number | undefined {
    return this.#slabs[0]?.firstSeq;
  }

  /** Bytes of memory in use. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** A slab with room for the line of that number. */
  slabFor(seq: number, bytes: number): Slab {
    const newest = this.#slabs.at(-1);
    if (newest?.hasRoomFor(bytes)) return newest;
    const slab = this.#spare(seq, bytes) ?? new Slab(seq, Math.max(this.#slabBytes, bytes));
    this.#slabs.push(slab);
    this.#heldBytes += slab.capacity;
    this.#drop();
    return slab;
  }

  /** Lines up to that number can be read from the journal, and need not stay here. */
  written(seq: number): void {
    this.#writtenUpTo = seq;
  }

  /** Forgets everything. */
  clear(): void {
    this.#slabs = [];
    this.#spares = [];
    this.#heldBytes = 0;
    this.#writtenUpTo = 0;
  }

  /** The lines from `position` on, which is held or beyond the head, that pass the filter, up to about `maxBytes`. */
  read(position: number, filter: ChannelFilter, maxBytes: number): Batch {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let next = position;
    let scanned = 0;
    const all = filter.passesAll;
    for (let at = this.#indexOf(next); at < this.#slabs.length; at += 1) {
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
    return { chunks, bytes, next, lost: null };
  }

  /** The lines from a held position on, in blocks of about `blockBytes`, `maxBytes` in all. */
  blocks(position: number, blockBytes: number, maxBytes: number): readonly Block[] {
    const blocks: Block[] = [];
    let bytes = 0;
    for (let at = this.#indexOf(position); at < this.#slabs.length && bytes < maxBytes; at += 1) {
      const slab = this.#slabs[at];
      if (slab === undefined) break;
      for (let first = Math.max(position, slab.firstSeq); first < slab.nextSeq && bytes < maxBytes; ) {
        const start = slab.startOf(first - slab.firstSeq);
        let last = first;
        while (last + 1 < slab.nextSeq && slab.endOf(last + 1 - slab.firstSeq) - start <= blockBytes) last += 1;
        const end = slab.endOf(last - slab.firstSeq);
        blocks.push({ first, last, bytes: slab.slice(start, end) });
        bytes += end - start;
        first = last + 1;
      }
    }
    return blocks;
  }

  /** The newest slab stays, however large its line. */
  #drop(): void {
    for (let oldest = this.#slabs[0]; this.#slabs.length > 1 && oldest !== undefined; oldest = this.#slabs[0]) {
      const isCold = this.#heldBytes > warmBytes && oldest.nextSeq <= this.#writtenUpTo + 1;
      if (this.#heldBytes <= this.#ringBytes && !isCold) return;
      this.#slabs.shift();
      this.#heldBytes -= oldest.capacity;
      if (oldest.capacity === this.#slabBytes) this.#spares.push(oldest);
      if (this.#spares.length > mostSpares) this.#spares.shift();
    }
  }

  /** Memory that is written over costs no page faults and leaves nothing to collect. */
  #spare(seq: number, bytes: number): Slab | undefined {
    if (bytes > this.#slabBytes) return undefined;
    const at = this.#spares.findIndex(({ firstSeq, nextSeq }) => !this.#isHeld(firstSeq, nextSeq - 1));
    const [slab] = at === -1 ? [] : this.#spares.splice(at, 1);
    slab?.reuse(seq);
    return slab;
  }

  /** Index of the slab that holds a sequence number; the number of slabs when it is beyond the head. */
  #indexOf(seq: number): number {
    let low = 0;
    let high = this.#slabs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#slabs[middle]?.nextSeq ?? 0) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
