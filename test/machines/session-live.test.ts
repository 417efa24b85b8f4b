import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { ack, allChannels, closed, lost, outputOf, renewed, SessionStage, unproven } from './support/session-stage.ts';

const second = 1_000;
const minute = 60 * second;

let stage: SessionStage;
const open = (settings: ConstructorParameters<typeof SessionStage>[0] = {}) => {
  stage?.strike();
  stage = new SessionStage(settings);
};
beforeEach(() => {
  open();
});
afterEach(() => stage.strikeLeavingNothing());

/** Answers heartbeats as they leave, each after the pause given, until the pauses are used up. */
async function beat(pauses: readonly number[]): Promise<void> {
  for (const pause of pauses) {
    const sent = stage.asked('heartbeat').length;
    await stage.time.advance(pause);
    await stage.answer('heartbeat', ack);
    while (stage.asked('heartbeat').length === sent) await stage.time.toNextTimer();
  }
}

describe('heartbeats', () => {
  test('leave every 10 s, counted from departure, however slow the replies are', async () => {
    await stage.goLive();
    await beat([0, 4_999, 1, 5_000, 3_000]);
    expect(stage.asked('heartbeat')).toEqual([0, 10, 20, 30, 40, 50].map((seconds) => seconds * second));
  });

  test('leave one at a time: where a reply takes longer than the interval, the next leaves with it', async () => {
    open({ heartbeatInterval: 3 * second });
    await stage.goLive();
    await beat([5_000, 0, 4_000]);
    expect(stage.asked('heartbeat')).toEqual([0, 5_000, 8_000, 12_000]);
  });

  test('are told to the supervisor with their round trip, and kept with their moment', async () => {
    await stage.goLive();
    await stage.time.advance(40);
    await stage.answer('heartbeat', ack);
    expect(stage.reports.at(-1)).toEqual({ type: 'session.heartbeat', id: 7, ...ack });
    expect(stage.actor.getSnapshot().context.lastHeartbeat).toEqual({ ...ack, at: 40 });
  });

  test('that fail end the session at once, without a handshake nobody would answer', async () => {
    const dead = failure('half-open', 'no heartbeat reply within 5000 ms: the connection is dead');
    await stage.goLive();
    await beat([0]);
    await stage.time.advance(5 * second);
    await stage.refuse('heartbeat', dead);
    expect([stage.state, stage.commands, stage.sockets.disposed]).toEqual(['closed', [], 1]);
    expect(stage.output).toEqual(
      outputOf({
        failure: dead,
        liveForMs: 15 * second,
        authenticatedForMs: 15 * second,
        proof: { provenAt: -4, heartbeatSentAt: 10 * second, rttMs: 4 },
      }),
    );
  });

  const busy = failure('server-error', 'heartbeat: error -32603, "internal error"');
  const limited = failure('rate-limited', 'heartbeat: error 429, "slow down"');

  test.each([busy, limited])(
    'that the venue answers with a refusal ($code) are told, and sent again after 2 s',
    async (refusal) => {
      await stage.goLive();
      await stage.time.advance(40);
      await stage.answer('heartbeat', { rttMs: 40, clockOffsetMs: null, refusal });
      expect(stage.reports.at(-1)).toEqual({
        type: 'session.heartbeat',
        id: 7,
        rttMs: 40,
        clockOffsetMs: null,
        refusal,
      });
      expect(stage.part('heartbeat')).toBe('resting');
      await stage.time.advance(2 * second - 41);
      expect(stage.asked('heartbeat')).toEqual([0]);
      await stage.time.advance(1);
      expect(stage.asked('heartbeat')).toEqual([0, 2 * second]);
      await stage.answer('heartbeat', ack);
      await stage.time.advance(10 * second);
      expect(stage.asked('heartbeat')).toEqual([0, 2 * second, 12 * second]);
    },
  );

  test('that are refused are not sent more rarely than the interval', async () => {
    open({ heartbeatInterval: second });
    await stage.goLive();
    await stage.answer('heartbeat', { ...ack, refusal: busy });
    await stage.time.advance(second);
    expect(stage.asked('heartbeat')).toEqual([0, second]);
  });

  test('that are refused prove the link all the same', async () => {
    await stage.goLive();
    await stage.time.advance(40);
    await stage.answer('heartbeat', { rttMs: 40, clockOffsetMs: null, refusal: busy });
    await stage.send(closed(7));
    expect(stage.output?.proof).toEqual({ provenAt: 0, heartbeatSentAt: 0, rttMs: 40 });
  });

  test('are all that decides: an hour without data ends nothing', async () => {
    await stage.goLive();
    await beat(Array.from({ length: 360 }, () => 2));
    expect([stage.time.now(), stage.asked('heartbeat').length, stage.part('heartbeat')]).toEqual([
      60 * minute,
      361,
      'beating',
    ]);
  });
});

