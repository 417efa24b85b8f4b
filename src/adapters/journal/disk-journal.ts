import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Batch, Journal, JournalEntry, JournalQuery } from '../../log/journal.ts';
import { type LedgerContents, MemoryLedger } from '../../log/memory-ledger.ts';
import type { GapRecord, LedgerMemory, LedgerStore, Paced } from '../../protocol/ledger.ts';
import { makeDirectory } from '../make-directory.ts';
import type { Hole, Retention } from './journal-file.ts';
import type { SharedBlock } from './messages.ts';
import { SequenceFile, sequenceFileName } from './sequence-file.ts';
import { readSequence } from './sequence-record.ts';
import { Thread, type Troubles } from './thread.ts';

/** Another figd keeps its journal in the same directory. */
export class DirectoryTakenError extends Error {
  override readonly name = 'DirectoryTakenError';
}

export interface DiskJournalOptions extends Retention {
  readonly directory: string;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Told about each change of {@link DiskJournal.trouble}. It must not throw. */
  readonly onTrouble: (message: string | null) => void;
}

const bootFile = '/proc/sys/kernel/random/boot_id';
const epochBytes = 8;
/** How long a disk may take to let the files be closed. */
const closeDeadlineMs = 3_000;

/**
 * Everything figd keeps on disk: the journal of events, the sequence of their numbers, and the ledger of gaps. What
 * can wait happens in a thread of its own; what cannot be written is kept in memory, and told.
 */
export class DiskJournal implements Journal {
  readonly numbers: SequenceFile;
  readonly ledger: LedgerStore;
  readonly #options: DiskJournalOptions;
  readonly #thread: Thread;
  #troubles: Troubles;
  /** What the run before gave and did not write, until that is written down. */
  #owed: Hole | null = null;
  #figures: { readonly epoch: string; readonly bytes: number; readonly oldest: number | null } | null = null;

  private constructor(options: DiskJournalOptions, thread: Thread, ledger: LedgerContents, numbers: SequenceFile) {
    this.#options = options;
    this.#thread = thread;
    this.#troubles = thread.troubles;
    this.numbers = numbers;
    this.ledger = new MirroredLedger(ledger, thread);
    thread.onTrouble = (of, message) => this.#tell(of, message);
    thread.onClaimed = () => numbers.restore();
    thread.onFigures = (figures) => {
      this.#figures = figures;
    };
    if (this.trouble !== null) options.onTrouble(this.trouble);
  }

  /**
   * Opens what is there and makes what is missing.
   * @throws {DirectoryTakenError} where another daemon uses the directory; nothing else
   */
  static async open(options: DiskJournalOptions): Promise<DiskJournal> {
    tryToMake(options.directory);
    const thread = new Thread(options);
    const { isTaken, wasDamaged, ledger } = await thread.opened;
    if (isTaken) {
      await thread.end();
      throw new DirectoryTakenError(`another figd keeps its journal in ${options.directory}`);
    }
    const path = join(options.directory, sequenceFileName);
    const { epoch, isClosed = false } = readSequence(path) ?? {};
    const last = epoch === undefined ? 0 : ((await thread.ask({ ask: 'last', epoch })) ?? null);
    let tellSequence = (message: string | null) => {
      thread.troubles = { ...thread.troubles, sequence: message };
    };
    const numbers = SequenceFile.open(
      {
        path,
        boot: bootId(),
        isOurs: () => thread.isOurs,
        now: options.now,
        newEpoch,
        onTrouble: (message) => tellSequence(message),
      },
      wasDamaged ? null : last,
    );
    const before = numbers.first - 1;
    const opened = new DiskJournal(options, thread, ledger, numbers);
    tellSequence = (message) => opened.#tell('sequence', message);
    const reason = isClosed ? 'unwritten' : 'crash';
    if (last !== null && before > last) opened.#owed = { from: last + 1, to: before, reason };
    await opened.write({ epoch: numbers.epoch, hole: null, blocks: [] });
    return opened;
  }

