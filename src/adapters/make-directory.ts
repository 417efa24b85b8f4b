import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const directoryMode = 0o750;

/**
 * Makes what is missing of a directory. Node's own `recursive` tries for ever where a parent is there and takes no
 * directories, as below /proc (seen on Node 26.10).
 * @throws what the file system throws
 */
export function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  mkdirSync(path, { mode: directoryMode });
}
