import { readFile } from 'node:fs/promises';
import { test } from 'vitest';
import WebSocket from 'ws';
import type { ConsumersReport } from '../../src/protocol/status.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest, frameOf, RawConsumer } from './daemon.ts';
import { statuses, Witness } from './support/witness.ts';

/*
 * How comparable programs failed in the field, where no other test shows that figd does not: see
 * docs/field-failures.md.
 */

const second = 1_000;

test.concurrent('a market without a single event is no reason to reconnect, and its readers see that figd is well', async ({
  expect,
}) => {
  await using simulator = await startSimulator({ rate: 0 });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { session: { heartbeatInterval: '1s', heartbeatTimeout: '10s' } },
  });
  await daemon.reaches('live');
  using consumer = await RawConsumer.subscribe(daemon.eventsSocket);
  await until('eight heartbeats', () => simulator.venue.stats.heartbeats >= 8, 30 * second);
  expect(simulator.venue.stats).toMatchObject({ dials: 1, eventsSent: 0 });
  const ticks = consumer.lines.filter(({ method }) => method === 'tick');
  expect(ticks.length).toBeGreaterThanOrEqual(5);
  expect(ticks.every(({ params }) => (params as unknown as { state: string }).state === 'live')).toBe(true);
  expect(await daemon.status()).toMatchObject({ state: 'live', session: { id: 1 }, gaps: { total: 0 } });
});

test.concurrent('a channel that is dead on a link that looks well: what it should have told is fetched', {
  timeout: 60_000,
}, async ({ expect }) => {
  const witness = new Witness();
  await using simulator = await startSimulator({ rate: 50, ...witness.options });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { reconcile: { interval: '10s' } },
  });
  await daemon.reaches('live');
  using consumer = await RawConsumer.subscribe(daemon.eventsSocket);
  await daemon.statusWhere('a first comparison', ({ counters }) => counters['comparisons'] === 1);
  const known = new Set(statuses(witness.published.map(({ frame }) => frame)).keys());
  const speakAgain = simulator.venue.inject({ kind: 'mute', channel: 'rfq.maker' });
  const fetched = () => consumer.events().filter(({ params }) => params.channel === 'figd.reconcile');
  await until('RFQs that no event told of', () => fetched().length >= 3, 25 * second);
  speakAgain();
  const missed = statuses(fetched().map(frameOf));
  expect([...missed.keys()].some((id) => !known.has(id))).toBe(true);
  // There is no gap to blame: the session was well all the time.
  expect(fetched().map(({ params }) => (params.message as { gap: number | null; channel: string }).gap)).toEqual(
    fetched().map(() => null),
  );
  expect(await daemon.status()).toMatchObject({ state: 'live', session: { id: 1 }, gaps: { total: 0 } });
});

test.concurrent('a subscription that is never confirmed ends at its deadline, and the next session is live', async ({
  expect,
}) => {
  await using simulator = await startSimulator({ rate: 50 });
  simulator.venue.inject({ kind: 'no-reply', method: 'v1/subscribe', times: 1 });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { session: { subscribeTimeout: '1s' } },
  });
  const status = await daemon.reaches('live');
  expect(status).toMatchObject({ session: { id: 2, lastClose: { code: 'reply-timeout' } } });
});

test.concurrent('a clean close (1000) is not the end: figd is live again by itself', async ({ expect }) => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  simulator.venue.inject({ kind: 'drop', code: 1000, reason: 'bye' });
  const status = await daemon.statusWhere(
    'the next session',
    ({ state, session }) => state === 'live' && session.id === 2,
  );
  expect(status.session.lastClose).toMatchObject({ code: 'closed-by-venue' });
});

