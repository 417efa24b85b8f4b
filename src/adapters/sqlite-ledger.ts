import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isFinished, type LedgerContents, MemoryLedger } from '../log/memory-ledger.ts';
import type { FailureCode } from '../protocol/failure.ts';
import {
  type GapRecord,
  type HeardMark,
  isOfOneChannel,
  type LedgerMemory,
  type LedgerStore,
  type OutageReport,
  type Paced,
} from '../protocol/ledger.ts';
import { messageOf } from '../protocol/text.ts';
import { LedgerFile, readLedgerFile } from './ledger-file.ts';
import { closeAnyway, isDamage, NewerSchemaError, setAside } from './sqlite-file.ts';
import { Trouble } from './trouble.ts';

export const ledgerFileName = 'ledger.db';

export interface LedgerOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Finished gaps that ended longer ago, in milliseconds, are deleted when the ledger is opened. */
  readonly retainFor: number;
  /** Told once about each new trouble with the file, and null when it is over. It must not throw. */
  readonly onTrouble: (message: string | null) => void;
}

/** A ledger in a file. */
export interface OpenLedger extends LedgerStore {
  /** Why the file cannot be written at present; null when all is well. */
  readonly trouble: string | null;
  /** Takes over all of a ledger, in one write: what was learned while the file was in nobody's hands. */
  complete(known: LedgerContents): void;
  /** Writes what the file lacks, if it can be written, and releases it. Later changes are kept in memory only. */
  close(): void;
}

/**
 * Opens `ledger.db` in a directory, which is made where it is missing. It never throws: while the file cannot be used,
 * the ledger goes on in memory, and what the file lacks is written when it can be used again. A damaged file is
 * renamed to `ledger.db.corrupt-<unix seconds>`, and a new one begun.
 */
export function openLedger(directory: string, options: LedgerOptions): OpenLedger {
  return new SqliteLedger(join(directory, ledgerFileName), options);
}

/** There is a ledger, and it cannot be read; the message says why. */
export class LedgerUnreadableError extends Error {
  override readonly name = 'LedgerUnreadableError';
}

/**
 * Answers `outages` from the file of a daemon that does not run. Where that daemon could not say goodbye, figd has been
 * blind since the venue was last heard: an open gap with the number and cause the next start will give it.
 *
 * @param since unix milliseconds, as `now`
 * @returns null where there is no ledger
 * @throws {LedgerUnreadableError}
 */
export function readLedger(directory: string, since: number, now: number): OutageReport | null {
  const path = join(directory, ledgerFileName);
  const contents = orUnreadable(path, () => readLedgerFile(path));
  if (contents === null) return null;
  const memory = MemoryLedger.from(contents);
  const { beganAt, lastId, heard, unfinished } = memory.recall();
  if (heard !== null && unfinished.every((gap) => gap.until !== null || isOfOneChannel(gap))) {
    const cause: FailureCode = 'daemon-died';
    const { at: since, ...known } = heard;
    memory.save({ id: lastId + 1, cause, since, ...known, until: null, blindMs: null, reconciled: null });
  }
  return { now, beganAt, gaps: memory.gapsSince(since) };
}

