import { afterEach, describe, expect, test } from 'vitest';
import { MemoryLedger } from '../../src/log/memory-ledger.ts';
import type { Rfq } from '../../src/simulator/book.ts';
import { CoreStage } from './support/core-stage.ts';
import { epoch } from './support/test-clock.ts';

const second = 1_000;
const minute = 60 * second;
const channels = ['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'];

let stage: CoreStage;
const open = async (...given: ConstructorParameters<typeof CoreStage>) => {
  stage = new CoreStage(...given);
  await stage.start();
};
afterEach(async () => {
  await stage.stop();
  expect(stage.fatal).toEqual([]);
});

const pass = (ms: number) => stage.clock.time.advance(ms);
const told = () => stage.facts.map(({ type }) => type).filter((type) => type !== 'session.heartbeat');

test('from the start to a live session no gap is told, and what the venue sends is in the log', async () => {
  await open();
  expect([stage.state, stage.states.at(-1)?.state, stage.gaps]).toEqual(['live', 'live', []]);
  expect(told()).toEqual([
    'token.requested',
    'token.granted',
    'session.dialled',
    'session.authenticated',
    'session.live',
    'gap.ended',
    'reconcile.finished',
  ]);
  const before = stage.core.log.head;
  stage.venue.burst(50);
  await pass(0);
  expect(stage.core.log.head - before).toBeGreaterThanOrEqual(50);
  await pass(2 * second);
  expect(stage.store.recall()).toMatchObject({
    heardAt: stage.core.intake.lastHeardAt === null ? null : epoch + stage.core.intake.lastHeardAt,
    paces: { dial: [epoch], token: [epoch] },
  });
});

test('a lost session is a gap from the latest frame on, which is closed after the comparison with what was missed', async () => {
  await open();
  stage.venue.burst(200);
  await pass(30 * second + 300);
  const heardAt = stage.core.intake.lastHeardAt ?? 0;
  expect(stage.clock.monotonic() - heardAt).toBeGreaterThan(0);
  stage.dropAll();
  expect(stage.gaps).toEqual([{ phase: 'open', id: 1, cause: 'connection-lost', since: epoch + heardAt, channels }]);

  await pass(100);
  expect(stage.state).toBeNull();
  stage.venue.burst(60);
  await pass(150);
  expect([stage.state, stage.gaps.length, stage.core.ledger.summary().open]).toEqual(['live', 1, 1]);
  const liveAt = stage.clock.wall();
  await pass(2 * second);
  const [, closed] = stage.gaps;
  expect(closed).toMatchObject({ phase: 'closed', id: 1, reconciled: true, until: liveAt });
  expect(closed).toMatchObject({ blindMs: liveAt - epoch - heardAt });
  expect(stage.settled).toMatchObject([{ id: 1, reconciled: true }]);
  expect(stage.reconciled.length).toBeGreaterThan(0);
  expect(new Set(stage.reconciled.map(({ gap }) => gap))).toEqual(new Set([1]));
  // Each once, and each as the venue has it now.
  const ids = stage.reconciled.map(({ data }) => (data as Rfq).rfqId);
  expect(new Set(ids).size).toBe(ids.length);
  const order = stage.lines().map(({ channel }) => channel);
  expect(order.lastIndexOf('figd.reconcile')).toBeLessThan(order.lastIndexOf('figd.gap'));
});

test('hours of a market that flows, with renewals of the token, are not taken for missed events', async () => {
  await open({ options: { rate: 2, tokenLife: 20 * minute } });
  stage.venue.start();
  for (let times = 0; times < 12; times++) await pass(5 * minute);
  stage.venue.stop();
  expect(told()).not.toContain('session.closed');
  expect([stage.gaps, stage.reconciled, stage.core.counters.strayReplies]).toEqual([[], [], 0]);
  expect(told().filter((type) => type === 'reconcile.finished').length).toBeGreaterThan(10);
});

test('a daemon that dies leaves a gap to the next one, from when the venue was last heard', async () => {
  await open();
  await pass(12 * second);
  const { clock, store, venue } = stage;
  const { heardAt } = store;
  expect(heardAt).toBeGreaterThan(epoch);
  // What the first run does from here on reaches the ledger of the second as little as if it were dead.
  const left = MemoryLedger.from({ ...store.recall(), gaps: store.gapsSince(0) });
  await stage.stop();
  await open({ clock, store: left, venue });
  expect(stage.gaps[0]).toEqual({ phase: 'open', id: 1, cause: 'daemon-died', since: heardAt, channels });
  await pass(3 * second);
  expect(stage.gaps.slice(1)).toMatchObject([{ phase: 'closed', id: 1, reconciled: true }]);
});

