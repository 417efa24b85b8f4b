import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { has } from '../support/has.ts';
import { quickPackage } from './package.ts';

const canBuild = ['dpkg-shlibdeps', 'strip'].map((program) => has(program, 'no package is built')).every(Boolean);

describe.skipIf(!canBuild)('the package', { timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'figd-package-test-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  let file: string;
  beforeAll(() => {
    file = quickPackage(join(directory, 'first'));
  });

  it('is the same to the byte when it is built again', () => {
    expect(readFileSync(quickPackage(join(directory, 'second'))).equals(readFileSync(file))).toBe(true);
  });

  it.skipIf(!has('lintian', 'nobody looks at the package'))('is to the liking of lintian', () => {
    const { status, stdout } = spawnSync('lintian', ['--fail-on', 'error,warning', file], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });

  it('has a notice of everything that is in the executable', () => {
    const script = 'dpkg-deb --fsys-tarfile "$0" | tar xO ./usr/share/doc/figd/third-party-notices.txt';
    const notices = execFileSync('sh', ['-c', script, file], { encoding: 'utf8' });
    for (const name of ['Node.js', 'xstate', 'ws', 'undici', 'pino', 'prom-client', 'yargs', 'zod', 'yaml']) {
      expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });
});
