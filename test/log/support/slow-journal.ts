import type { Batch, Journal, JournalEntry, JournalQuery } from '../../../src/log/journal.ts';
import { channelAt, skipLines } from '../../../src/log/line.ts';
import { patternTest } from '../../../src/log/patterns.ts';
import type { Lost } from '../../../src/protocol/local.ts';

/** What waits for the other thread, in the order in which it was asked. */
interface Waiting {
  readonly entry: JournalEntry | null;
  readonly answer: (isGood: boolean) => void;
}

/**
 * A journal that answers when a test says so, in the order in which it was asked, and looks at the bytes it was given
 * only then, as another thread does.
 */
export class SlowJournal implements Journal {
  /** The lines of each epoch by their numbers. */
  readonly lines = new Map<string, Map<number, string>>();
  readonly holes: { readonly epoch: string; readonly from: number; readonly to: number }[] = [];
  /** How many batches were given back, with lines that nobody may read any more. */
  released = 0;
  /** What came first since any moment, which is answered in its turn; null: nothing, and answered at once. */
  first: number | null = null;
  readonly #waiting: Waiting[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  /** What is being written at present or is asked to be. */
  get entries(): readonly JournalEntry[] {
    return this.#waiting.flatMap(({ entry }) => (entry === null ? [] : [entry]));
  }

  /** Answers the oldest question. @param isGood whether a write succeeds */
  settle(isGood = true): void {
    this.#waiting.shift()?.answer(isGood);
  }

  oldest(epoch: string): number | null {
    const [oldest] = this.lines.get(epoch)?.keys() ?? [];
    return oldest ?? null;
  }

  write(entry: JournalEntry): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push({
        entry,
        answer: (isGood) => {
          if (isGood) this.#keep(entry);
          resolve(isGood);
        },
      });
    });
  }

  read(query: JournalQuery): Promise<Batch | null> {
    return new Promise((resolve) => {
      this.#waiting.push({ entry: null, answer: () => resolve(this.#find(query)) });
    });
  }

  firstSince(): Promise<number | null> {
    const { first } = this;
    if (first === null) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#waiting.push({ entry: null, answer: () => resolve(first) });
    });
  }

  #keep({ epoch, hole, blocks }: JournalEntry): void {
    if (hole !== null) this.holes.push({ epoch, ...hole });
    const kept = this.lines.get(epoch) ?? new Map<number, string>();
    this.lines.set(epoch, kept);
    for (const { first, last, bytes } of blocks) {
      for (let seq = first, at = 0; seq <= last; seq += 1) {
        const end = skipLines(bytes, at, 1);
        if (kept.has(seq)) throw new Error(`${seq} is written twice`);
        kept.set(seq, bytes.toString('utf8', at, end));
        at = end;
      }
    }
  }

  #find({ epoch, from, channels, maxBytes }: JournalQuery): Batch | null {
    const kept = this.lines.get(epoch) ?? new Map<number, string>();
    const test = patternTest(channels) ?? (() => true);
    let next = from;
    let lost: Lost | null = null;
    const hole = this.holes.find((one) => one.epoch === epoch && one.from <= from && one.to >= from);
    if (hole !== undefined) {
      lost = { from, to: hole.to, reason: 'unwritten' };
      next = hole.to + 1;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    for (let line = kept.get(next); line !== undefined && bytes < maxBytes; line = kept.get(next)) {
      const chunk = Buffer.from(line);
      if (test(channelAt(chunk, 0))) chunks.push(chunk);
      bytes += chunk.length;
      next += 1;
    }
    const release = () => {
      this.released += 1;
      for (const chunk of chunks) chunk.fill('?');
    };
    return next === from ? null : { chunks, bytes, next, lost, release };
  }
}
