import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleInPieces, root } from '../../build/bundle.ts';
import { nodeOptions } from '../../build/executable.ts';
import { libraries, version } from '../../src/version.ts';

const directory = mkdtempSync(join(tmpdir(), 'figd-npm-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('figd as an npm package', () => {
  const installed = join(directory, 'node_modules/figd');
  const at = (path: string) => join(installed, path);
  beforeAll(() => {
    execFileSync('npm', ['pack', '--pack-destination', directory], { cwd: root, stdio: 'ignore' });
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['xf', join(directory, `figd-${version}.tgz`), '--strip-components=1'], { cwd: installed });
  }, 60_000);

  it('runs by the name of figd, without the packages it was made of', () => {
    const { bin } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
    const said = execFileSync(process.execPath, [at(bin.figd), '--version'], { encoding: 'utf8' });
    expect(said).toContain(version);
    const shown = execFileSync(process.execPath, [at(bin.figd), 'demo', '--calm', '--seconds', '2'], {
      encoding: 'utf8',
    });
    expect(JSON.parse(shown.trim().split('\n').at(-1) ?? '')).toMatchObject({ demo: 'summary', lost: 0 });
  });

  it('brings the licences of all that is in it, and its pages', () => {
    const notices = readFileSync(at('dist/npm/third-party-notices.txt'), 'utf8');
    for (const [name, of] of Object.entries(libraries)) expect(notices).toContain(`\n${name} ${of}\n`);
    expect(['README.md', 'LICENSE', 'docs', 'deploy/figd.yaml'].filter((path) => !existsSync(at(path)))).toEqual([]);
  });

  it('tells a strategy in TypeScript what comes on its sockets', () => {
    const strategy = `
      import type { EventParams, Hello } from 'figd/protocol/local';
      import type { StatusDocument } from 'figd/protocol/status';
      export const seqOf = (event: EventParams): number => event.seq;
      export const epochOf = (hello: Hello): string => hello.epoch;
      export const isLive = (status: StatusDocument): boolean => status.state === 'live';
    `;
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    expect(complaintsAbout('good.ts', strategy)).toBe('');
    expect(complaintsAbout('bad.ts', strategy.replace(': number', ': string'))).toContain("'number' is not assignable");
  });

  function complaintsAbout(name: string, text: string): string {
    writeFileSync(join(directory, name), text);
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--types', '', name];
    return spawnSync(join(root, 'node_modules/.bin/tsc'), options, { cwd: directory, encoding: 'utf8' }).stdout;
  }
});

it('is started from a checkout with what the executable gives V8', () => {
  const started = readFileSync(join(root, 'bin/figd'), 'utf8').match(/--max-\S+/g);
  expect(started).toEqual(nodeOptions.filter((option) => option.startsWith('--max-')));
});

describe('what is bundled', () => {
  const bundled = join(directory, 'bundled');
  let parts: Awaited<ReturnType<typeof bundleInPieces>>;
  beforeAll(async () => {
    parts = await bundleInPieces(bundled);
  }, 60_000);

  it('is of undici no more than figd uses', () => {
    const files = parts.flatMap(({ modules }) => Object.keys(modules)).filter((id) => id.includes('/undici/lib/'));
    expect(files.length).toBeGreaterThan(10);
    expect(
      files.filter((id) => /\/lib\/(mock|interceptor|cache|web\/(fetch\/index|websocket|cache))/.test(id)),
    ).toEqual([]);
  });

  it('has no letter that takes two bytes', () => {
    const texts = parts.map(({ fileName }) => readFileSync(join(bundled, fileName), 'latin1'));
    expect(texts.flatMap((text) => text.match(/[^\0-\x7f].{0,40}/g) ?? [])).toEqual([]);
  });
});
