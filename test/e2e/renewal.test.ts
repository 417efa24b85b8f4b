import { expect, test } from 'vitest';
import { type SimulatorOptions, startSimulator } from '../../src/simulator/server.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest, RawConsumer } from './daemon.ts';

/** Lives as short as the spacing of token requests allows. */
const tokenLife = 6_000;

function counted(frames: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const frame of frames) counts.set(frame, (counts.get(frame) ?? 0) + 1);
  return counts;
}

function received(consumer: RawConsumer): ReadonlyMap<string, number> {
  const published = consumer.events().filter(({ params }) => !params.channel.startsWith('figd.'));
  return counted(published.map(({ text }) => text.slice(text.indexOf('"message":') + '"message":'.length, -2)));
}

const differences = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>) =>
  [...a].filter(([frame, count]) => b.get(frame) !== count).map(([frame]) => frame);

interface Mode {
  readonly name: string;
  readonly renewal: string;
  readonly options?: SimulatorOptions;
  readonly renewedBy: 'renewals' | 'rotations';
}

const modes: readonly Mode[] = [
  { name: 'in place, by auth/refresh', renewal: 'auto', renewedBy: 'renewals' },
  {
    name: 'in place, by auth once more',
    renewal: 'in-place',
    options: { inPlaceRefresh: false },
    renewedBy: 'renewals',
  },
  { name: 'by a second session', renewal: 'rotate', renewedBy: 'rotations' },
];

test.concurrent.each(modes)(
  'a session renewed $name at 500 events/s: none lost, none doubled',
  async (mode) => {
    const sent: string[] = [];
    await using simulator = await startSimulator({
      ...mode.options,
      rate: 500,
      tokenLife,
      onEvent: ({ frame, listeners }) => listeners > 0 && sent.push(frame),
    });
    await using daemon = await DaemonUnderTest.start({
      restUrl: simulator.restUrl,
      config: { session: { renewal: mode.renewal } },
    });
    await daemon.reaches('live');
    // The goodbye to the first session takes at least so long to be heard: both bring the same events meanwhile.
    if (mode.renewedBy === 'rotations') simulator.venue.inject({ kind: 'delay', ms: 40 });
    using consumer = await RawConsumer.subscribe(daemon.eventsSocket);
    const status = await daemon.statusWhere(
      'two renewals',
      ({ counters }) => (counters[mode.renewedBy] ?? 0) >= 2,
      20_000,
    );
    simulator.venue.stop();
    const expected = counted(sent);
    await until('every event', () => (differences(expected, received(consumer)).length === 0 ? true : undefined));

    expect(differences(received(consumer), expected)).toEqual([]);
    expect(status).toMatchObject({ state: 'live', gaps: { total: 0 } });
    const seqs = consumer.events().map(({ params }) => params.seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    if (mode.renewedBy === 'rotations') {
      expect(status.session.id).toBeGreaterThanOrEqual(3);
      expect((await daemon.status()).counters['suppressedInOverlap']).toBeGreaterThan(0);
    } else expect(status.session.id).toBe(1);
  },
  60_000,
);

test('figd rotate: a second session takes over, the first one is closed in good order', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  expect(await daemon.command('rotate')).toMatchObject({ code: 0 });
  const status = await daemon.statusWhere('the second session', ({ session }) => session.id === 2);
  expect(status).toMatchObject({ state: 'live', gaps: { total: 0 }, counters: { rotations: 1 } });
  const closed = await until('the end of the first one', () => simulator.venue.stats.closedConnections[0]);
  expect(closed).toMatchObject({ connection: 1, closedBy: 'client', closeCode: 1000 });
});

test('where the venue takes no second session, the first one carries on and the status says so', async () => {
  await using simulator = await startSimulator({ rate: 50, maxSessions: 1 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  await daemon.command('rotate');
  const status = await daemon.reaches('degraded');
  expect(status).toMatchObject({
    reason: expect.stringContaining('it could not move to its new token'),
    session: { id: 1, state: 'live' },
  });
});

test('renewal by reconnecting: a new session at once, and the gap is told', async () => {
  await using simulator = await startSimulator({ rate: 50, tokenLife });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { session: { renewal: 'reconnect' } },
  });
  const status = await daemon.statusWhere(
    'a second session, live, and no gap open',
    ({ session, state, gaps }) => session.id === 2 && state === 'live' && gaps.open === 0,
  );
  expect(status.session.lastClose).toMatchObject({ code: 'renewal' });
  expect(status.gaps).toMatchObject({ open: 0, total: 1 });
  expect(status.gaps.blindMsTotal).toBeLessThan(2_000);
});
