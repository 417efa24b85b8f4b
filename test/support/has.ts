import { spawnSync } from 'node:child_process';

/** Whether this host has a program; where it has not, that is said. @param what what is not tested then */
export function has(program: string, what: string): boolean {
  const isThere = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (!isThere) process.stderr.write(`SKIPPED: ${program} is not installed, so ${what}\n`);
  return isThere;
}
