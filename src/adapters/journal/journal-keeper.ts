import { messageOf } from '../../protocol/text.ts';
import { closeAnyway, identityOf, isDamage, NewerSchemaError, setAside } from '../sqlite-file.ts';
import { Trouble } from '../trouble.ts';
import { JournalFile, type Retention } from './journal-file.ts';

export interface KeeperOptions extends Retention {
  readonly path: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Called before a file is opened. Throws where somebody else has the directory by now. */
  readonly claim: () => void;
  /** Told once about each new trouble with the file, and null when it is over. It must not throw. */
  readonly onTrouble: (message: string | null) => void;
}

/**
 * The journal's file through all that can happen to it: while it cannot be used, each use of it tries again; a damaged
 * one is renamed to `journal.db.corrupt-<unix seconds>`, and a new one begun. A trouble is over when something was written:
 * a full disk can still be read.
 */
export class JournalKeeper {
  readonly #options: KeeperOptions;
  #retention: Retention;
  #file: JournalFile | null = null;
  #identity: string | null = null;
  readonly #trouble: Trouble;
  #wasDamaged = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#retention = options;
    this.#trouble = new Trouble(options.onTrouble);
  }

  /** Whether a file was found damaged. */
  get wasDamaged(): boolean {
    return this.#wasDamaged;
  }

  /** Keeps events for so long, and so many, from now on. */
  retain(retention: Retention): void {
    this.#retention = retention;
    this.#file?.retain(retention);
  }

  /** Reads in the file. @returns what comes of it, or `otherwise` where the file cannot be used */
  read<T>(act: (file: JournalFile) => T, otherwise: T): T {
    return this.#use(act, otherwise);
  }

  /** Writes to the file. @returns whether that was done */
  write(act: (file: JournalFile) => void): boolean {
    const write = (file: JournalFile) => {
      act(file);
      this.#trouble.tell(null);
      return true;
    };
    return this.#use(write, false);
  }

  close(): void {
    this.#release();
  }

  #use<T>(act: (file: JournalFile) => T, otherwise: T): T {
    try {
      return act(this.#open());
    } catch (error) {
      this.#release();
      if (!isDamage(error)) return this.#giveUp(error, otherwise);
      return this.#useNew(act, error, otherwise);
    }
  }

  #useNew<T>(act: (file: JournalFile) => T, damage: unknown, otherwise: T): T {
    const { path, now } = this.#options;
    this.#wasDamaged = true;
    try {
      const aside = setAside(path, now());
      this.#trouble.tell(`${path} is damaged (${messageOf(damage)}): it is now ${aside}, and a new one is begun`);
      return act(this.#open());
    } catch (error) {
      this.#release();
      return this.#giveUp(error, otherwise);
    }
  }

  #open(): JournalFile {
    const { path } = this.#options;
    // Somebody moved it away or put another one there: what SQLite has open is no longer the file of that name.
    if (this.#file !== null && identityOf(path) !== this.#identity) this.#release();
    if (this.#file !== null) return this.#file;
    this.#options.claim();
    this.#file = JournalFile.open(path, this.#retention);
    this.#identity = identityOf(path);
    return this.#file;
  }

  #giveUp<T>(error: unknown, otherwise: T): T {
    const why = error instanceof NewerSchemaError ? 'is left alone' : 'cannot be used';
    this.#trouble.tell(`${this.#options.path} ${why}: ${messageOf(error)}`);
    return otherwise;
  }

  #release(): void {
    closeAnyway(this.#file);
    this.#file = null;
  }
}
