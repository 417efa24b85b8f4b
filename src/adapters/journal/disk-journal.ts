import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Batch, Journal, JournalEntry, JournalQuery } from '../../log/journal.ts';
import { type LedgerContents, MemoryLedger } from '../../log/memory-ledger.ts';
import type { GapRecord, LedgerMemory, LedgerStore, Paced } from '../../protocol/ledger.ts';
import type { Retention } from './journal-file.ts';
import type { Answers, FromThread, Question, ThreadStart, ToThread } from './messages.ts';
import { SequenceFile, sequenceFileName } from './sequence-file.ts';
import { readSequence } from './sequence-record.ts';

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

/** Why something is not written, by what it is. */
type Troubles = Readonly<Record<'journal' | 'ledger' | 'sequence' | 'thread', string | null>>;

const directoryMode = 0o750;
const bootFile = '/proc/sys/kernel/random/boot_id';
const epochBytes = 8;
/** Beyond these the reserved memory of a second thread is of no use: it holds a few blocks at a time. */
const threadLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 };
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
  #figures: { readonly epoch: string; readonly bytes: number; readonly oldest: number | null } | null = null;

  private constructor(options: DiskJournalOptions, thread: Thread, ledger: LedgerContents, numbers: SequenceFile) {
    this.#options = options;
    this.#thread = thread;
    this.#troubles = thread.troubles;
    this.numbers = numbers;
    this.ledger = new MirroredLedger(ledger, thread);
    thread.onTrouble = (of, message) => this.#tell(of, message);
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
    makeDirectory(options.directory);
    const thread = new Thread(options);
    const { isTaken, wasDamaged, ledger } = await thread.opened;
    if (isTaken) {
      await thread.end();
      throw new DirectoryTakenError(`another figd keeps its journal in ${options.directory}`);
    }
    const path = join(options.directory, sequenceFileName);
    const epoch = readSequence(path)?.epoch;
    const last = epoch === undefined ? 0 : ((await thread.ask({ ask: 'last', epoch })) ?? null);
    let tellSequence = (message: string | null) => {
      thread.troubles = { ...thread.troubles, sequence: message };
    };
    const numbers = SequenceFile.open(
      {
        path,
        boot: bootId(),
        now: options.now,
        newEpoch: () => randomBytes(epochBytes).toString('hex'),
        onTrouble: (message) => tellSequence(message),
      },
      wasDamaged ? null : last,
    );
    const before = numbers.first - 1;
    const hole = last !== null && before > last ? ({ from: last + 1, to: before, reason: 'crash' } as const) : null;
    const opened = new DiskJournal(options, thread, ledger, numbers);
    tellSequence = (message) => opened.#tell('sequence', message);
    await thread.ask({ ask: 'write', epoch: numbers.epoch, hole, blocks: [] });
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
    const shared = blocks.map(({ first, last, bytes }) => ({
      first,
      last,
      memory: bytes.buffer,
      offset: bytes.byteOffset,
      length: bytes.length,
    }));
    const lost = hole === null ? null : ({ ...hole, reason: 'unwritten' } as const);
    return (await this.#thread.ask({ ask: 'write', epoch, hole: lost, blocks: shared })) ?? false;
  }

  async read({ epoch, from, channels, maxBytes }: JournalQuery): Promise<Batch | null> {
    const found = (await this.#thread.ask({ ask: 'read', epoch, from, channels, maxBytes })) ?? null;
    if (found === null) return null;
    const chunks = found.chunks.map((chunk) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    return { ...found, chunks };
  }

  async firstSince(epoch: string, since: number): Promise<number | null> {
    return (await this.#thread.ask({ ask: 'since', epoch, since })) ?? null;
  }

  /** Closes everything. @param head the last sequence number that was given */
  async close(head: number): Promise<void> {
    this.numbers.close(head);
    await this.#thread.close(closeDeadlineMs);
  }

  #tell(of: keyof Troubles, message: string | null): void {
    const before = this.trouble;
    this.#troubles = { ...this.#troubles, [of]: message };
    if (this.trouble !== before) this.#options.onTrouble(this.trouble);
  }
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

type Opened = Extract<FromThread, { tell: 'opened' }>;

/** The other thread, seen from here. */
class Thread {
  readonly opened: Promise<Opened>;
  troubles: Troubles = { journal: null, ledger: null, sequence: null, thread: null };
  onTrouble: (of: keyof Troubles, message: string | null) => void = (of, message) => {
    this.troubles = { ...this.troubles, [of]: message };
  };
  onFigures: (figures: Extract<FromThread, { tell: 'figures' }>) => void = () => undefined;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: Answers[keyof Answers] | undefined) => void>();
  #lastId = 0;
  #isOver = false;

  constructor({ directory, retainFor, retainBytes }: DiskJournalOptions) {
    const start: ThreadStart = { directory, retainFor, retainBytes };
    const file = import.meta.url.endsWith('.ts') ? './journal-thread.ts' : './journal-thread.js';
    // No environment: it may hold credentials.
    this.#worker = new Worker(new URL(file, import.meta.url), {
      workerData: start,
      env: {},
      resourceLimits: threadLimits,
    });
    const opened = Promise.withResolvers<Opened>();
    this.opened = opened.promise;
    this.#worker.on('message', (message: FromThread) => this.#receive(message, opened.resolve));
    this.#worker.on('error', (error: Error) =>
      this.#fail(`the journal's thread ended: ${error.message}`, opened.reject),
    );
    this.#worker.on('exit', () => this.#fail("the journal's thread ended", opened.reject));
  }

  post(message: ToThread): void {
    if (!this.#isOver) this.#worker.postMessage(message);
  }

  /** Resolves with undefined where there is nobody to answer any more. */
  ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']] | undefined> {
    if (this.#isOver) return Promise.resolve(undefined);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve as (answer: Answers[keyof Answers] | undefined) => void);
      this.post({ id, question });
    });
  }

  async close(deadlineMs: number): Promise<void> {
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, deadlineMs);
    await Promise.race([this.ask({ ask: 'close' }), deadline.promise]);
    clearTimeout(timer);
    await this.end();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#worker.terminate();
  }

  #receive(message: FromThread, opened: (message: Opened) => void): void {
    switch (message.tell) {
      case 'opened':
        opened(message);
        break;
      case 'trouble':
        this.onTrouble(message.of, message.message);
        break;
      case 'figures':
        this.onFigures(message);
        break;
      case 'answer':
        this.#waiting.get(message.id)?.(message.answer);
        this.#waiting.delete(message.id);
        break;
    }
  }

  #fail(message: string, reject: (error: Error) => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onTrouble('thread', `${message}; events are kept in memory only until figd is started again`);
    for (const answer of this.#waiting.values()) answer(undefined);
    this.#waiting.clear();
    reject(new Error(message));
  }
}

/** Where it cannot be made, the thread finds out and tells. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: directoryMode });
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
