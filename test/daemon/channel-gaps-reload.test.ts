import { afterEach, describe, expect, test } from 'vitest';
import type { GapRecord } from '../../src/protocol/ledger.ts';
import { CoreStage } from './support/core-stage.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const taker = 'rfq.taker';
const maker = { 'session.channels': 'rfq.maker' };
const both = { 'session.channels': 'rfq.maker,rfq.taker' };
const allButTaker = { 'session.channels': 'rfq.maker,rfq_quote.maker,rfq_quote.taker' };
const limit = {
  kind: 'rpc-error',
  method: 'v1/subscribe',
  code: 429,
  message: 'rate limit exceeded, retry after 600 seconds',
  times: 1,
} as const;

let stage: CoreStage;
afterEach(() => stage.stopSoundly());

const refuseTaker = () => stage.venue.inject({ kind: 'partial-subscription', channels: [taker], times: 9_999 });
const missed = (channel: string, at: number): readonly GapRecord[] =>
  stage.store
    .gapsSince(0)
    .filter(({ channels, since, until }) => channels.includes(channel) && since <= at && (until ?? at) >= at);
const allSettled = () =>
  stage.store.gapsSince(0).every(({ until, reconciled }) => until !== null && reconciled === true);

describe('a channel that a reload adds is missed from then on', () => {
  test('while figd is blind: the gap that is open does not name it', async () => {
    stage = await CoreStage.open({ flags: maker });
    await stage.pass(minute);
    const up = stage.venue.inject({ kind: 'down' });
    await stage.pass(10 * second);
    stage.reload(both);
    await stage.pass(30 * minute);
    const at = stage.clock.wall();
    stage.venue.burst(60);
    await stage.pass(30 * minute);
    up();
    await stage.pass(3 * minute);
    expect([missed(taker, at).length, allSettled()]).toEqual([1, true]);
    expect(stage.reconciled.filter(({ channel }) => channel === taker).length).toBeGreaterThan(0);
  });

  test('and by a run after that, though figd is stopped in the same moment', async () => {
    stage = await CoreStage.open({ flags: maker });
    await stage.pass(minute);
    const up = stage.venue.inject({ kind: 'down' });
    await stage.pass(10 * second);
    const { clock, store, venue } = stage;
    stage.reload(both);
    await stage.stop();
    await clock.time.advance(10 * minute);
    up();
    const at = clock.wall() - minute;
    stage = await CoreStage.open({ clock, store, venue, flags: both });
    await stage.pass(minute);
    expect([missed(taker, at).length, allSettled()]).toEqual([1, true]);
  });

  test('by a restart as well, where the venue is down until an hour later', async () => {
    stage = await CoreStage.open({ flags: maker });
    await stage.pass(minute);
    const { clock, store, venue } = stage;
    await stage.stop();
    const up = venue.inject({ kind: 'down' });
    stage = await CoreStage.open({ clock, store, venue, flags: both });
    await stage.pass(30 * minute);
    const at = clock.wall();
    await stage.pass(30 * minute);
    up();
    await stage.pass(3 * minute);
    expect([missed(taker, at).length, allSettled()]).toEqual([1, true]);
  });

  test('while the venue wants to be left alone', async () => {
    stage = await CoreStage.open({ flags: maker });
    await stage.pass(minute);
    stage.venue.inject(limit);
    stage.reload(both);
    await stage.pass(second);
    stage.reload({ 'session.channels': 'rfq.maker,rfq.taker,rfq_quote.maker' });
    await stage.pass(5 * minute);
    const at = stage.clock.wall();
    expect([taker, 'rfq_quote.maker'].map((channel) => missed(channel, at).length)).toEqual([1, 1]);
    await stage.pass(6 * minute);
    expect(allSettled()).toBe(true);
  });

  test('again, where it was given up in between', async () => {
    stage = await CoreStage.open({ flags: maker });
    await stage.pass(minute);
    stage.venue.inject(limit);
    stage.reload(both);
    await stage.pass(second);
    stage.reload(maker);
    await stage.pass(second);
    const wantedAt = stage.clock.wall();
    stage.reload(both);
    await stage.pass(5 * minute);
    expect(missed(taker, stage.clock.wall())).toMatchObject([{ since: wantedAt }]);
    await stage.pass(6 * minute);
    expect(allSettled()).toBe(true);
  });

  test('while a second session is dialled that never answers', async () => {
    stage = await CoreStage.open({ flags: maker });
    await stage.pass(minute);
    stage.venue.inject({ kind: 'no-reply', method: 'auth', times: 1 });
    stage.core.machines.rotate();
    await stage.pass(100);
    stage.reload(both);
    await stage.pass(5 * second);
    expect(missed(taker, stage.clock.wall() - second).length).toBe(1);
    await stage.pass(30 * second);
    expect(allSettled()).toBe(true);
  });

  test('though it is given up before anybody has looked', async () => {
    stage = await CoreStage.open({ flags: maker });
    await stage.pass(minute - CoreStage.startMs + 50);
    stage.venue.inject({ kind: 'no-reply', method: 'v1/subscribe', times: 1 });
    const wantedAt = stage.clock.wall();
    stage.reload(both);
    await stage.pass(1_100);
    stage.reload(maker);
    await stage.pass(10 * second);
    expect(missed(taker, wantedAt + 1_000)).toMatchObject([{ since: wantedAt, until: wantedAt + 1_100 }]);
  });

  test('where its confirmation took longer than an answer does, though nobody had looked meanwhile', async () => {
    stage = await CoreStage.open({ flags: maker });
    // Just behind a look, and answered just before the one after the next.
    await stage.pass(minute - CoreStage.startMs + 50);
    const slow = stage.venue.inject({ kind: 'delay', ms: 1_900 });
    const wantedAt = stage.clock.wall();
    stage.reload(both);
    await stage.pass(4 * second);
    slow();
    expect(missed(taker, wantedAt)).toMatchObject([{ since: wantedAt, until: wantedAt + 1_900 }]);
  });
});

