import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeDirectory } from '../../src/adapters/make-directory.ts';

it('makes what is missing, for the owner and the group', () => {
  const root = mkdtempSync(join(tmpdir(), 'figd-directory-'));
  try {
    const path = join(root, 'a', 'b', 'c');
    makeDirectory(path);
    makeDirectory(path);
    expect(statSync(path).mode & 0o777).toBe(0o750);
  } finally {
    rmSync(root, { recursive: true });
  }
});

it.skipIf(process.platform !== 'linux')('fails at once where no directory can be made', () => {
  expect(() => makeDirectory('/proc/figd/journal')).toThrow('ENOENT');
});
