import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../build/bundle.ts';
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

it('as an npm package figd is compiled, and runs', { timeout: 120_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'figd-npm-'));
  execFileSync('npm', ['pack', '--pack-destination', directory], { cwd: root, stdio: 'ignore' });
  execFileSync('sh', ['-c', 'tar xf *.tgz && ln -s "$0" package/node_modules', join(root, 'node_modules')], {
    cwd: directory,
  });
  const figd = join(directory, 'package/dist/src/main.js');
  const shown = execFileSync(process.execPath, [figd, 'demo', '--calm', '--seconds', '2'], { encoding: 'utf8' });
  expect(JSON.parse(shown.trim().split('\n').at(-1) ?? '')).toMatchObject({ demo: 'summary', lost: 0 });
  rmSync(directory, { recursive: true });
});
