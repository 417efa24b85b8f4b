import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Rfq } from '../../src/simulator/book.ts';
import { CoreStage, channels } from './support/core-stage.ts';
import { epoch } from './support/test-clock.ts';

const second = 1_000;
const minute = 60 * second;

let stage: CoreStage;
afterEach(() => stage.stopSoundly());

test('from the start to a live session no gap is told, and what the venue sends is in the log', async () => {
  stage = await CoreStage.open();
  expect([stage.state, stage.states.at(-1)?.state, stage.gaps]).toEqual(['live', 'live', []]);
  expect(stage.told).toEqual([
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
  await stage.pass(0);
  expect(stage.core.log.head - before).toBeGreaterThanOrEqual(50);
  await stage.pass(2 * second);
  expect(stage.store.recall()).toMatchObject({
    heard: { at: epoch + (stage.core.intake.lastHeardAt ?? Number.NaN), channels },
    paces: { dial: [epoch], token: [epoch] },
  });
});

test('a lost session is a gap from the latest frame on, which is closed after the comparison with what was missed', async () => {
  stage = await CoreStage.open();
  stage.venue.burst(200);
  await stage.pass(30 * second + 300);
  const heardAt = stage.core.intake.lastHeardAt ?? 0;
  expect(stage.clock.monotonic() - heardAt).toBeGreaterThan(0);
  stage.dropAll();
  expect(stage.gaps).toEqual([{ phase: 'open', id: 1, cause: 'connection-lost', since: epoch + heardAt, channels }]);

  await stage.pass(100);
  expect(stage.state).toBeNull();
  stage.venue.burst(60);
  await stage.pass(150);
  expect([stage.state, stage.gaps.length, stage.core.ledger.summary().open]).toEqual(['live', 1, 1]);
  const liveAt = stage.clock.wall();
  await stage.pass(2 * second);
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
  stage = await CoreStage.open({ options: { rate: 2, tokenLife: 20 * minute } });
  stage.venue.start();
  for (let times = 0; times < 12; times++) await stage.pass(5 * minute);
  stage.venue.stop();
  expect(stage.told).not.toContain('session.closed');
  expect([stage.gaps, stage.reconciled, stage.core.counters.strayReplies]).toEqual([[], [], 0]);
  expect(stage.told.filter((type) => type === 'reconcile.finished').length).toBeGreaterThan(10);
});

describe('a key that is refused while its last token still lives', () => {
  beforeEach(async () => {
    stage = await CoreStage.open();
    await stage.pass(10 * second);
    stage.venue.inject({ kind: 'refuse-credentials' });
    stage.core.machines.refresh();
    await stage.pass(second);
    expect([stage.core.watch.state, stage.core.machines.view().token.state]).toEqual(['degraded', 'blocked']);
  });

  test('is known as refused, so that another one is looked out for', async () => {
    expect(stage.core.isRefused).toBe(true);
    stage.venue.clearFaults();
    await stage.pass(40 * second);
    expect([stage.core.watch.state, stage.core.isRefused]).toEqual(['live', false]);
  });

  test('is not tried again sooner for a REST call that is refused, and for somebody’s word it is', async () => {
    const asked = stage.told.filter((type) => type === 'token.requested').length;
    const requests = () => stage.told.filter((type) => type === 'token.requested').length - asked;
    await stage.pass(10 * second);
    expect(stage.core.machines.renewToken()).toBe(false);
    await stage.pass(10 * second);
    expect(requests()).toBe(0);
    stage.core.machines.refresh();
    await stage.pass(second);
    expect(requests()).toBe(1);
  });
});

test('a token that a REST call doubts is replaced, where nothing speaks against that', async () => {
  stage = await CoreStage.open();
  await stage.pass(10 * second);
  expect(stage.core.machines.renewToken()).toBe(true);
  await stage.pass(second);
  expect([stage.told.filter((type) => type === 'token.granted').length, stage.gaps]).toEqual([2, []]);
});

test('a venue that refuses every heartbeat and does not mind settles the gap after half a minute', async () => {
  stage = await CoreStage.open();
  await stage.pass(10 * second);
  stage.venue.inject({ kind: 'rpc-error', method: 'heartbeat', code: 429, message: 'rate limit exceeded' });
  stage.dropAll();
  await stage.pass(27 * second);
  expect([stage.state, stage.settled]).toEqual(['live', []]);
  await stage.pass(3 * second);
  expect(stage.settled).toMatchObject([{ id: 1, reconciled: true }]);
});

test('a gap is settled once the first heartbeat of the session has told the clock of the venue, and not before', async () => {
  stage = await CoreStage.open({ flags: { 'reconcile.enabled': 'false' } });
  await stage.pass(5 * second);
  stage.venue.inject({ kind: 'delay', ms: 400 });
  stage.dropAll();
  // Dialled after 250 ms, authenticated and subscribed 400 ms later each.
  await stage.pass(1_050);
  expect([stage.state, stage.told.at(-1), stage.gaps.length]).toEqual(['live', 'reconcile.finished', 1]);
  await stage.pass(399);
  expect(stage.gaps.length).toBe(1);
  await stage.pass(1);
  expect(stage.gaps[1]).toMatchObject({ phase: 'closed', id: 1, reconciled: 'not-attempted' });
});

test('a session that was dead when another one took over leaves a gap from when it was last heard to the takeover', async () => {
  stage = await CoreStage.open();
  await stage.pass(14.5 * second);
  stage.venue.inject({ kind: 'delay', ms: 400 });
  stage.core.machines.rotate();
  await stage.pass(900);
  expect([stage.told.at(-1), stage.gaps]).toEqual(['session.rotated', []]);
  // It has not answered yet whether it was alive to the end.
  stage.dropOldest();
  const takenOverAt = epoch + 15 * second + 800;
  const heardAt = epoch + 10 * second;
  expect(stage.gaps).toEqual([{ phase: 'open', id: 1, cause: 'half-open', since: heardAt, channels }]);
  await stage.pass(5 * second);
  const blindMs = takenOverAt - heardAt;
  expect(stage.gaps.slice(1)).toEqual([{ phase: 'closed', id: 1, until: takenOverAt, blindMs, reconciled: true }]);
  expect([stage.state, stage.told]).toEqual(['live', expect.not.arrayContaining(['session.closed'])]);
});

test('a blind spot is settled at once: the heartbeats of the session that lives on have told the clock of the venue', async () => {
  stage = await CoreStage.open();
  await stage.pass(10 * second);
  stage.venue.inject({ kind: 'half-open', forMs: second });
  await stage.pass(2 * second);
  stage.core.machines.rotate();
  await stage.pass(4.9 * second);
  expect([stage.told.at(-1), stage.gaps]).toEqual(['session.rotated', []]);
  await stage.pass(second);
  expect(stage.gaps).toMatchObject([
    { phase: 'open', id: 1, cause: 'half-open' },
    { phase: 'closed', id: 1, reconciled: true },
  ]);
});

test('a takeover through a sleep is blind until its answers are read, however early they came', async () => {
  stage = await CoreStage.open();
  await stage.pass(20 * second);
  stage.venue.inject({ kind: 'half-open', forMs: second });
  await stage.pass(2 * second);
  stage.venue.inject({ kind: 'delay', ms: 400 });
  stage.core.machines.rotate();
  await stage.pass(0.6 * second);
  stage.clock.suspend(minute);
  await stage.pass(6 * second);
  expect(stage.told).toContain('session.blind-spot');
  const [opened, closed] = stage.gaps;
  expect([opened, closed]).toMatchObject([{ phase: 'open' }, { phase: 'closed' }]);
  expect(closed?.phase === 'closed' ? closed.blindMs : 0).toBeGreaterThan(minute);
});

test('a host that slept has the link proved at once', async () => {
  stage = await CoreStage.open();
  await stage.pass(20 * second);
  const heartbeats = () => stage.facts.filter(({ type }) => type === 'session.heartbeat').length;
  const before = heartbeats();
  stage.clock.suspend(8 * second);
  await stage.pass(second / 2);
  expect([stage.jumps, stage.core.counters.suspends]).toMatchObject([[{ kind: 'suspend' }], 1]);
  expect([heartbeats() - before, stage.state, stage.gaps]).toEqual([1, 'live', []]);
});

test('a session that is gone after a sleep is a gap from before the sleep, however late its frames were read', async () => {
  stage = await CoreStage.open();
  await stage.pass(20 * second);
  stage.clock.suspend(600 * second);
  stage.venue.burst(5);
  await stage.pass(0);
  stage.dropAll();
  expect(stage.gaps).toMatchObject([{ phase: 'open', id: 1, since: epoch + 20 * second }]);
});

test('a session that came long after a sleep and is lost before its first heartbeat is a gap from when it was heard', async () => {
  stage = await CoreStage.open();
  await stage.pass(20 * second);
  stage.clock.suspend(600 * second);
  await stage.pass(minute);
  stage.dropAll();
  await stage.pass(5 * minute);
  const before = stage.gaps.filter(({ phase }) => phase === 'open').length;
  stage.venue.inject({ kind: 'no-reply', method: 'heartbeat' });
  stage.dropAll();
  await stage.pass(2 * second);
  const liveAt = stage.clock.wall() - 2 * second;
  await stage.pass(4 * second);
  const opened = stage.gaps.filter((gap) => gap.phase === 'open').slice(before);
  expect(opened.map(({ cause }) => cause)).toEqual(['connection-lost', 'half-open']);
  expect(opened[1]?.since).toBeGreaterThanOrEqual(liveAt);
});

test('without reconciliation a gap is closed as soon as the venue is heard, as not attempted', async () => {
  stage = await CoreStage.open({ flags: { 'reconcile.enabled': 'false' } });
  await stage.pass(5 * second);
  stage.dropAll();
  await stage.pass(second);
  expect(stage.gaps).toMatchObject([
    { phase: 'open', id: 1 },
    { phase: 'closed', id: 1, reconciled: 'not-attempted' },
  ]);
});

test('a comparison for which the limit of the venue has no room is made as soon as there is some', async () => {
  stage = await CoreStage.open();
  await stage.pass(10 * second);
  const asked = () => stage.venue.stats.requestsByPath['/v1/rfq'];
  expect(asked()).toBe(1);
  stage.venue.inject({ kind: 'http-status', status: 429, path: '/v1/rfq', retryAfterS: 20, times: 1 });
  stage.dropAll();
  await stage.pass(5 * second);
  expect([stage.state, asked()]).toEqual(['live', 2]);
  // The next session compares anew, and figd knows without asking that the venue does not want it yet.
  stage.dropAll();
  await stage.pass(14 * second);
  expect([stage.state, asked(), stage.settled]).toEqual(['live', 2, []]);
  await stage.pass(5 * second);
  expect([asked(), stage.settled.map(({ id, reconciled }) => [id, reconciled])]).toEqual([
    3,
    [
      [1, true],
      [2, true],
    ],
  ]);
});

test('a venue that ends the older session when a newer one is let in costs a round trip at each renewal', async () => {
  stage = await CoreStage.open({
    flags: { 'session.renewal': 'rotate' },
    options: { maxSessions: 1, sessionCeiling: 'replace', inPlaceRefresh: false, tokenLife: 5 * minute },
  });
  await stage.pass(30 * minute);
  const blind = stage.settled.map(({ blindMs }) => blindMs ?? 0);
  expect(stage.told.filter((type) => type === 'session.stepped-in').length).toBeGreaterThan(5);
  expect(stage.settled.every(({ cause, reconciled }) => cause !== 'daemon-died' && reconciled === true)).toBe(true);
  // From the last frame that had come; in life that is the one before, here a heartbeat up to ten seconds ago.
  expect(Math.max(...blind)).toBeLessThanOrEqual(10 * second);
  expect(stage.told).not.toContain('session.closed');
  expect([stage.state, stage.core.watch.state]).toEqual(['live', 'live']);
});
