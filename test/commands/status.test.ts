import { afterEach, beforeEach, expect, it } from 'vitest';
import { Figd, figd } from '../support/figd.ts';
import { FakeDaemon } from './support/fake-daemon.ts';
import { blockedDocument, degradedDocument, downDocument, liveDocument } from './support/status-documents.ts';

let daemon: FakeDaemon;
const status = (...args: string[]) => figd(['status', '--local.directory', daemon.directory, ...args]);

beforeEach(() => {
  daemon = FakeDaemon.prepare();
});

afterEach(() => daemon.remove());

it.each([
  [0, liveDocument],
  [1, degradedDocument],
  [2, downDocument],
  [2, blockedDocument],
])('exits %d for its state', async (code, document) => {
  await daemon.start();
  daemon.handlers.set('status', () => document);
  const ended = await status();
  expect(ended).toMatchObject({ code, stderr: '' });
  expect(ended.stdout).toMatch(new RegExp(`^${document.state} for `));
  const json = await status('--json');
  expect(json).toEqual({ code, stdout: `${JSON.stringify(document)}\n`, stderr: '' });
});

it('exits 3 when no daemon runs, and says how to start one', async () => {
  const { directory } = daemon;
  const sentence = `not running: no daemon at ${directory}/events.sock; start it with figd run\n`;
  expect(await status()).toEqual({ code: 3, stdout: sentence, stderr: '' });
  const json = `${JSON.stringify({ state: 'not running', directory })}\n`;
  expect(await status('--json')).toEqual({ code: 3, stdout: json, stderr: '' });
});

it('answers for a daemon that hangs, at any point', async () => {
  daemon.hangs = true;
  await daemon.start();
  const sentence = 'not answering: the daemon (pid unknown) accepts connections but does not answer\n';
  expect(await status()).toEqual({ code: 2, stdout: sentence, stderr: '' });
  daemon.hangs = false;
  expect(await status()).toEqual({ code: 2, stdout: sentence, stderr: '' });
  expect(daemon.requests.map(({ method }) => method)).toEqual(['status']);
});

it('debug: exits by the state as well, and 1 where the daemon knows no such thing', async () => {
  expect(await status('--debug')).toMatchObject({ code: 3, stdout: expect.stringMatching(/^not running: no daemon/) });
  expect(await status('--debug', '--watch')).toMatchObject({ code: 64, stderr: expect.stringContaining('--watch') });
  await daemon.start();
  daemon.handlers.set('debug', () => new Error('method not found'));
  expect(await status('--debug')).toEqual({ code: 1, stdout: '', stderr: 'figd: method not found\n' });
  const document = { status: degradedDocument, warnings: ['one\u009b', 'two'] };
  daemon.handlers.set('debug', () => document);
  expect(await status('--debug', '--json')).toEqual({ code: 1, stdout: `${JSON.stringify(document)}\n`, stderr: '' });
  const { code, stdout } = await status('--debug');
  expect(code).toBe(1);
  expect(stdout).toContain(`\n  state: ${degradedDocument.state}\n`);
  expect(stdout).not.toContain('\u009b');
});

it('watches: a line a second, through an end of the daemon', async () => {
  await daemon.start();
  daemon.handlers.set('status', () => liveDocument);
  const run = new Figd(['status', '--watch', '--local.directory', daemon.directory]);
  await run.until(({ stdout }) => stdout.split('\n').length > 2);
  await daemon.stop();
  await run.until(({ stdout }) => stdout.includes('not running'));
  run.child.kill('SIGINT');
  expect(await run.ended).toMatchObject({ code: 3, stderr: '' });
  expect(run.stdout).toMatch(/^(live for .*\n){2,}not running: .*\n/);
});

it('finds the directory by the environment and by the configuration', async () => {
  await daemon.start();
  daemon.handlers.set('status', () => liveDocument);
  expect(await figd(['status'], '', { FIGD_LOCAL__DIRECTORY: daemon.directory })).toMatchObject({ code: 0 });
  expect(await figd(['status', '--config', '/does/not/exist.yaml'])).toMatchObject({ code: 78, stdout: '' });
});
