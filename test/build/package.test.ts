import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../build/bundle.ts';
import { commandPage, configurationPage } from '../../build/man-pages.ts';
import { configurationKeys } from '../../src/config/keys.ts';
import { loadSettings } from '../../src/config/load.ts';
import { has } from '../support/has.ts';

const directory = mkdtempSync(join(tmpdir(), 'figd-package-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

it('brings a configuration that is valid, and in which clients find the daemon', () => {
  const file = join(root, 'deploy/figd.yaml');
  const { local, journal, credentials } = loadSettings({ file, env: {}, flags: {} });
  expect([local.directory, journal.directory, credentials]).toEqual(['/run/figd', '/var/lib/figd', {}]);
});

describe('the manual', () => {
  const date = new Date(0);
  const example = readFileSync(join(root, 'deploy/figd.yaml'), 'utf8');

  it('has every command with its options', async () => {
    const page = await commandPage(date);
    for (const line of [
      '.SS figd run',
      '.SS figd tail [channels..]',
      '.B \\-\\-since',
      '.SS figd rest <method> <path>',
    ]) {
      expect(page).toContain(`${line}\n`);
    }
    expect(page).not.toContain('figd-completions');
  });

  it('has every key, with its default and its variable', () => {
    const page = configurationPage(date, example).replaceAll('\\-', '-');
    for (const { key, variable, default: byDefault } of configurationKeys) {
      expect(page).toContain(`.B ${key}\n`);
      expect(page).toContain(`Variable: ${variable}.`);
      if (byDefault !== undefined) expect(page).toContain(`Default: ${byDefault}.`);
    }
  });

  it.skipIf(!has('mandoc', 'nobody reads the manual for mistakes'))('is well written', async () => {
    const pages = { 'figd.1': await commandPage(date), 'figd.yaml.5': configurationPage(date, example) };
    for (const [name, text] of Object.entries(pages)) {
      writeFileSync(join(directory, name), `${text}\n`);
      const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', name], {
        cwd: directory,
        encoding: 'utf8',
      });
      expect(stdout, name).toBe('');
    }
  });
});
