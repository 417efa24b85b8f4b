import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import { figd } from '../support/figd.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest, workspace } from './daemon.ts';

test('live: exit 0, and one line that says so', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  const { code, stdout } = await daemon.command('status');
  expect(code).toBe(0);
  expect(stdout.split('\n')[0]).toMatch(/^live for .*4\/4 channels/);
});

test('degraded: exit 1 when the venue refuses a channel, with its name and what to do', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  simulator.venue.inject({ kind: 'partial-subscription', channels: ['rfq.taker'] });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('degraded');
  const { code, stdout } = await daemon.command('status', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    state: 'degraded',
    reason: expect.stringContaining('refuses rfq.taker'),
    next: expect.stringContaining('session.channels'),
  });
});

test('down: exit 2, with the layer that is broken and the next try', async () => {
  await using daemon = await DaemonUnderTest.start({ restUrl: 'http://127.0.0.1:1' });
  await daemon.reaches('down');
  await daemon.statusWhere('a failed try', ({ token }) => token.lastError !== null);
  const { code, stdout } = await daemon.command('status');
  expect(code).toBe(2);
  expect(stdout).toMatch(/^down for .*token.*ECONNREFUSED/);
  expect(stdout).toMatch(/figd tries again in \d/);
});

test('blocked: exit 2, and live again within seconds of a new secret in the file', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl, clientSecret: 'wrong-secret' });
  await daemon.reaches('blocked');
  const { code, stdout } = await daemon.command('status');
  expect(code).toBe(2);
  expect(stdout.split('\n')[0]).toMatch(
    /^blocked for .* HTTP 401.* · figd tries again in .* or at once on `figd refresh`$/,
  );
  await writeFile(daemon.secretFile, 'demo-secret\n');
  await daemon.reaches('live');
});

test('not running: exit 3', async () => {
  await using place = await workspace();
  expect(await figd(['status', '--local.directory', place.path])).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/^not running/),
  });
});

test('status follows the truth within a second', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  const brokenAt = performance.now();
  simulator.venue.inject({ kind: 'down', forMs: 1_500 });
  await daemon.reaches('down');
  expect(performance.now() - brokenAt).toBeLessThan(1_000);
});

test('/metrics, /livez and /readyz tell the same', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { metrics: { listen: '127.0.0.1:0' } },
  });
  await daemon.statusWhere(
    'events',
    ({ state, channels }) => state === 'live' && channels.every(({ events }) => events > 0),
  );
  const port = await until('the port of the metrics', () => /"port":(\d+)/.exec(daemon.process.stdout)?.[1]);
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  expect((await get('/livez')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(200);
  const text = await (await get('/metrics')).text();
  const names = [
    'figd_up',
    'figd_token_expires_seconds',
    'figd_token_refreshes_total',
    'figd_session_connects_total',
    'figd_session_closes_total',
    'figd_heartbeat_rtt_seconds',
    'figd_clock_offset_seconds',
    'figd_events_total',
    'figd_last_event_age_seconds',
    'figd_gaps_total',
    'figd_blind_seconds_total',
    'figd_consumers',
    'figd_consumer_lag_events',
    'figd_fanout_seconds',
    'figd_journal_bytes',
    'nodejs_version_info',
  ];
  expect(names.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
  expect(text).toMatch(/figd_up\{state="live"\} 1/);
  expect(text).toMatch(/figd_layer_ok\{layer="transport"\} 1/);
  expect(text).toMatch(/figd_events_total\{channel="rfq.maker"\} [1-9]/);

  simulator.venue.inject({ kind: 'down', forMs: 3_000 });
  const { since } = await daemon.reaches('down');
  expect((await get('/readyz')).status).toBe(503);
  expect((await get('/livez')).status).toBe(200);
  const broken = await (await get('/metrics')).text();
  expect(broken).toMatch(/figd_up\{state="down"\} 1/);
  expect(broken).toMatch(/figd_layer_ok\{layer="transport"\} 0/);
  const age = Number(/^figd_state_age_seconds (\S+)$/m.exec(broken)?.[1]);
  expect(age).toBeCloseTo((Date.now() - since) / 1_000, 0);
});