  /** Why something cannot be kept on disk at present; null when all is well. */
  get trouble(): string | null {
    const { thread, sequence, journal, ledger } = this.#troubles;
    return thread ?? sequence ?? journal ?? ledger;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#figures?.bytes ?? 0;
  }

  oldest(epoch: string): number | null {
    return this.#figures?.epoch === epoch ? this.#figures.oldest : null;
  }

  async write({ epoch, hole, blocks }: JournalEntry): Promise<boolean> {
    if (epoch !== this.numbers.epoch) this.#owed = null;
    const owed = this.#owed;
    if (owed !== null && !(await this.#ask(epoch, owed, []))) return false;
    this.#owed = null;
    const shared = blocks.map(({ first, last, bytes }) => ({
      first,
      last,
      memory: bytes.buffer,
      offset: bytes.byteOffset,
      length: bytes.length,
    }));
    const lost = hole === null ? null : ({ ...hole, reason: 'unwritten' } as const);
    return this.#ask(epoch, lost, shared);
  }

  async read({ epoch, from, channels, maxBytes }: JournalQuery): Promise<Batch | null> {
    const found = (await this.#thread.ask({ ask: 'read', epoch, from, channels, maxBytes })) ?? null;
    if (found === null) return null;
    const chunks = found.chunks.map((chunk) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    return { ...found, chunks, release: () => release(found.chunks) };
  }

  async firstSince(epoch: string, since: number): Promise<number | null> {
    return (await this.#thread.ask({ ask: 'since', epoch, since })) ?? null;
  }

  /** Keeps events for so long, and so many, from now on; what goes by that goes little by little. */
  retain({ retainFor, retainBytes }: Retention): void {
    this.#thread.post({ change: 'retention', retention: { retainFor, retainBytes } });
  }

  /** Closes everything. @param head the last sequence number that was given */
  async close(head: number): Promise<void> {
    this.numbers.close(head);
    await this.#thread.close(closeDeadlineMs);
  }

  async #ask(epoch: string, hole: Hole | null, blocks: readonly SharedBlock[]): Promise<boolean> {
    return (await this.#thread.ask({ ask: 'write', epoch, hole, blocks })) ?? false;
  }

  #tell(of: keyof Troubles, message: string | null): void {
    const before = this.trouble;
    this.#troubles = { ...this.#troubles, [of]: message };
    if (this.trouble !== before) this.#options.onTrouble(this.trouble);
  }
}

/** A name that no epoch has had before. */
export function newEpoch(): string {
  return randomBytes(epochBytes).toString('hex');
}

/** Answers from memory, and has each change written. */
class MirroredLedger implements LedgerStore {
  readonly #memory: MemoryLedger;
  readonly #thread: Thread;

  constructor(contents: LedgerContents, thread: Thread) {
    this.#memory = MemoryLedger.from(contents);
    this.#thread = thread;
  }

  recall(): LedgerMemory {
    return this.#memory.recall();
  }

  gapsSince(since: number): readonly GapRecord[] {
    return this.#memory.gapsSince(since);
  }

  save(gap: GapRecord): void {
    this.#memory.save(gap);
    this.#thread.post({ change: 'save', gap });
  }

  markHeard(at: number | null, clockOffsetMs: number | null): void {
    this.#memory.markHeard(at, clockOffsetMs);
    this.#thread.post({ change: 'heard', at, clockOffsetMs });
  }

  pace(what: Paced, at: number): void {
    this.#memory.pace(what, at);
    this.#thread.post({ change: 'pace', what, at });
  }
}

/**
 * Has memory that came from the thread given back now. The collector does not hurry with it: a reader far behind went
 * through 60 MB before any of it was free again (measured).
 */
function release(chunks: readonly Uint8Array[]): void {
  for (const { buffer } of chunks) if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

/** Where it cannot be made, the thread finds out and tells. */
function tryToMake(path: string): void {
  try {
    makeDirectory(path);
  } catch {
    // Told by whoever wants to write there.
  }
}

function bootId(): string {
  try {
    return readFileSync(bootFile, 'latin1').trim();
  } catch {
    // Not known to be the same host run: then only what the disk itself was told counts.
    return '';
  }
}