describe('a renewed token', () => {
  test('is taken up in place, on the same socket', async () => {
    await stage.goLive();
    await stage.send(renewed(2));
    expect([stage.part('renewal'), stage.calls.at(-1)?.input]).toEqual(['renewing in place', { session: 7 }]);

    await stage.answer('renewInPlace', 2);
    expect(stage.part('renewal')).toBe('current');
    expect(stage.reports.at(-1)).toEqual({ type: 'session.renewed', id: 7, generation: 2 });

    await stage.send(closed(7));
    const proof = { ...unproven, heartbeatSentAt: 0 };
    expect(stage.output).toEqual(outputOf({ failure: lost, token: 2, liveForMs: 0, authenticatedForMs: 0, proof }));
  });

  test('leaves the rhythm of heartbeats as it was', async () => {
    await stage.goLive();
    await stage.answer('heartbeat', ack);
    await stage.time.advance(7 * second);
    await stage.send(renewed(2));
    await stage.answer('renewInPlace', 2);
    await stage.time.advance(3 * second);
    expect(stage.asked('heartbeat')).toEqual([0, 10 * second]);
  });

  test('that came before the session was live is taken up as soon as it is', async () => {
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.send(renewed(2));
    await stage.answer('authenticate', 1);
    expect(stage.asked('renewInPlace')).toEqual([]);
    await stage.answer('subscribe', { confirmed: allChannels, refused: [] });
    expect([stage.part('renewal'), stage.asked('renewInPlace')]).toEqual(['renewing in place', [0]]);
  });

  test('that the session was authenticated with already asks for nothing', async () => {
    await stage.send(renewed(2));
    await stage.goLive(undefined, 2);
    await stage.send(renewed(1));
    expect([stage.part('renewal'), stage.asked('renewInPlace')]).toEqual(['current', []]);
  });

  test('is not forgotten for an older one that is told of later', async () => {
    await stage.send(renewed(3));
    await stage.send(renewed(2));
    await stage.goLive(undefined, 2);
    expect(stage.part('renewal')).toBe('renewing in place');
  });

  test('that comes while an older one is being taken up is taken up next', async () => {
    await stage.goLive();
    await stage.send(renewed(2));
    await stage.send(renewed(3));
    expect(stage.asked('renewInPlace')).toHaveLength(1);
    await stage.answer('renewInPlace', 2);
    expect(stage.asked('renewInPlace')).toHaveLength(2);
    await stage.answer('renewInPlace', 3);
    expect([stage.part('renewal'), stage.asked('renewInPlace').length]).toEqual(['current', 2]);
  });

  test('that the venue does not take in place leaves the session stale, not closed, where only that is wanted', async () => {
    open({ renewal: 'in-place' });
    const found = failure('rpc-error', 'auth/refresh: method not found');
    await stage.goLive();
    await stage.send(renewed(2));
    await stage.refuse('renewInPlace', found);
    expect([stage.part('renewal'), stage.commands]).toEqual(['stale', []]);
    expect(stage.reports.at(-1)).toEqual({ type: 'session.rotation-failed', id: 7, failure: found, token: 2 });
    expect(stage.actor.getSnapshot().context.renewalFailure).toEqual(found);
  });

  test('that a renewal did not bring ends the session, instead of asking the venue in a loop', async () => {
    await stage.goLive();
    await stage.send(renewed(2));
    await stage.answer('renewInPlace', 1);
    expect([stage.state, stage.asked('renewInPlace')]).toEqual(['closing', [0]]);
    await stage.time.advance(second);
    expect(stage.output?.failure).toEqual(failure('renewal', 'the renewal in place brought no newer token'));
  });

  test('means a new session where session.renewal is reconnect', async () => {
    open({ renewal: 'reconnect' });
    await stage.goLive();
    await stage.send(renewed(2));
    expect([stage.state, stage.asked('renewInPlace')]).toEqual(['closing', []]);
    await stage.time.advance(second);
    expect(stage.output).toEqual(
      outputOf({
        failure: failure('renewal', 'session.renewal is reconnect: a new token means a new session'),
        liveForMs: second,
        authenticatedForMs: second,
        proof: { ...unproven, heartbeatSentAt: 0 },
      }),
    );
  });
});

describe('channels that the venue refused', () => {
  const partly = { confirmed: ['rfq.maker'], refused: ['rfq.taker'] };

  test('are asked for again after 30 s, 60 s, 2 min, 4 min, then every 5 min', async () => {
    await stage.goLive(partly);
    for (const [index, wait] of [30, 60, 120, 240, 300, 300].entries()) {
      await stage.time.advance(wait * second - 1);
      expect(stage.asked('subscribe')).toHaveLength(index + 1);
      await stage.time.advance(1);
      expect(stage.asked('subscribe')).toHaveLength(index + 2);
      expect(stage.calls.at(-1)?.input).toEqual({ session: 7, channels: ['rfq.taker'] });
      // A refusal and a failed request count alike.
      if (index % 2 === 0) await stage.answer('subscribe', { confirmed: [], refused: ['rfq.taker'] });
      else await stage.refuse('subscribe', failure('reply-timeout', 'v1/subscribe: no answer within 5000 ms'));
      expect(stage.part('subscriptions')).toBe('partial');
    }
  });

  test('complete the session once they are confirmed', async () => {
    await stage.goLive(partly);
    await stage.time.advance(30 * second);
    await stage.answer('subscribe', { confirmed: ['rfq.taker'], refused: [] });
    expect(stage.part('subscriptions')).toBe('complete');
    expect(stage.reports.at(-1)).toEqual({
      type: 'session.resubscribed',
      id: 7,
      added: ['rfq.taker'],
      confirmed: ['rfq.maker', 'rfq.taker'],
      refused: [],
    });
    await stage.time.advance(60 * minute);
    expect(stage.asked('subscribe')).toEqual([0, 30 * second]);
  });
});