test.concurrent('a ghost session that holds the only place: figd says so, dials rarely, and is live once the place is free', {
  timeout: 60_000,
}, async ({ expect }) => {
  await using simulator = await startSimulator({ rate: 50, maxSessions: 1 });
  const { clientId, clientSecret } = simulator.venue.options;
  // Of a program that was killed: authenticated, and never heard of again.
  const ghost = new WebSocket(simulator.platformSocketUrl);
  ghost.on('error', () => undefined);
  ghost.on('open', () =>
    ghost.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth', params: { clientId, clientSecret } })),
  );
  await until('the ghost', () => simulator.venue.stats.auths.authenticated === 1);
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  const status = await daemon.statusWhere(
    'the refusal',
    ({ session }) => session.lastClose !== null && session.nextAttemptAt !== null,
  );
  expect(status).toMatchObject({
    state: 'down',
    reason: expect.stringContaining('4429'),
    session: { lastClose: { code: 'too-many-sessions', class: 'limited' } },
  });
  expect(status.session.nextAttemptAt).toBeGreaterThan(Date.now() + 10 * second);
  ghost.terminate();
  await daemon.reaches('live', 25 * second);
  expect(simulator.venue.stats.dials).toBe(3);
});

/** Whether a process has a handler of its own for a signal. */
async function handles(pid: number, signal: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return ((caught >> BigInt(signal - 1)) & 1n) === 1n;
}

test.concurrent('SIGHUP while figd starts: it starts', async ({ expect }) => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  const { child } = daemon.process;
  const { pid } = child;
  if (pid === undefined) throw new Error('the daemon was not started');
  await until('a handler of SIGHUP', () => handles(pid, 1));
  await until('live in a hail of SIGHUPs', async () => {
    child.kill('SIGHUP');
    return (await daemon.status().catch(() => undefined))?.state === 'live';
  });
  expect(await daemon.status()).toMatchObject({ pid, state: 'live' });
});

test.concurrent('a far host has more time for each of its addresses than Node gives it', async ({ expect }) => {
  await using simulator = await startSimulator({ rate: 50 });
  const tells =
    "import net from 'node:net'; process.on('SIGUSR2', () => process.stderr.write('attempt ' + net.getDefaultAutoSelectFamilyAttemptTimeout() + '\\n'));";
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    nodeArguments: ['--import', `data:text/javascript,${encodeURIComponent(tells)}`],
  });
  await daemon.reaches('live');
  daemon.process.child.kill('SIGUSR2');
  const ms = await until('the time-out', () => /attempt (\d+)/.exec(daemon.process.stderr)?.[1]);
  expect(Number(ms)).toBeGreaterThanOrEqual(2_000);
});

test.concurrent('a reader that does not keep up is seen in the status, by how many events it is behind', async ({
  expect,
}) => {
  await using simulator = await startSimulator({ rate: 0 });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { local: { consumerBuffer: '64KiB' } },
  });
  await daemon.reaches('live');
  using consumer = await RawConsumer.subscribe(daemon.eventsSocket);
  await until('the reply to subscribe', () => consumer.lines.find(({ text }) => text.includes('"result"')));
  consumer.pause();
  await until('its lag', async () => {
    simulator.venue.burst(500);
    const { consumers, journal } = await daemon.status();
    const [slow] = consumers;
    return slow !== undefined && slow.lag > 100 && slow.lag === journal.head + 1 - slow.position;
  });
  const { code, stdout } = await daemon.command('consumers', '--json');
  const [slow] = (JSON.parse(stdout) as ConsumersReport).consumers;
  expect([code, slow]).toMatchObject([0, { channels: ['*'], reads: 'memory', behindMs: expect.any(Number) }]);
  // Its first event waits for less time than this test takes, and for more than none.
  expect(slow?.behindMs).toBeGreaterThan(0);
  expect(slow?.behindMs).toBeLessThan(60_000);
  consumer.resume();
  const { consumers } = await daemon.statusWhere('the reader caught up', ({ consumers: [slow] }) => slow?.lag === 0);
  expect(consumers).toHaveLength(1);
});