test('a stop is a gap that the next run goes on with', async () => {
  await open();
  await pass(10 * second);
  const { clock, store, venue } = stage;
  const heardAt = stage.core.intake.lastHeardAt ?? 0;
  await stage.stop();
  expect(stage.gaps).toMatchObject([{ phase: 'open', id: 1, cause: 'daemon-stopped' }]);
  expect(store.gap(1)?.since).toBeGreaterThanOrEqual(epoch + heardAt);
  await open({ clock, store, venue });
  expect(stage.gaps[0]).toMatchObject({ phase: 'open', id: 1, cause: 'daemon-stopped' });
  await pass(3 * second);
  expect(stage.gaps[1]).toMatchObject({ phase: 'closed', id: 1, reconciled: true });
});

test.each([-minute, 60 * minute])(
  'a stop has its true length, though the wall clock was set by %d ms before the next run',
  async (step) => {
    await open();
    await pass(10 * second);
    const { clock, store, venue } = stage;
    await stage.stop();
    const since = store.gap(1)?.since ?? 0;
    clock.step(step);
    clock.look();
    await pass(20 * second);
    await open({ clock, store, venue });
    const blindMs = clock.monotonic() - second / 2 + epoch - since;
    await pass(3 * second);
    expect(stage.settled).toEqual([
      {
        id: 1,
        cause: 'daemon-stopped',
        since,
        until: since + step + blindMs,
        blindMs,
        channels,
        clockOffsetMs: 0,
        reconciled: true,
      },
    ]);
  },
);

test.each([-10 * minute, 60 * minute])(
  'a venue that refuses the first heartbeats is not taken for one without a clock, though ours was set by %d ms',
  async (step) => {
    await open();
    await pass(10 * second);
    const { clock, store, venue } = stage;
    await stage.stop();
    const since = store.gap(1)?.since ?? 0;
    clock.step(step);
    clock.look();
    venue.burst(60);
    venue.inject({ kind: 'rpc-error', method: 'heartbeat', code: 429, message: 'rate limit exceeded', times: 5 });
    await open({ clock, store, venue });
    const blindMs = clock.monotonic() - second / 2 + epoch - since;
    await pass(9 * second);
    expect([stage.settled, stage.reconciled]).toEqual([[], []]);
    await pass(4 * second);
    expect(stage.settled).toMatchObject([{ id: 1, blindMs, reconciled: true }]);
    expect(stage.reconciled.length).toBeGreaterThanOrEqual(20);
  },
);

test('a venue that refuses every heartbeat and does not mind settles the gap after half a minute', async () => {
  await open();
  await pass(10 * second);
  stage.venue.inject({ kind: 'rpc-error', method: 'heartbeat', code: 429, message: 'rate limit exceeded' });
  stage.dropAll();
  await pass(27 * second);
  expect([stage.state, stage.settled]).toEqual(['live', []]);
  await pass(3 * second);
  expect(stage.settled).toMatchObject([{ id: 1, reconciled: true }]);
});

test('a gap is settled once the first heartbeat of the session has told the clock of the venue, and not before', async () => {
  await open({ flags: { 'reconcile.enabled': 'false' } });
  await pass(5 * second);
  stage.venue.inject({ kind: 'delay', ms: 400 });
  stage.dropAll();
  // Dialled after 250 ms, authenticated and subscribed 400 ms later each.
  await pass(1_050);
  expect([stage.state, told().at(-1), stage.gaps.length]).toEqual(['live', 'reconcile.finished', 1]);
  await pass(399);
  expect(stage.gaps.length).toBe(1);
  await pass(1);
  expect(stage.gaps[1]).toMatchObject({ phase: 'closed', id: 1, reconciled: 'not-attempted' });
});

test('a session that was dead when another one took over leaves a gap from when it was last heard to the takeover', async () => {
  await open();
  await pass(14.5 * second);
  stage.venue.inject({ kind: 'delay', ms: 400 });
  stage.core.rotate();
  await pass(900);
  expect([told().at(-1), stage.gaps]).toEqual(['session.rotated', []]);
  // It has not answered yet whether it was alive to the end.
  stage.dropOldest();
  const takenOverAt = epoch + 15 * second + 800;
  const heardAt = epoch + 10 * second;
  expect(stage.gaps).toEqual([{ phase: 'open', id: 1, cause: 'half-open', since: heardAt, channels }]);
  await pass(5 * second);
  const blindMs = takenOverAt - heardAt;
  expect(stage.gaps.slice(1)).toEqual([{ phase: 'closed', id: 1, until: takenOverAt, blindMs, reconciled: true }]);
  expect([stage.state, told()]).toEqual(['live', expect.not.arrayContaining(['session.closed'])]);
});

