import { renameSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ConfigurationSource } from '../../src/config/configuration-source.ts';
import { problemLines, Workspace } from './workspace.ts';

const withKey = { FIGD_CREDENTIALS__CLIENT_ID: 'id', FIGD_CREDENTIALS__CLIENT_SECRET: 'secret' };

test('is read anew each time, with the same variables and flags over the file', () => {
  const workspace = new Workspace();
  const file = workspace.write('figd.yaml', 'log: { level: warn }\nlocal: { maxConsumers: 5 }');
  const source = new ConfigurationSource({ file, env: withKey, flags: { 'local.max-consumers': '7' } });
  expect(source.read().settings).toMatchObject({ log: { level: 'warn' }, local: { maxConsumers: 7 } });
  workspace.write('figd.yaml', 'log: { level: debug }');
  expect(source.read().settings).toMatchObject({ log: { level: 'debug' }, local: { maxConsumers: 7 } });
});

test('credentials are read anew as well, and what is wrong with them is wrong with the configuration', () => {
  const workspace = new Workspace();
  const secretFile = workspace.write('secret', 'first');
  const env = { FIGD_CREDENTIALS__CLIENT_ID: 'id', FIGD_CREDENTIALS__CLIENT_SECRET_FILE: secretFile };
  const source = new ConfigurationSource({ env, flags: {}, systemFile: workspace.path('none.yaml') });
  expect(source.read().credentials.clientSecret.reveal()).toBe('first');
  workspace.write('secret', 'second');
  expect(source.read().credentials.clientSecret.reveal()).toBe('second');
  workspace.write('secret', '');
  expect(problemLines(() => source.read())[0]).toContain('is empty');
});

test('a file of the system that was read once must be there from then on; before, it may come', () => {
  const workspace = new Workspace();
  const systemFile = workspace.path('figd.yaml');
  const source = new ConfigurationSource({ env: withKey, flags: {}, systemFile });
  expect(source.read().settings.log.level).toBe('info');
  workspace.write('figd.yaml', 'log: { level: warn }');
  expect(source.read().settings.log.level).toBe('warn');
  // As an editor does it that writes the new one afterwards: figd must not run with its defaults meanwhile.
  renameSync(systemFile, workspace.path('figd.yaml~'));
  expect(problemLines(() => source.read())[0]).toContain('there is no such file');
  rmSync(workspace.path('figd.yaml~'));
});

test('credentials in the file itself are read alone too, and it is that file whose change matters', () => {
  const workspace = new Workspace();
  const write = (secret: string, more = '') =>
    workspace.write('figd.yaml', `credentials: { clientId: id, clientSecret: ${secret} }\n${more}`);
  const file = write('first');
  const source = new ConfigurationSource({ file, env: {}, flags: {} });
  const inForce = source.read();
  expect(inForce.credentials.files).toEqual([file]);
  write('second');
  expect(source.readCredentials(inForce).clientSecret.reveal()).toBe('second');
  write('third', 'log: { level: loud }');
  expect(problemLines(() => source.readCredentials(inForce))[0]).toContain('log.level');
});
