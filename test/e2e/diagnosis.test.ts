import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { LocalClient } from '../../src/adapters/local-client.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest } from './daemon.ts';

const dumps = ({ process }: DaemonUnderTest) =>
  process.stdout
    .split('\n')
    .filter((line) => line.includes('"msg":"diagnostic dump"'))
    .map((line) => JSON.parse(line));

/** Parts that a dump has wherever it goes. */
const whole = {
  status: { state: 'live' },
  machines: [{ name: 'supervisor' }, { name: 'token' }, { name: 'reconcile' }, { name: 'session' }],
  configuration: { credentials: { clientId: '[secret]', clientSecretFile: expect.stringMatching(/client-secret$/) } },
  log: { head: expect.any(Number), journal: { isRefused: false } },
};

test.concurrent('the owner is given a dump to read or to parse, and nobody else', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  simulator.venue.inject({ kind: 'drop', reason: 'no reason', code: 4000 });
  await daemon.statusWhere('a second session', ({ state, session }) => state === 'live' && session.id === 2);
  const json = await daemon.command('status', '--debug', '--json');
  const text = await daemon.command('status', '--debug');
  expect([json.code, json.stderr, text.code, text.stderr]).toEqual([0, '', 0, '']);
  for (const document of [JSON.parse(json.stdout), parse(text.stdout)]) {
    expect(document).toMatchObject(whole);
    expect(document.warnings).toContainEqual(expect.stringContaining('no reason'));
    expect(document.versions).toMatchObject({ node: process.versions.node, xstate: expect.stringMatching(/^5\./) });
  }
  const client = await LocalClient.connect(daemon.eventsSocket);
  await expect(client.request('debug')).rejects.toThrow('debug is on control.sock');
  client.close();
});

test.concurrent('SIGQUIT writes the dump into the log as one line, at whatever level that is, and figd goes on', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { log: { level: 'error' } },
  });
  const { pid } = await daemon.reaches('live');
  for (const times of [1, 2]) {
    daemon.process.child.kill('SIGQUIT');
    await until('a dump', () => dumps(daemon).length === times);
  }
  expect(dumps(daemon)[1]).toMatchObject({ level: 'info', diagnosis: whole });
  expect(await daemon.status()).toMatchObject({ state: 'live', pid });
  expect(await daemon.process.stop()).toMatchObject({ code: 0, stderr: '' });
});

test.concurrent('SIGQUIT while figd starts: it starts', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  const { child } = daemon.process;
  await until('a handler of SIGQUIT', async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    return (Number.parseInt(/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1]?.slice(-2) ?? '0', 16) & 0b100) !== 0;
  });
  child.kill('SIGQUIT');
  await daemon.process.until(({ stderr }) => stderr.includes('SIGQUIT asks for a diagnostic dump'));
  await daemon.reaches('live');
  child.kill('SIGQUIT');
  await until('a dump', () => dumps(daemon).length === 1);
});
