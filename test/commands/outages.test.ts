import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLedger } from '../../src/adapters/sqlite-ledger.ts';
import type { GapRecord } from '../../src/protocol/ledger.ts';
import { figd } from '../support/figd.ts';
import { FakeDaemon } from './support/fake-daemon.ts';

let daemon: FakeDaemon;
const state = () => join(daemon.directory, 'state');
const outages = (...args: string[]) => figd(['outages', '--local.directory', daemon.directory, ...args]);
const gap: GapRecord = {
  id: 3,
  cause: 'half-open',
  since: Date.now() - 3_600_000,
  until: Date.now() - 3_597_000,
  blindMs: 3_000,
  channels: ['rfq.maker'],
  clockOffsetMs: null,
  reconciled: 'not-attempted',
};

function leaveLedger(): void {
  const beganAt = gap.since - 7_200_000;
  const ledger = openLedger(state(), { now: () => beganAt, retainFor: 1, onTrouble: () => undefined });
  ledger.save(gap);
  ledger.close();
}

beforeEach(() => {
  daemon = FakeDaemon.prepare();
});

afterEach(() => daemon.remove());

it('asks the daemon', async () => {
  await daemon.start();
  daemon.handlers.set('outages', () => ({ now: Date.now(), beganAt: 0, gaps: [gap] }));
  const ended = await outages('--since', '2h');
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(
    /^id .*\n 3 {2}.* half-open {2}3\.0 s .*not attempted\n\nlive 99\.95 %, 1 gap, 3\.0 s blind in the last 2h\n$/,
  );
  expect(daemon.requests).toMatchObject([
    { method: 'outages', params: { since: expect.closeTo(Date.now() - 7_200_000, -5) } },
  ]);
});

it('prints one document for programs', async () => {
  await daemon.start();
  const now = Date.now();
  daemon.handlers.set('outages', () => ({ now, beganAt: now - 300_000, gaps: [] }));
  expect(await outages('--json')).toEqual({
    code: 0,
    stdout: `${JSON.stringify({ since: now - 300_000, until: now, livePercent: 100, completePercent: 100, blindMs: 0, gaps: [] })}\n`,
    stderr: '',
  });
});

it('reads the ledger where no daemon runs, and says so', async () => {
  leaveLedger();
  const ended = await outages('--journal.directory', state(), '--json');
  const none = `no daemon at ${daemon.path()}`;
  expect(ended).toMatchObject({ code: 0, stderr: `figd: ${none}; this is the ledger it left, ${state()}/ledger.db\n` });
  expect(JSON.parse(ended.stdout)).toMatchObject({ since: gap.since - 7_200_000, blindMs: 3_000, gaps: [gap] });
  for (const env of [{ FIGD_JOURNAL__DIRECTORY: state() }, { STATE_DIRECTORY: state() }]) {
    expect(await figd(['outages'], '', { FIGD_LOCAL__DIRECTORY: daemon.directory, ...env })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 gap, 3.0 s blind'),
    });
  }
});

it('exits 3 where there is neither daemon nor ledger', async () => {
  expect(await outages('--journal.directory', state())).toEqual({
    code: 3,
    stdout: '',
    stderr: `figd: not running: no daemon at ${daemon.path()}, and no ledger at ${state()}/ledger.db\n`,
  });
});

it('exits 1 with the reason when the ledger cannot be read, or the daemon says no', async () => {
  mkdirSync(join(state(), 'ledger.db'), { recursive: true });
  const ended = await outages('--journal.directory', state());
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toContain(`no daemon at ${daemon.path()}, and ${state()}/ledger.db cannot be read: `);
  await daemon.start();
  daemon.handlers.set('outages', () => new Error('method not found'));
  expect(await outages()).toEqual({ code: 1, stdout: '', stderr: 'figd: method not found\n' });
});

it('leaves SQLite alone when a daemon is asked, and for status', async () => {
  await daemon.start();
  daemon.handlers.set('outages', () => ({ now: 1, beganAt: 0, gaps: [] }));
  daemon.handlers.set('status', () => ({ state: 'live' }));
  const main = new URL('../../src/main.ts', import.meta.url).href;
  for (const command of ['status', 'outages']) {
    const script = `
      process.argv = ['figd', 'figd', '${command}', '--json', '--local.directory', ${JSON.stringify(daemon.directory)}];
      await import(${JSON.stringify(main)});
      console.log(process.moduleLoadList.some((name) => /sqlite/.test(name)));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout.trim().split('\n').at(-1)).toBe('false');
  }
});
