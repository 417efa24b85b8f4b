import { execFileSync } from 'node:child_process';
import { root } from '../../build/bundle.ts';

/** Builds a package quickly, without making it small. @returns its path */
export function quickPackage(directory: string, ...options: readonly string[]): string {
  const all = ['build/debian-package.ts', '--compression', '0', '--directory', directory, ...options];
  return execFileSync(process.execPath, all, { cwd: root, encoding: 'utf8' }).trim();
}
