import { expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import type { VenueStats } from '../../src/simulator/stats.ts';
import { DaemonUnderTest } from './daemon.ts';
import { type CallOutcome, crowd } from './support/callers.ts';

/** Lives as short as the spacing of token requests allows. */
const tokenLife = 6_000;
const callers = 50;

/** Has many programs call without a pause; what it returns ends that, and tells what became of each call. */
function beginCalls(daemon: DaemonUnderTest): () => Promise<readonly CallOutcome[]> {
  let isOver = false;
  const calling = crowd({
    socket: daemon.controlSocket,
    callers,
    delayMs: 200,
    timeoutMs: 10_000,
    isOver: () => isOver,
  });
  return () => {
    isOver = true;
    return calling;
  };
}

/** What was not as promised: each call got its own answer or was told the truth about its end, and none was made twice. */
function brokenPromises(outcomes: readonly CallOutcome[], { echoes }: VenueStats): readonly object[] {
  const broken = outcomes.filter(({ key, isOwn, error }) => {
    const times = echoes.timesByKey[key] ?? 0;
    if (error === undefined) return isOwn !== true || times !== 1;
    return error.sent ? times > 1 : times > 0;
  });
  return echoes.repeated === 0 ? broken : [...broken, { repeated: echoes.repeated }];
}

test('50 programs call through two renewals and a rotation: each call gets its own answer', async ({ annotate }) => {
  await using simulator = await startSimulator({ rate: 50, tokenLife });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { session: { renewal: 'rotate' } },
  });
  await daemon.reaches('live');
  const endCalls = beginCalls(daemon);
  await daemon.statusWhere('a first renewal', ({ counters }) => (counters['rotations'] ?? 0) >= 1);
  expect(await daemon.command('rotate')).toMatchObject({ code: 0 });
  const { gaps } = await daemon.statusWhere('all three', ({ counters }) => (counters['rotations'] ?? 0) >= 3);
  const outcomes = await endCalls();
  const { venue } = simulator;
  await annotate(`${outcomes.length} calls, ${venue.stats.dials} sessions`);
  expect(brokenPromises(outcomes, venue.stats)).toEqual([]);
  expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(callers * 20);
  expect(gaps.total).toBe(0);
  expect((await daemon.status()).counters['strayReplies']).toBe(0);
});

test('a session that is cut under load: every call ends at once, and its error says whether it was sent', async ({
  annotate,
}) => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  const endCalls = beginCalls(daemon);
  const { venue } = simulator;
  for (let cut = 1; cut <= 3; cut += 1) {
    const executed = venue.stats.echoes.executed + 500;
    await daemon.statusWhere('calls to be made', () => venue.stats.echoes.executed >= executed);
    venue.inject({ kind: 'drop' });
    await daemon.statusWhere('a new session', ({ session, state }) => (session.id ?? 0) > cut && state === 'live');
  }
  const outcomes = await endCalls();
  const errors = Object.groupBy(
    outcomes.flatMap(({ error }) => error ?? []),
    ({ code, sent }) => `${code}, ${sent ? 'sent' : 'not sent'}`,
  );
  const counted = Object.entries(errors).map(([what, list]) => `${what}: ${list?.length}`);
  await annotate(`${outcomes.length} calls, errors: ${counted.join('; ')}`);
  expect(brokenPromises(outcomes, venue.stats)).toEqual([]);
  expect(Object.keys(errors).toSorted()).toEqual(['connection-lost, sent', 'not-live, not sent']);
  expect(await daemon.statusWhere('nothing under way', ({ state }) => state === 'live')).toMatchObject({
    counters: { strayReplies: 0 },
  });
});

test('what the log tells of a call is its name, its caller, its end and its time', async () => {
  await using simulator = await startSimulator({ rate: 0 });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { gateway: { allow: ['simulator/*'] } },
  });
  await daemon.reaches('live');
  const told = await daemon.command('call', 'simulator/echo', '{"note":"between us","n":1.50}');
  expect(told).toMatchObject({ code: 0, stdout: '{"note":"between us","n":1.5}\n' });
  const refused = await daemon.command('call', 'v1/rfq/list', '{"note":"between us"}');
  expect(refused).toMatchObject({
    code: 1,
    stdout: '',
    stderr:
      "figd: v1/rfq/list is not allowed: gateway.allow of figd's configuration does not name it; the call was not sent\n",
  });
  const { stdout, stderr } = await daemon.process.stop();
  expect(stdout + stderr).not.toContain('between us');
  const lines = (stdout + stderr)
    .split('\n')
    .flatMap((line) => (line.includes('"door":"call"') ? [JSON.parse(line)] : []));
  expect(lines).toMatchObject([
    { level: 'info', door: 'call', method: 'simulator/echo', status: 'ok', ms: expect.any(Number), msg: 'call' },
    { level: 'info', door: 'call', method: 'v1/rfq/list', status: 'not-allowed' },
  ]);
});