test('a blind spot is settled at once: the heartbeats of the session that lives on have told the clock of the venue', async () => {
  await open();
  await pass(10 * second);
  stage.venue.inject({ kind: 'half-open', forMs: second });
  await pass(2 * second);
  stage.core.rotate();
  await pass(4.9 * second);
  expect([told().at(-1), stage.gaps]).toEqual(['session.rotated', []]);
  await pass(second);
  expect(stage.gaps).toMatchObject([
    { phase: 'open', id: 1, cause: 'half-open' },
    { phase: 'closed', id: 1, reconciled: true },
  ]);
});

test('a host that slept has the link proved at once', async () => {
  await open();
  await pass(20 * second);
  const heartbeats = () => stage.facts.filter(({ type }) => type === 'session.heartbeat').length;
  const before = heartbeats();
  stage.clock.suspend(8 * second);
  await pass(second / 2);
  expect([stage.jumps, stage.core.counters.suspends]).toMatchObject([[{ kind: 'suspend' }], 1]);
  expect([heartbeats() - before, stage.state, stage.gaps]).toEqual([1, 'live', []]);
});

test('a session that is gone after a sleep is a gap from before the sleep, however late its frames were read', async () => {
  await open();
  await pass(20 * second);
  stage.clock.suspend(600 * second);
  stage.venue.burst(5);
  await pass(0);
  stage.dropAll();
  expect(stage.gaps).toMatchObject([{ phase: 'open', id: 1, since: epoch + 20 * second }]);
});

test('a session that came long after a sleep and is lost before its first heartbeat is a gap from when it was heard', async () => {
  await open();
  await pass(20 * second);
  stage.clock.suspend(600 * second);
  await pass(minute);
  stage.dropAll();
  await pass(5 * minute);
  const before = stage.gaps.filter(({ phase }) => phase === 'open').length;
  stage.venue.inject({ kind: 'no-reply', method: 'heartbeat' });
  stage.dropAll();
  await pass(2 * second);
  const liveAt = stage.clock.wall() - 2 * second;
  await pass(4 * second);
  const opened = stage.gaps.filter((gap) => gap.phase === 'open').slice(before);
  expect(opened.map(({ cause }) => cause)).toEqual(['connection-lost', 'half-open']);
  expect(opened[1]?.since).toBeGreaterThanOrEqual(liveAt);
});

test('without reconciliation a gap is closed as soon as the venue is heard, as not attempted', async () => {
  await open({ flags: { 'reconcile.enabled': 'false' } });
  await pass(5 * second);
  stage.dropAll();
  await pass(second);
  expect(stage.gaps).toMatchObject([
    { phase: 'open', id: 1 },
    { phase: 'closed', id: 1, reconciled: 'not-attempted' },
  ]);
});

test('a comparison for which the limit of the venue has no room is made as soon as there is some', async () => {
  await open();
  await pass(10 * second);
  const asked = () => stage.venue.stats.requestsByPath['/v1/rfq'];
  expect(asked()).toBe(1);
  stage.venue.inject({ kind: 'http-status', status: 429, path: '/v1/rfq', retryAfterS: 20, times: 1 });
  stage.dropAll();
  await pass(5 * second);
  expect([stage.state, asked()]).toEqual(['live', 2]);
  // The next session compares anew, and figd knows without asking that the venue does not want it yet.
  stage.dropAll();
  await pass(14 * second);
  expect([stage.state, asked(), stage.settled]).toEqual(['live', 2, []]);
  await pass(5 * second);
  expect([asked(), stage.settled.map(({ id, reconciled }) => [id, reconciled])]).toEqual([
    3,
    [
      [1, true],
      [2, true],
    ],
  ]);
});

