import { afterEach, describe, expect, test } from 'vitest';
import type { Rfq } from '../../src/simulator/book.ts';
import { CoreStage, channels } from './support/core-stage.ts';
import { epoch } from './support/test-clock.ts';

const second = 1_000;
const minute = 60 * second;
const taker = 'rfq.taker';
const cause = 'channels-refused';

let stage: CoreStage;
afterEach(() => stage.stopSoundly());

const refuseTaker = (times: number) => stage.venue.inject({ kind: 'partial-subscription', channels: [taker], times });
const told = () => stage.gaps.map((gap) => [gap.phase, gap.id, gap.phase === 'open' ? gap.channels : gap.reconciled]);

test('a channel that the venue refuses from the start is a gap, from when the others are live until it is confirmed', async () => {
  stage = new CoreStage();
  refuseTaker(99);
  await stage.start();
  const liveAt = epoch + (stage.core.machines.view().session?.context.liveAt ?? 0);
  expect(stage.gaps).toEqual([{ phase: 'open', id: 1, cause, since: liveAt, channels: [taker] }]);
  expect(stage.core.watch.state).toBe('degraded');
  await stage.pass(10 * second);
  stage.venue.clearFaults();
  await stage.pass(2 * minute);
  expect(told()).toEqual([
    ['open', 1, [taker]],
    ['closed', 1, true],
  ]);
  expect(stage.core.watch.state).toBe('live');
});

test('what it would have told is published as what its gap hid: while it is refused, and once it is confirmed', async () => {
  stage = await CoreStage.open({ options: { rate: 0 }, flags: { 'reconcile.interval': '1m' } });
  refuseTaker(99);
  stage.dropAll();
  await stage.pass(10 * second);
  expect(told()).toEqual([
    ['open', 1, channels],
    ['open', 2, [taker]],
    ['closed', 1, true],
  ]);
  stage.venue.burst(200);
  await stage.pass(2 * minute);
  const hidden = () => stage.reconciled.filter(({ gap }) => gap === 2);
  const meanwhile = hidden().length;
  expect(meanwhile).toBeGreaterThan(0);
  expect(new Set(hidden().map(({ channel }) => channel))).toEqual(new Set([taker]));
  stage.venue.burst(200);
  stage.venue.clearFaults();
  await stage.pass(6 * minute);
  expect(told().slice(3)).toEqual([['closed', 2, true]]);
  expect(hidden().length).toBeGreaterThan(meanwhile);
  // Nothing is told twice, though the gap was compared many times.
  const each = hidden().map(({ data }) => JSON.stringify(data as Rfq));
  expect(new Set(each).size).toBe(each.length);
});

describe('a gap of one channel', () => {
  test('does not end with the session: the next one, that is refused it as well, goes on with it', async () => {
    stage = new CoreStage();
    refuseTaker(99);
    await stage.start();
    stage.dropAll();
    await stage.pass(30 * second);
    expect(told()).toEqual([
      ['open', 1, [taker]],
      ['open', 2, channels],
      ['closed', 2, true],
    ]);
  });

  test('ends with a second session that takes over and has the channel, and is compared at once', async () => {
    stage = new CoreStage();
    refuseTaker(1);
    await stage.start();
    stage.core.machines.rotate();
    await stage.pass(5 * second);
    expect(told()).toEqual([
      ['open', 1, [taker]],
      ['closed', 1, true],
    ]);
    expect(stage.facts.find(({ type }) => type === 'session.rotated')).toMatchObject({ added: [taker] });
  });

  test('ends when nobody wants the channel any more', async () => {
    stage = new CoreStage();
    refuseTaker(99);
    await stage.start();
    stage.reload({ 'session.channels': 'rfq.maker' });
    await stage.pass(5 * second);
    expect(told()).toEqual([
      ['open', 1, [taker]],
      ['closed', 1, true],
    ]);
  });

  test('ends so as well where nothing is reconciled', async () => {
    stage = new CoreStage({ flags: { 'reconcile.enabled': 'false' } });
    refuseTaker(99);
    await stage.start();
    stage.reload({ 'session.channels': 'rfq.maker', 'reconcile.enabled': 'false' });
    await stage.pass(second);
    expect(told()).toEqual([
      ['open', 1, [taker]],
      ['closed', 1, 'not-attempted'],
    ]);
  });

  test('begins for one that a reload has added when it was wanted', async () => {
    stage = await CoreStage.open({ flags: { 'session.channels': 'rfq.maker' } });
    await stage.pass(minute);
    refuseTaker(99);
    const wantedAt = stage.clock.wall();
    stage.reload({ 'session.channels': 'rfq.maker,rfq.taker' });
    await stage.pass(second);
    expect(stage.gaps).toEqual([{ phase: 'open', id: 1, cause, since: wantedAt, channels: [taker] }]);
  });

  test('begins also where the venue does not answer, as nobody knows whether it sends the channel', async () => {
    stage = await CoreStage.open({ flags: { 'session.channels': 'rfq.maker' } });
    await stage.pass(minute);
    stage.venue.inject({ kind: 'no-reply', method: 'v1/subscribe', times: 1 });
    const wantedAt = stage.clock.wall();
    stage.reload({ 'session.channels': 'rfq.maker,rfq.taker' });
    await stage.pass(30 * second);
    expect(told()).toEqual([
      ['open', 1, [taker]],
      ['closed', 1, true],
    ]);
    expect(stage.gaps[0]).toMatchObject({ since: wantedAt });
  });

  test('is none for a channel that is confirmed when it is asked for', async () => {
    stage = await CoreStage.open({ flags: { 'session.channels': 'rfq.maker' } });
    stage.reload({ 'session.channels': 'rfq.maker,rfq.taker' });
    await stage.pass(10 * second);
    expect(stage.gaps).toEqual([]);
  });
});

test('the next run goes on with what was not heard when the last one was stopped', async () => {
  stage = new CoreStage();
  refuseTaker(99);
  await stage.start();
  await stage.pass(10 * second);
  const { clock, store, venue } = stage;
  await stage.stop();
  venue.clearFaults();
  stage = await CoreStage.open({ clock, store, venue });
  await stage.pass(5 * second);
  expect(told().toSorted()).toEqual([
    ['closed', 1, true],
    ['closed', 2, true],
    ['open', 1, [taker]],
    ['open', 2, channels],
  ]);
});
