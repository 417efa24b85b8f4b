import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { ack, allChannels, closed, lost, outputOf, SessionStage } from './support/session-stage.ts';

const second = 1_000;
const all = { confirmed: allChannels, refused: [] };
const partly = { confirmed: ['rfq.maker'], refused: ['rfq.taker'] };
const limited = (retryAfterMs?: number) => failure('rate-limited', 'v1/subscribe: too many requests', retryAfterMs);

let stage: SessionStage;
beforeEach(async () => {
  stage = new SessionStage();
  await stage.send({ type: 'socket.opened', session: 7 });
  await stage.answer('authenticate', 1);
});
afterEach(() => stage.strikeLeavingNothing());

describe('a limit on the first subscription', () => {
  test('is waited for on the open session, as long as the venue asked', async () => {
    await stage.refuse('subscribe', limited(9 * second));
    expect([stage.state, stage.commands]).toEqual([
      { subscribing: { heartbeat: 'resting', subscription: 'limited' } },
      [],
    ]);
    await stage.time.advance(9 * second - 1);
    expect(stage.asked('subscribe')).toEqual([0]);
    await stage.time.advance(1);
    expect(stage.asked('subscribe')).toEqual([0, 9 * second]);
    expect(stage.calls.at(-1)?.input).toEqual({ session: 7, channels: allChannels });
    await stage.answer('subscribe', all);
    expect(stage.reports.at(-1)).toEqual({ type: 'session.live', id: 7, ...all });
  });

  test("is told, with the venue's words and when it is over, until the venue has answered", async () => {
    await stage.time.advance(second);
    await stage.refuse('subscribe', limited(9 * second));
    const { subscriptionFailure, limitedUntil } = stage.actor.getSnapshot().context;
    expect([subscriptionFailure, limitedUntil]).toEqual([limited(9 * second), 10 * second]);
    expect(stage.reports.at(-1)).toEqual({
      type: 'session.subscription-limited',
      id: 7,
      failure: limited(9 * second),
      retryInMs: 9 * second,
    });
    await stage.time.advance(9 * second);
    await stage.answer('subscribe', all);
    const context = stage.actor.getSnapshot().context;
    expect([context.subscriptionFailure, context.limitedUntil]).toEqual([null, null]);
  });

  test('is waited for ever longer, where the venue does not say how long', async () => {
    for (const wait of [16, 32, 48]) {
      await stage.refuse('subscribe', limited());
      const asked = stage.asked('subscribe').length;
      await stage.pass(wait * second - 1);
      expect(stage.asked('subscribe')).toHaveLength(asked);
      await stage.pass(1);
      expect(stage.asked('subscribe')).toHaveLength(asked + 1);
    }
  });

  test('is waited for ever longer, where the time that the venue named was too short, as 0 s is', async () => {
    for (const wait of [1, 2, 4, 8, 16, 32, 60, 60]) {
      await stage.refuse('subscribe', limited(0));
      const asked = stage.asked('subscribe').length;
      await stage.pass(wait * second - 1);
      expect(stage.asked('subscribe')).toHaveLength(asked);
      await stage.pass(1);
      expect(stage.asked('subscribe')).toHaveLength(asked + 1);
    }
  });

  test('leaves the heartbeats going, counted from the connection on', async () => {
    await stage.refuse('subscribe', limited(60 * second));
    await stage.pass(45 * second);
    expect(stage.asked('heartbeat')).toEqual([10, 20, 30, 40].map((seconds) => seconds * second));
    expect(stage.reports.filter(({ type }) => type === 'session.heartbeat')).toHaveLength(4);
  });

  test('does not hide a dead link: a heartbeat that fails ends the session', async () => {
    const dead = failure('half-open', 'no heartbeat reply within 5000 ms');
    await stage.refuse('subscribe', limited(60 * second));
    await stage.time.advance(15 * second);
    await stage.refuse('heartbeat', dead);
    expect([stage.state, stage.output]).toEqual([
      'closed',
      outputOf({
        failure: dead,
        authenticatedForMs: 15 * second,
        proof: { provenAt: null, heartbeatSentAt: 10 * second, rttMs: 0 },
      }),
    ]);
  });

  test('is no reason to stay where the socket closes', async () => {
    await stage.refuse('subscribe', limited(60 * second));
    await stage.send(closed(7));
    expect([stage.state, stage.output?.failure]).toEqual(['closed', lost]);
  });

  test('says nothing about the pauses before refused channels are asked for again, once it is over', async () => {
    await stage.refuse('subscribe', limited(600 * second));
    await stage.pass(600 * second);
    await stage.answer('subscribe', partly);
    await stage.pass(60 * second - 1);
    expect(stage.asked('subscribe')).toHaveLength(2);
    await stage.pass(1);
    expect(stage.asked('subscribe')).toHaveLength(3);
  });
});

describe('a limit on a later subscription', () => {
  test('is waited for as long as the venue asked, and then no longer', async () => {
    await stage.answer('subscribe', partly);
    await stage.pass(30 * second);
    await stage.refuse('subscribe', limited(400 * second));
    await stage.pass(400 * second - 1);
    expect(stage.asked('subscribe')).toHaveLength(2);
    await stage.pass(1);
    expect(stage.asked('subscribe')).toHaveLength(3);
    await stage.answer('subscribe', { confirmed: [], refused: ['rfq.taker'] });
    await stage.pass(120 * second - 1);
    expect(stage.asked('subscribe')).toHaveLength(3);
    await stage.pass(1);
    expect(stage.asked('subscribe')).toHaveLength(4);
  });
});

describe('when the clock jumps', () => {
  test('a live session proves its link at once, and goes on in the rhythm of that', async () => {
    await stage.answer('subscribe', all);
    await stage.answer('heartbeat', ack);
    await stage.time.advance(2 * second);
    await stage.send({ type: 'clock.jumped' });
    expect(stage.asked('heartbeat')).toEqual([0, 2 * second]);
    await stage.answer('heartbeat', ack);
    await stage.time.advance(10 * second);
    expect(stage.asked('heartbeat')).toEqual([0, 2 * second, 12 * second]);
  });

  test('so does one that waits for a limit', async () => {
    await stage.refuse('subscribe', limited(60 * second));
    await stage.send({ type: 'clock.jumped' });
    expect(stage.asked('heartbeat')).toEqual([0]);
  });

  test('a heartbeat that is on its way is proof enough', async () => {
    await stage.answer('subscribe', all);
    await stage.send({ type: 'clock.jumped' });
    expect(stage.asked('heartbeat')).toEqual([0]);
  });

  test('a session that is closing is left alone', async () => {
    await stage.send({ type: 'close', failure: lost });
    await stage.send({ type: 'clock.jumped' });
    expect([stage.state, stage.asked('heartbeat')]).toEqual(['closing', []]);
  });
});
