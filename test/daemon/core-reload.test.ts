import { afterEach, describe, expect, test } from 'vitest';
import { CoreStage, channels } from './support/core-stage.ts';

const second = 1_000;

let stage: CoreStage;
afterEach(() => stage.stopSoundly());

describe('a reload', () => {
  const two = { 'session.channels': 'rfq.maker,rfq.taker' };
  const subscriptions = () => stage.venue.stats.openConnections.map(({ channels: held }) => held);
  const published = (channel: 'rfq.maker' | 'rfq_quote.maker', rfqId: number) =>
    stage.venue.publish(channel, { rfqId, status: 'open' });
  const ids = (channel: string) =>
    stage.on<{ params: { data: { rfqId: number } } }>(channel).map(({ params }) => params.data.rfqId);

  test('subscribes and unsubscribes on the live session, and what is sent meanwhile is in the log', async () => {
    stage = await CoreStage.open({ flags: two });
    expect(subscriptions()).toEqual([['rfq.maker', 'rfq.taker']]);
    stage.reload({ 'session.channels': 'rfq.maker,rfq_quote.maker' });
    // Sent before the venue can know of it.
    published('rfq.maker', 1);
    await stage.pass(0);
    published('rfq.maker', 2);
    published('rfq_quote.maker', 3);
    await stage.pass(0);
    expect([subscriptions(), stage.venue.stats.dials]).toEqual([[['rfq.maker', 'rfq_quote.maker']], 1]);
    expect([ids('rfq.maker'), ids('rfq_quote.maker'), stage.gaps]).toEqual([[1, 2], [3], []]);
    expect(stage.core.channels).toEqual(['rfq.maker', 'rfq_quote.maker']);
    const told = stage.told.filter((type) => type !== 'reconcile.finished');
    expect(told.slice(-2)).toEqual(['session.resubscribed', 'session.unsubscribed']);
  });

  test('that drops a channel drops nothing that is still on its way', async () => {
    stage = await CoreStage.open();
    stage.venue.inject({ kind: 'delay', ms: 300 });
    published('rfq_quote.maker', 1);
    stage.reload(two);
    await stage.pass(second);
    expect([ids('rfq_quote.maker'), subscriptions()]).toEqual([[1], [['rfq.maker', 'rfq.taker']]]);
  });

  test('is what the next gap is about; the one that is open is followed by gaps of what has come in', async () => {
    stage = await CoreStage.open({ flags: two });
    await stage.pass(5 * second);
    stage.venue.inject({ kind: 'down', forMs: 3 * second });
    await stage.pass(0);
    stage.reload({});
    await stage.pass(30 * second);
    stage.dropAll();
    await stage.pass(30 * second);
    const told = stage.gaps.flatMap((gap) => (gap.phase === 'open' ? [gap.channels] : []));
    expect(told).toEqual([['rfq.maker', 'rfq.taker'], ['rfq_quote.maker'], ['rfq_quote.taker'], channels]);
    expect(subscriptions()).toEqual([channels]);
  });

  test('while the venue refuses what is added leaves it degraded with the reason, until it does not', async () => {
    stage = await CoreStage.open({ flags: two });
    stage.venue.inject({ kind: 'partial-subscription', channels: ['rfq_quote.maker'], times: 1 });
    stage.reload({});
    await stage.pass(second);
    expect(stage.states.at(-1)).toMatchObject({
      state: 'degraded',
      reason: 'subscriptions: the venue refuses rfq_quote.maker; 3 of 4 channels are live',
    });
    await stage.pass(30 * second);
    expect(stage.states.at(-1)).toMatchObject({ state: 'live', reason: 'authenticated, 4 of 4 channels confirmed' });
  });

  test('where the venue does not let go of a channel says so, and a session that takes over is without it', async () => {
    stage = await CoreStage.open();
    stage.venue.inject({ kind: 'unknown-method', method: 'v1/unsubscribe' });
    stage.reload(two);
    await stage.pass(second);
    expect(stage.states.at(-1)).toMatchObject({
      state: 'degraded',
      reason: expect.stringMatching(
        /^subscriptions: rfq_quote.maker, rfq_quote.taker could not be given up: v1\/unsubs/,
      ),
    });
    published('rfq_quote.maker', 1);
    await stage.pass(0);
    expect(ids('rfq_quote.maker')).toEqual([1]);
    stage.core.machines.rotate();
    await stage.pass(5 * second);
    expect([subscriptions(), stage.states.at(-1)?.state]).toEqual([[['rfq.maker', 'rfq.taker']], 'live']);
  });

  test('during a rotation at any moment ends with what is wanted, and each event once', async () => {
    for (const moment of [0, 1, 2, 3, 50, 400, 450, 500, 850, 900, 1_250, 1_300, 1_700]) {
      stage = await CoreStage.open({ flags: two });
      stage.venue.inject({ kind: 'delay', ms: 400 });
      stage.core.machines.rotate();
      let next = 1;
      const flow = () => {
        published('rfq.maker', next);
        published('rfq_quote.maker', next);
        next += 1;
      };
      for (let at = 0; at < 4_000; at += 50) {
        if (Math.abs(at - moment) < 50 && stage.core.channels.length === 2) {
          await stage.pass(Math.max(0, moment - at));
          stage.reload({ 'session.channels': 'rfq.maker,rfq_quote.maker' });
        }
        flow();
        await stage.pass(50);
      }
      await stage.pass(second);
      const quotes = ids('rfq_quote.maker');
      expect(subscriptions()).toEqual([['rfq.maker', 'rfq_quote.maker']]);
      expect(ids('rfq.maker')).toEqual(Array.from({ length: next - 1 }, (_, index) => index + 1));
      expect(quotes).toEqual(quotes.map((_, index) => (quotes[0] ?? 0) + index));
      expect(quotes.at(-1)).toBe(next - 1);
      // A rotation may keep the channel waiting for longer than an answer takes.
      const waited = stage.gaps.flatMap((gap) => (gap.phase === 'open' ? gap.channels : []));
      expect([[], ['rfq_quote.maker']]).toContainEqual(waited);
      if (moment !== 1_700) await stage.stop();
    }
  });
});
