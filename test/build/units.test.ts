import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { instanceUnits, unitDirectory } from '../../build/instance-units.ts';

const analyzer = 'systemd-analyze';
const hasAnalyzer = spawnSync(analyzer, ['--version']).status === 0;
if (!hasAnalyzer) process.stderr.write(`SKIPPED: ${analyzer} is not installed, so nobody looks at the units\n`);

const directory = mkdtempSync(join(tmpdir(), 'figd-units-'));
afterAll(() => rmSync(directory, { recursive: true }));
const units = ['figd.service', 'figd.socket', 'figd@.service', 'figd@.socket'];
const textOf = (name: string) => readFileSync(join(unitDirectory, name), 'utf8');

it('those for one account of several are made of the others (else: node build/instance-units.ts)', () => {
  for (const [name, text] of Object.entries(instanceUnits())) expect(textOf(name), name).toBe(text);
});

it('nothing in those for several accounts is shared but the program and the user', () => {
  for (const text of Object.values(instanceUnits())) {
    const shared = text.split('\n').filter((line) => /^\w+=.*figd/.test(line) && !line.includes('%i'));
    expect(shared.every((line) => /^(Documentation|User|Group|Socket\w+|ExecPaths)=/.test(line))).toBe(true);
  }
});

describe.skipIf(!hasAnalyzer)('systemd', () => {
  const written = units.map((name) => {
    const path = join(directory, name.replace('@.', '@account.'));
    // It wants to see the program that is started, and this host need not have figd.
    writeFileSync(path, textOf(name).replaceAll('/usr/bin/figd', process.execPath));
    return path;
  });

  it('has nothing to say about the units', () => {
    const { status, stdout, stderr } = spawnSync(analyzer, ['verify', '--man=no', ...written], { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it.each(written.filter((path) => path.endsWith('.service')))('counts an exposure of 1.5 at most for %s', (path) => {
    // The threshold is in tenths.
    const { status, stdout } = spawnSync(analyzer, ['security', '--offline=yes', '--threshold=15', path], {
      encoding: 'utf8',
    });
    expect(status, stdout).toBe(0);
    expect(stdout).toMatch(/Overall exposure level for figd(@account)?\.service: [01]\.\d/);
  });
});
