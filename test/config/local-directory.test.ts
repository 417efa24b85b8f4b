import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigurationError, loadSettings } from '../../src/config/load.ts';
import { findJournalDirectory, findLocalDirectory } from '../../src/config/local-directory.ts';
import { Workspace } from './workspace.ts';

const systemFile = '/nonexistent/figd.yaml';

describe('is the same that the daemon uses', () => {
  test.each([
    ['by default', {}, undefined, undefined],
    ['by default under systemd', { RUNTIME_DIRECTORY: '/run/a:/run/b' }, undefined, undefined],
    ['by default in a login session', { XDG_RUNTIME_DIR: '/run/user/1' }, undefined, undefined],
    ['from the file', { RUNTIME_DIRECTORY: '/run/a' }, 'local: { directory: /run/file }', undefined],
    ['from the file, relative to it', {}, 'local: { directory: sockets }', undefined],
    ['from the file, by alias', {}, 'journal: { directory: &place /run/x }\nlocal: { directory: *place }', undefined],
    ['from a file that does not say', { RUNTIME_DIRECTORY: '/run/a' }, 'log: { level: info }', undefined],
    ['from a file that says nothing at all', { RUNTIME_DIRECTORY: '/run/a' }, '', undefined],
    ['from the variable', { FIGD_LOCAL__DIRECTORY: '/run/env' }, 'local: { directory: /run/file }', undefined],
    ['from an empty variable', { FIGD_LOCAL__DIRECTORY: '' }, 'local: { directory: /run/file }', undefined],
    ['from the flag', { FIGD_LOCAL__DIRECTORY: '/run/env' }, 'local: { directory: /run/file }', 'flag'],
  ])('%s', async (_where, env, yaml, flag) => {
    const file = yaml === undefined ? undefined : new Workspace().write('figd.yaml', yaml);
    const flags = flag === undefined ? {} : { 'local.directory': flag };
    const { local } = loadSettings({ file, env, flags, systemFile });
    expect(await findLocalDirectory({ file, flag, env, systemFile })).toBe(local.directory);
  });

  test('from the file that FIGD_CONFIG names', async () => {
    const FIGD_CONFIG = new Workspace().write('figd.yaml', 'local: { directory: /run/file }');
    expect(await findLocalDirectory({ env: { FIGD_CONFIG } })).toBe('/run/file');
  });

  test('from the file of the system', async () => {
    const file = new Workspace().write('figd.yaml', 'local: { directory: /run/file }');
    expect(await findLocalDirectory({ env: {}, systemFile: file })).toBe('/run/file');
  });
});

describe('is found while the file has errors', () => {
  test.each([
    ['other keys are wrong', 'local: { directory: /run/file }\nsession: { heartbeatInterval: 1h }\ncolour: red'],
    ['it is not quite YAML', 'local:\n  directory: /run/file\nlog: "debug'],
    ['every user may read its secret', 'local: { directory: /run/file }\ncredentials: { clientSecret: x }'],
  ])('%s', async (_fault, yaml) => {
    const file = new Workspace().write('figd.yaml', yaml, 0o644);
    expect(await findLocalDirectory({ file, env: {} })).toBe('/run/file');
  });

  test('an alias without anchor leaves the default', async () => {
    const file = new Workspace().write('figd.yaml', 'log: *nothing');
    expect(await findLocalDirectory({ file, env: { RUNTIME_DIRECTORY: '/run/a' } })).toBe('/run/a');
  });
});

test('a flag needs no file, not even the one that is named', async () => {
  expect(await findLocalDirectory({ file: systemFile, flag: 'x', env: {} })).toBe(resolve('x'));
});

test('a file that is named and missing is an error that says what else to do', async () => {
  await expect(findLocalDirectory({ file: systemFile, env: {} })).rejects.toThrow(
    new ConfigurationError([
      {
        key: systemFile,
        problem: 'cannot be read (ENOENT)',
        advice: 'name the directory of the sockets with --local.directory',
      },
    ]),
  );
});

test.each(['local: { directory: 5 }', 'local: { directory: "" }'])('%s is an error', async (yaml) => {
  const file = new Workspace().write('figd.yaml', yaml);
  await expect(findLocalDirectory({ file, env: {} })).rejects.toThrow(`local.directory: is not a path (${file})`);
});

describe('the directory of the journal is found by the same rules', () => {
  test.each([
    ['by default', { HOME: '/home/x' }, undefined, undefined],
    ['by default under systemd', { STATE_DIRECTORY: '/var/lib/a:/var/lib/b' }, undefined, undefined],
    ['from the file, relative to it', {}, 'journal: { directory: state }', undefined],
    ['from the variable', { FIGD_JOURNAL__DIRECTORY: '/run/env' }, 'journal: { directory: /run/file }', undefined],
    ['from the flag', { FIGD_JOURNAL__DIRECTORY: '/run/env' }, undefined, 'flag'],
  ])('%s', async (_where, env, yaml, flag) => {
    const file = yaml === undefined ? undefined : new Workspace().write('figd.yaml', yaml);
    const flags = flag === undefined ? {} : { 'journal.directory': flag };
    const { journal } = loadSettings({ file, env, flags, systemFile });
    expect(await findJournalDirectory({ file, flag, env, systemFile })).toBe(journal.directory);
  });

  test('and what is wrong is named by its own key', async () => {
    const file = new Workspace().write('figd.yaml', 'journal: { directory: 5 }');
    await expect(findJournalDirectory({ file, env: {} })).rejects.toThrow(`journal.directory: is not a path (${file})`);
    await expect(findJournalDirectory({ file: systemFile, env: {} })).rejects.toThrow(
      'name the directory of the ledger with --journal.directory',
    );
  });
});