function orUnreadable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new LedgerUnreadableError(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** How long a file in trouble is left alone. */
const retryAfterMs = 10_000;

/** The memory is always up to date and answers every question; the file follows it. */
class SqliteLedger implements OpenLedger {
  readonly #path: string;
  readonly #options: LedgerOptions;
  #memory: MemoryLedger;
  #file: LedgerFile | null = null;
  readonly #trouble: Trouble;
  #triedAt = 0;
  #closed = false;
  /** Whether the numbers in memory go on from those in the file. */
  #continues = false;
  /** What is added to a number in memory to get the one in a file that could not be read at the start. */
  #shift = 0;
  /** What the file lacks. */
  readonly #gaps = new Set<number>();
  readonly #paces = new Set<Paced>();
  #heard = false;

  constructor(path: string, options: LedgerOptions) {
    this.#path = path;
    this.#options = options;
    this.#trouble = new Trouble(options.onTrouble);
    this.#memory = new MemoryLedger(options.now());
    this.#attempt(() => this.#load());
    if (!this.#continues) this.#loadUnwritable();
  }

  get trouble(): string | null {
    return this.#trouble.message;
  }

  recall(): LedgerMemory {
    return this.#memory.recall();
  }

  gapsSince(since: number): readonly GapRecord[] {
    return this.#memory.gapsSince(since);
  }

  save(gap: GapRecord, heard?: HeardMark | null): void {
    this.#memory.save(gap, heard);
    this.#gaps.add(gap.id);
    this.#heard ||= heard !== undefined;
    this.#write();
  }

  markHeard(heard: HeardMark | null): void {
    this.#memory.markHeard(heard);
    this.#heard = true;
    this.#write();
  }

  pace(what: Paced, at: number): void {
    this.#memory.pace(what, at);
    this.#paces.add(what);
    this.#write();
  }

  complete({ gaps, heard, paces }: LedgerContents): void {
    for (const gap of gaps) {
      const known = this.#memory.gap(gap.id);
      if (known !== undefined && isFinished(known)) continue;
      this.#memory.save(gap);
      this.#gaps.add(gap.id);
    }
    this.#memory.markHeard(heard);
    this.#heard = true;
    for (const what of ['dial', 'token'] as const) {
      const known = this.#memory.paces[what];
      for (const at of paces[what]) if (!known.includes(at)) this.#memory.pace(what, at);
      this.#paces.add(what);
    }
    this.#write();
  }

  close(): void {
    if (this.#closed) return;
    if (this.#trouble.message !== null) this.#attempt(() => this.#catchUp());
    this.#closed = true;
    this.#release();
  }

  #write(): void {
    const resting = this.#file === null && Math.abs(this.#options.now() - this.#triedAt) < retryAfterMs;
    if (!this.#closed && !resting) this.#attempt(() => this.#catchUp());
  }

  #load(): void {
    const { now, retainFor } = this.#options;
    const file = this.#open();
    file.prune(now() - retainFor);
    this.#memory = MemoryLedger.from(file.contents());
    this.#continues = true;
  }

  /** A file that cannot be written may be readable still, as on a full disk. */
  #loadUnwritable(): void {
    try {
      const contents = readLedgerFile(this.#path);
      if (contents === null) return;
      this.#memory = MemoryLedger.from(contents);
      this.#continues = true;
    } catch {
      // What is the matter with the file has been told already.
    }
  }

  #catchUp(): void {
    // Somebody moved it away: what SQLite has open is no longer the file of that name.
    if (this.#file !== null && !existsSync(this.#path)) this.#release();
    const file = this.#file ?? this.#reopen();
    file.together(() => {
      for (const id of this.#gaps) {
        const gap = this.#memory.gap(id);
        if (gap !== undefined) file.save({ ...gap, id: id + this.#shift });
      }
      if (this.#heard) file.markHeard(this.#memory.heard, this.#memory.beganAt);
      for (const what of this.#paces) file.keepPaces(what, this.#memory.paces[what]);
    });
    this.#gaps.clear();
    this.#paces.clear();
    this.#heard = false;
  }

  #reopen(): LedgerFile {
    const file = this.#open();
    if (file.isNew) this.#lackEverything();
    if (!this.#continues) this.#shift = file.contents().lastId;
    this.#continues = true;
    return file;
  }

  #lackEverything(): void {
    for (const { id } of this.#memory.gapsSince(Number.NEGATIVE_INFINITY)) this.#gaps.add(id);
    this.#paces.add('dial').add('token');
    this.#heard = true;
  }

  #open(): LedgerFile {
    this.#file = LedgerFile.open(this.#path, this.#memory.beganAt);
    return this.#file;
  }

  /** Does something with the file; with a new one, where it turns out to be damaged. */
  #attempt(act: () => void): void {
    try {
      act();
      this.#trouble.tell(null);
    } catch (error) {
      this.#release();
      if (isDamage(error)) this.#attemptAnew(act, error);
      else this.#giveUp(error);
    }
  }

  #attemptAnew(act: () => void, damage: unknown): void {
    try {
      const aside = setAside(this.#path, this.#options.now());
      this.#trouble.tell(`${this.#path} is damaged (${messageOf(damage)}): it is now ${aside}, and a new one is begun`);
      act();
      this.#trouble.tell(null);
    } catch (error) {
      this.#release();
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    this.#triedAt = this.#options.now();
    const why = error instanceof NewerSchemaError ? 'is left alone' : 'cannot be written';
    this.#trouble.tell(`${this.#path} ${why}: ${messageOf(error)}; the ledger goes on in memory`);
  }

  #release(): void {
    closeAnyway(this.#file);
    this.#file = null;
  }
}
