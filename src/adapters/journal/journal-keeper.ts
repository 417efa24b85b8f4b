import { existsSync } from 'node:fs';
import { isDamage, NewerSchemaError, setAside, words } from '../sqlite-file.ts';
import { JournalFile, type Retention } from './journal-file.ts';

export interface KeeperOptions extends Retention {
  readonly path: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Told once about each new trouble with the file, and null when it is over. It must not throw. */
  readonly onTrouble: (message: string | null) => void;
}

/**
 * The journal's file through all that can happen to it: while it cannot be used, each use of it tries again; a damaged
 * one is renamed to `journal.db.corrupt-<unix seconds>`, and a new one begun.
 */
export class JournalKeeper {
  readonly #options: KeeperOptions;
  #file: JournalFile | null = null;
  #trouble: string | null = null;
  #wasDamaged = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Whether a file was found damaged. */
  get wasDamaged(): boolean {
    return this.#wasDamaged;
  }

  /** Does something with the file. @returns what comes of it, or `otherwise` where the file cannot be used */
  use<T>(act: (file: JournalFile) => T, otherwise: T): T {
    try {
      return this.#done(act(this.#open()));
    } catch (error) {
      this.#release();
      if (!isDamage(error)) return this.#giveUp(error, otherwise);
      return this.#useNew(act, error, otherwise);
    }
  }

  close(): void {
    this.#release();
  }

  #useNew<T>(act: (file: JournalFile) => T, damage: unknown, otherwise: T): T {
    const { path, now } = this.#options;
    this.#wasDamaged = true;
    try {
      const aside = setAside(path, now());
      this.#tell(`${path} is damaged (${words(damage)}): it is now ${aside}, and a new one is begun`);
      return this.#done(act(this.#open()));
    } catch (error) {
      this.#release();
      return this.#giveUp(error, otherwise);
    }
  }

  #open(): JournalFile {
    const { path } = this.#options;
    // Somebody moved it away: what SQLite has open is no longer the file of that name.
    if (this.#file !== null && !existsSync(path)) this.#release();
    this.#file ??= JournalFile.open(path, this.#options);
    return this.#file;
  }

  #done<T>(result: T): T {
    this.#tell(null);
    return result;
  }

  #giveUp<T>(error: unknown, otherwise: T): T {
    const why = error instanceof NewerSchemaError ? 'is left alone' : 'cannot be used';
    this.#tell(`${this.#options.path} ${why}: ${words(error)}`);
    return otherwise;
  }

  #release(): void {
    try {
      this.#file?.close();
    } catch {
      // It is given up either way.
    }
    this.#file = null;
  }

  #tell(trouble: string | null): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#options.onTrouble(trouble);
  }
}
