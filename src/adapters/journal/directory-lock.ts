import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { identityOf, isDamage, makeFile } from '../sqlite-file.ts';

const lockFileName = 'lock';
/** A daemon that was killed a moment ago may not be quite gone. */
const timeoutMs = 2_000;
const busy = 5;

/**
 * Keeps a directory for one daemon: two that wrote to the same files would give the same numbers to different events.
 * It holds a lock of the kernel, which no process that is gone can hold.
 */
export class DirectoryLock {
  readonly #path: string;
  #database: DatabaseSync | null = null;
  #identity: string | null = null;

  constructor(directory: string) {
    this.#path = join(directory, lockFileName);
  }

  /**
   * Takes the directory, or makes sure of it: the file may have been removed, and one that is gone keeps nobody out.
   * @returns `ours`; `taken` where somebody else has it; `open` where no lock can be had at all
   */
  claim(): 'ours' | 'taken' | 'open' {
    if (this.#database !== null && identityOf(this.#path) === this.#identity) return 'ours';
    this.release();
    try {
      this.#lock();
      return 'ours';
    } catch (error) {
      this.release();
      return codeOf(error) === busy ? 'taken' : 'open';
    }
  }

  release(): void {
    this.#database?.close();
    this.#database = null;
  }

  #lock(): void {
    makeFile(this.#path);
    try {
      this.#begin();
    } catch (error) {
      this.release();
      if (!isDamage(error)) throw error;
      // Nothing of ours is in it.
      rmSync(this.#path);
      makeFile(this.#path);
      this.#begin();
    }
    this.#identity = identityOf(this.#path);
  }

  #begin(): void {
    this.#database = new DatabaseSync(this.#path, { timeout: timeoutMs });
    this.#database.exec('BEGIN EXCLUSIVE');
  }
}

function codeOf(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : null;
}
