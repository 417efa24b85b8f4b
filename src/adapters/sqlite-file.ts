import { chmodSync, closeSync, existsSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { makeDirectory } from './make-directory.ts';

/** The file is of a later figd and is not touched. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';

  constructor(version: number, known: number) {
    super(`a newer figd wrote it (schema ${version}, this one knows ${known})`);
  }
}

/** What SQLite finds damaged beyond a single statement. */
export class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError';
}

const fileMode = 0o640;
const corrupt = 11;
const notADatabase = 26;

/** Whether the file itself is broken, after https://sqlite.org/rescode.html: to try again would not help. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedFileError) return true;
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return code === corrupt || code === notADatabase;
}

/**
 * Renames a damaged file and what belongs to it, so that somebody can look at it. @returns the new path
 *
 * @param now unix milliseconds
 * @throws what the file system throws
 */
export function setAside(path: string, now: number): string {
  let seconds = Math.floor(now / 1_000);
  while (existsSync(`${path}.corrupt-${seconds}`)) seconds += 1;
  const aside = `${path}.corrupt-${seconds}`;
  for (const part of ['-shm', '-wal', '']) {
    if (existsSync(path + part)) renameSync(path + part, aside + part);
  }
  return aside;
}

/** Makes what is missing of a directory and an empty file in it. @throws what the file system throws */
export function makeFile(path: string): void {
  makeDirectory(dirname(path));
  if (existsSync(path)) return;
  closeSync(openSync(path, 'a', fileMode));
  chmodSync(path, fileMode);
}

/** Names the file behind a path: another one in its place has another name. Null where there is none. */
export function identityOf(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? null : `${stats.dev} ${stats.ino}`;
}

/** The version of the schema as it stands in the file; 0 in an empty one. @throws {NewerSchemaError} */
export function versionOf(database: DatabaseSync, known: number): number {
  const version = numberOr(database.prepare('PRAGMA user_version').get()?.['user_version'], 0);
  if (version > known) throw new NewerSchemaError(version, known);
  return version;
}

/** Does several writes or none. */
export function inTransaction(database: DatabaseSync, run: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    run();
    database.exec('COMMIT');
  } catch (error) {
    // On some errors SQLite has rolled back by itself, and to do it again is one more error.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

export function numberOr<T extends number | null>(value: SQLOutputValue | undefined, otherwise: T): number | T {
  return typeof value === 'number' ? value : otherwise;
}

/** Closes a file that is given up either way. */
export function closeAnyway(file: { close(): void } | null): void {
  try {
    file?.close();
  } catch {
    // Whatever it says, it is not used any more.
  }
}