describe('a reload', () => {
  const two = { 'session.channels': 'rfq.maker,rfq.taker' };
  const subscriptions = () => stage.venue.stats.openConnections.map(({ channels: held }) => held);
  const published = (channel: 'rfq.maker' | 'rfq_quote.maker', rfqId: number) =>
    stage.venue.publish(channel, { rfqId, status: 'open' });
  const ids = (channel: string) =>
    stage.on<{ params: { data: { rfqId: number } } }>(channel).map(({ params }) => params.data.rfqId);

  test('subscribes and unsubscribes on the live session, and what is sent meanwhile is in the log', async () => {
    await open({ flags: two });
    expect(subscriptions()).toEqual([['rfq.maker', 'rfq.taker']]);
    stage.reload({ 'session.channels': 'rfq.maker,rfq_quote.maker' });
    // Sent before the venue can know of it.
    published('rfq.maker', 1);
    await pass(0);
    published('rfq.maker', 2);
    published('rfq_quote.maker', 3);
    await pass(0);
    expect([subscriptions(), stage.venue.stats.dials]).toEqual([[['rfq.maker', 'rfq_quote.maker']], 1]);
    expect([ids('rfq.maker'), ids('rfq_quote.maker'), stage.gaps]).toEqual([[1, 2], [3], []]);
    expect(stage.core.channels).toEqual(['rfq.maker', 'rfq_quote.maker']);
    expect(told().slice(-2)).toEqual(['session.resubscribed', 'session.unsubscribed']);
  });

  test('that drops a channel drops nothing that is still on its way', async () => {
    await open();
    stage.venue.inject({ kind: 'delay', ms: 300 });
    published('rfq_quote.maker', 1);
    stage.reload(two);
    await pass(second);
    expect([ids('rfq_quote.maker'), subscriptions()]).toEqual([[1], [['rfq.maker', 'rfq.taker']]]);
  });

  test('is what the next gap is about, and not the one that is open', async () => {
    await open({ flags: two });
    await pass(5 * second);
    stage.venue.inject({ kind: 'down', forMs: 3 * second });
    await pass(0);
    stage.reload({});
    await pass(30 * second);
    stage.dropAll();
    await pass(30 * second);
    const told = stage.gaps.flatMap((gap) => (gap.phase === 'open' ? [gap.channels] : []));
    expect(told).toEqual([['rfq.maker', 'rfq.taker'], channels]);
    expect(subscriptions()).toEqual([channels]);
  });

  test('while the venue refuses what is added leaves it degraded with the reason, until it does not', async () => {
    await open({ flags: two });
    stage.venue.inject({ kind: 'partial-subscription', channels: ['rfq_quote.maker'], times: 1 });
    stage.reload({});
    await pass(second);
    expect(stage.states.at(-1)).toMatchObject({
      state: 'degraded',
      reason: 'subscriptions: the venue refuses rfq_quote.maker; 3 of 4 channels are live',
    });
    await pass(30 * second);
    expect(stage.states.at(-1)).toMatchObject({ state: 'live', reason: 'authenticated, 4 of 4 channels confirmed' });
  });

  test('where the venue does not let go of a channel says so, and a session that takes over is without it', async () => {
    await open();
    stage.venue.inject({ kind: 'unknown-method', method: 'v1/unsubscribe' });
    stage.reload(two);
    await pass(second);
    expect(stage.states.at(-1)).toMatchObject({
      state: 'degraded',
      reason: expect.stringMatching(
        /^subscriptions: rfq_quote.maker, rfq_quote.taker could not be given up: v1\/unsubs/,
      ),
    });
    published('rfq_quote.maker', 1);
    await pass(0);
    expect(ids('rfq_quote.maker')).toEqual([1]);
    stage.core.rotate();
    await pass(5 * second);
    expect([subscriptions(), stage.states.at(-1)?.state]).toEqual([[['rfq.maker', 'rfq.taker']], 'live']);
  });

  test('during a rotation at any moment ends with what is wanted, and each event once', async () => {
    for (const moment of [0, 1, 2, 3, 50, 400, 450, 500, 850, 900, 1_250, 1_300, 1_700]) {
      await open({ flags: two });
      stage.venue.inject({ kind: 'delay', ms: 400 });
      stage.core.rotate();
      let next = 1;
      const flow = () => {
        published('rfq.maker', next);
        published('rfq_quote.maker', next);
        next += 1;
      };
      for (let at = 0; at < 4_000; at += 50) {
        if (Math.abs(at - moment) < 50 && stage.core.channels.length === 2) {
          await pass(moment - at > 0 ? moment - at : 0);
          stage.reload({ 'session.channels': 'rfq.maker,rfq_quote.maker' });
        }
        flow();
        await pass(50);
      }
      await pass(second);
      const quotes = ids('rfq_quote.maker');
      expect(subscriptions()).toEqual([['rfq.maker', 'rfq_quote.maker']]);
      expect(ids('rfq.maker')).toEqual(Array.from({ length: next - 1 }, (_, index) => index + 1));
      expect(quotes).toEqual(quotes.map((_, index) => (quotes[0] ?? 0) + index));
      expect([quotes.at(-1), stage.gaps]).toEqual([next - 1, []]);
      if (moment !== 1_700) await stage.stop();
    }
  });
});
