import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../protocol/text.ts';
import { makeDirectory } from '../make-directory.ts';
import { journalFileName } from './journal-file.ts';

/** The journal cannot be kept where it should be; the message says why. */
export class JournalPlaceError extends Error {
  override readonly name = 'JournalPlaceError';
}

/**
 * Looks at the place of the journal without writing to it, but for making the directory.
 * @returns the bytes that are free there, and those that the journal has already
 * @throws {JournalPlaceError}
 */
export async function checkJournalPlace(directory: string): Promise<{ readonly free: number; readonly used: number }> {
  try {
    makeDirectory(directory);
    await access(directory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(directory);
    const used = await stat(join(directory, journalFileName)).catch(() => null);
    return { free: bavail * bsize, used: used?.size ?? 0 };
  } catch (error) {
    throw new JournalPlaceError(`the journal cannot be kept in ${directory}: ${messageOf(error)}`);
  }
}