describe('where a refused channel is given up while the next session is on its way', () => {
  const loseWhileRefused = async () => {
    stage = new CoreStage();
    refuseTaker();
    await stage.start();
    await stage.pass(4 * minute);
  };

  test('the gap of the session is compared when that is live, and not before', async () => {
    await loseWhileRefused();
    stage.venue.inject({ kind: 'no-reply', method: 'auth', times: 1 });
    stage.dropAll();
    await stage.pass(2 * second);
    expect(stage.state).toBe('authenticating');
    stage.reload(allButTaker);
    await stage.pass(minute);
    expect([stage.state, allSettled()]).toEqual(['live', true]);
  });

  test('what was compared before the venue is heard says nothing of it', async () => {
    await loseWhileRefused();
    const slow = stage.venue.inject({ kind: 'delay', ms: 2_000 });
    stage.dropAll();
    await stage.pass(second);
    slow();
    const slowRest = stage.venue.inject({ kind: 'delay', ms: 6_000 });
    stage.reload(allButTaker);
    await stage.pass(1);
    slowRest();
    stage.venue.burst(50);
    await stage.pass(10 * second);
    expect(stage.reconciled.filter(({ channel, gap }) => channel === 'rfq.maker' && gap === 2).length).toBeGreaterThan(
      0,
    );
  });
});

describe('a gap of one channel', () => {
  test('has the time of a suspension in its length, though a reload is the first that is heard of it', async () => {
    stage = new CoreStage();
    refuseTaker();
    await stage.start();
    await stage.pass(minute);
    stage.clock.suspend(hour);
    stage.reload(maker);
    await stage.pass(5 * minute);
    const [gap] = stage.store.gapsSince(0);
    expect(gap?.blindMs).toBeGreaterThan(hour);
    expect(gap?.blindMs).toBeCloseTo((gap?.until ?? 0) - (gap?.since ?? 0), 3);
  });

  test.each([hour, -hour])(
    'is measured, and compared, by the venue’s clock, though the session was just live when it began (step of %d ms)',
    async (step) => {
      stage = new CoreStage();
      refuseTaker();
      await stage.start();
      await stage.pass(second);
      stage.venue.burst(200);
      await stage.pass(minute);
      const { clock, store, venue } = stage;
      await stage.stop();
      clock.step(step);
      clock.look();
      venue.clearFaults();
      stage = await CoreStage.open({ clock, store, venue });
      await stage.pass(2 * minute);
      const [gap] = store.gapsSince(0);
      expect(gap?.blindMs).toBeGreaterThan(minute);
      expect(gap?.blindMs).toBeLessThan(2 * minute);
      expect(stage.reconciled.filter(({ channel }) => channel === taker).length).toBeGreaterThan(10);
    },
  );

  test('that is open for hours has nothing told twice, of no channel, also across a restart', async () => {
    stage = new CoreStage({ options: { rate: 2 } });
    refuseTaker();
    stage.venue.start();
    await stage.start();
    await stage.pass(70 * minute);
    const { clock, store, venue } = stage;
    const before = stage.reconciled;
    await stage.stop();
    stage = await CoreStage.open({ clock, store, venue });
    await stage.pass(20 * minute);
    venue.stop();
    expect(before.filter(({ channel }) => channel !== taker)).toEqual([]);
    const texts = before.map(({ data }) => JSON.stringify(data));
    expect([texts.length > 100, new Set(texts).size]).toEqual([true, texts.length]);
    const lookedAgainAt = 15 * minute;
    const old = stage.reconciled.filter(({ data }) => texts.includes(JSON.stringify(data)));
    // What may have changed in the last minutes before the restart is a doubt, and told.
    const createdAt = old.map(({ data }) => (data as { createdAt: number }).createdAt);
    expect(createdAt.every((at) => at > clock.wall() - 20 * minute - lookedAgainAt - 5 * minute)).toBe(true);
  });
});
