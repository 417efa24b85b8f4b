import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleInPieces } from '../../build/bundle.ts';
import { buildNpmPackage } from '../../build/npm-package.ts';
import { libraries, version } from '../../src/version.ts';

describe('figd as an npm package', () => {
  const directory = mkdtempSync(join(tmpdir(), 'figd-npm-test-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const at = (path: string) => join(directory, 'package', path);
  beforeAll(async () => {
    const built = await buildNpmPackage(join(directory, 'built'));
    execFileSync('npm', ['pack', built], { cwd: directory, stdio: 'ignore' });
    execFileSync('tar', ['xf', `figd-${version}.tgz`], { cwd: directory });
  }, 60_000);

  it('runs by the name of figd, with nothing else installed', () => {
    const { bin, ...manifest } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
    expect(Object.keys(manifest).filter((key) => /dependencies/i.test(key))).toEqual([]);
    const said = execFileSync(process.execPath, [at(bin.figd), '--version'], { encoding: 'utf8' });
    expect(said).toContain(version);
  });

  it('brings the licences of all that is in it, and the pages', () => {
    const notices = readFileSync(at('third-party-notices.txt'), 'utf8');
    for (const [name, of] of Object.entries(libraries)) expect(notices).toContain(`\n${name} ${of}\n`);
    expect(['README.md', 'LICENSE', 'docs', 'deploy/figd.yaml'].filter((path) => !existsSync(at(path)))).toEqual([]);
  });
});

describe('what is bundled', () => {
  const directory = mkdtempSync(join(tmpdir(), 'figd-bundle-test-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  let parts: Awaited<ReturnType<typeof bundleInPieces>>;
  beforeAll(async () => {
    parts = await bundleInPieces(directory);
  }, 60_000);

  it('is of undici no more than figd uses', () => {
    const files = parts.flatMap(({ modules }) => Object.keys(modules)).filter((id) => id.includes('/undici/lib/'));
    expect(files.length).toBeGreaterThan(10);
    expect(
      files.filter((id) => /\/lib\/(mock|interceptor|cache|web\/(fetch\/index|websocket|cache))/.test(id)),
    ).toEqual([]);
  });

  it('has no letter that takes two bytes', () => {
    const texts = parts.map(({ fileName }) => readFileSync(join(directory, fileName), 'latin1'));
    expect(texts.flatMap((text) => text.match(/[^\0-\x7f].{0,40}/g) ?? [])).toEqual([]);
  });
});
