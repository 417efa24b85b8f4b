import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Batch, Journal, JournalEntry, JournalQuery } from '../../log/journal.ts';
import { contentsOf, type LedgerContents, MemoryLedger } from '../../log/memory-ledger.ts';
import type { GapRecord, HeardMark, LedgerMemory, LedgerStore, Paced } from '../../protocol/ledger.ts';
import { makeDirectory } from '../make-directory.ts';
import type { Hole, Retention } from './journal-file.ts';
import { LastingThread } from './lasting-thread.ts';
import type { SharedBlock } from './messages.ts';
import { SequenceFile, sequenceFileName } from './sequence-file.ts';
import { readSequence } from './sequence-record.ts';
import type { Figures } from './thread.ts';
import { Troubles } from './troubles.ts';

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
  readonly #thread: LastingThread;
  readonly #troubles: Troubles;
  /** What the run before gave and did not write, until that is written down. */
  #owed: (Hole & { readonly epoch: string }) | null = null;
  #figures: Figures | null = null;

  private constructor(thread: LastingThread, troubles: Troubles, ledger: LedgerStore, numbers: SequenceFile) {
    this.#thread = thread;
    this.#troubles = troubles;
    this.ledger = ledger;
    this.numbers = numbers;
  }

  /**
   * Opens what is there and makes what is missing.
   * @throws {DirectoryTakenError} where another daemon uses the directory; nothing else
   */
  static async open(options: DiskJournalOptions): Promise<DiskJournal> {
    tryToMake(options.directory);
    const troubles = new Troubles(options.onTrouble);
    let journal: DiskJournal | null = null;
    const thread = new LastingThread({
      ...options,
      onTrouble: (of, message) => troubles.tell(of, message),
      onFigures: (figures) => {
        if (journal !== null) journal.#figures = figures;
      },
      onClaimed: () => journal?.numbers.restore(),
      onReplaced: () => ledger.repeat(),
    });
    const { isTaken, wasDamaged, ledger: contents } = await thread.opened;
    if (isTaken) {
      await thread.end();
      throw new DirectoryTakenError(`another figd keeps its journal in ${options.directory}`);
    }
    const ledger = new MirroredLedger(contents, thread);
    const path = join(options.directory, sequenceFileName);
    const { epoch, isClosed = false } = readSequence(path) ?? {};
    const last = epoch === undefined ? 0 : ((await thread.ask({ ask: 'last', epoch })) ?? null);
    const numbers = SequenceFile.open(
      {
        path,
        boot: bootId(),
        isOurs: () => thread.isOurs,
        now: options.now,
        newEpoch,
        onTrouble: (message) => troubles.tell('sequence', message),
      },
      wasDamaged ? null : last,
    );
    const before = numbers.first - 1;
    journal = new DiskJournal(thread, troubles, ledger, numbers);
    troubles.listen();
    const reason = isClosed ? 'unwritten' : 'crash';
    if (last !== null && before > last) journal.#owed = { epoch: numbers.epoch, from: last + 1, to: before, reason };
    await journal.write({ epoch: numbers.epoch, hole: null, blocks: [] });
    return journal;
  }

  /** Why something cannot be kept on disk at present; null when all is well. */
  get trouble(): string | null {
    return this.#troubles.gravest;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#figures?.bytes ?? 0;
  }

  oldest(epoch: string): number | null {
    return this.#figures?.epoch === epoch ? this.#figures.oldest : null;
  }

  async write({ epoch, hole, blocks }: JournalEntry): Promise<boolean> {
    const owed = this.#owed;
    // The epoch may be another by now, of which nothing is owed.
    if (owed !== null && !(await this.#ask(owed.epoch, owed, []))) return false;
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
  retain(retention: Retention): void {
    this.#thread.retain(retention);
  }

  /** Closes everything. @param head the last sequence number that was given */
  async close(head: number): Promise<void> {
    this.numbers.close(head);
    await this.#thread.close(closeDeadlineMs);
  }

  async #ask(epoch: string, hole: Hole | null, blocks: readonly SharedBlock[]): Promise<boolean> {
    return (await this.#thread.ask({ ask: 'write', epoch, hole, blocks })) ?? false;
  }
}

/** A name that no epoch has had before. */
export function newEpoch(): string {
  return randomBytes(epochBytes).toString('hex');
}

/** Answers from memory, and has each change written. */
class MirroredLedger implements LedgerStore {
  readonly #memory: MemoryLedger;
  readonly #thread: LastingThread;

  constructor(contents: LedgerContents, thread: LastingThread) {
    this.#memory = MemoryLedger.from(contents);
    this.#thread = thread;
  }

  /** Has all of it written once more, by a thread that does not know what the one before has written. */
  repeat(): void {
    this.#thread.post({ change: 'ledger', ledger: contentsOf(this.#memory) });
  }

  recall(): LedgerMemory {
    return this.#memory.recall();
  }

  gapsSince(since: number): readonly GapRecord[] {
    return this.#memory.gapsSince(since);
  }

  save(gap: GapRecord, heard?: HeardMark | null): void {
    this.#memory.save(gap, heard);
    this.#thread.post({ change: 'save', gap, heard });
  }

  markHeard(heard: HeardMark | null): void {
    this.#memory.markHeard(heard);
    this.#thread.post({ change: 'heard', heard });
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
