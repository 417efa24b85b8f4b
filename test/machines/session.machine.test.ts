import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FailureError, failure } from '../../src/protocol/failure.ts';
import { ack, allChannels, closed, lost, outputOf, renewed, SessionStage, unproven } from './support/session-stage.ts';

const second = 1_000;
/** Authenticated at this very moment, on a socket that opened at 0: the venue counts heartbeats from there. */
const authenticated = { authenticatedForMs: 0, proof: { ...unproven, heartbeatSentAt: 0 } };
const asking = { heartbeat: 'resting', subscription: 'asking' };
const atWork = { heartbeat: 'beating', renewal: 'current', subscriptions: 'complete' };

let stage: SessionStage;
beforeEach(() => {
  stage = new SessionStage();
});
afterEach(() => stage.strikeLeavingNothing());

const callsInOrder = () => stage.calls.map(({ name, input }) => ({ name, ...input }));

describe('the order of a session', () => {
  test('is connect, authenticate, subscribe, live: each only after the one before has succeeded', async () => {
    expect([stage.state, callsInOrder()]).toEqual(['connecting', []]);

    await stage.send({ type: 'socket.opened', session: 7 });
    expect([stage.state, callsInOrder()]).toEqual(['authenticating', [{ name: 'authenticate', session: 7 }]]);
    expect(stage.reports).toEqual([]);

    await stage.answer('authenticate', 1);
    expect(stage.state).toEqual({ subscribing: asking });
    expect(callsInOrder()).toEqual([
      { name: 'authenticate', session: 7 },
      { name: 'subscribe', session: 7, channels: allChannels },
    ]);
    expect(stage.reports).toEqual([{ type: 'session.authenticated', id: 7 }]);

    await stage.answer('subscribe', { confirmed: allChannels, refused: [] });
    expect(stage.state).toEqual({ live: atWork });
    expect(stage.reports).toEqual([
      { type: 'session.authenticated', id: 7 },
      { type: 'session.live', id: 7, confirmed: allChannels, refused: [] },
    ]);
  });

  test('holds when the socket says twice that it is open', async () => {
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.send({ type: 'socket.opened', session: 7 });
    expect([stage.state, stage.asked('authenticate')]).toEqual(['authenticating', [0]]);
  });

  test('is live with a refusal known, and tells which channels it covers', async () => {
    await stage.goLive({ confirmed: ['rfq.maker'], refused: ['rfq.taker'] });
    expect(stage.state).toEqual({ live: { ...atWork, subscriptions: 'partial' } });
    expect(stage.reports.at(-1)).toEqual({
      type: 'session.live',
      id: 7,
      confirmed: ['rfq.maker'],
      refused: ['rfq.taker'],
    });
  });

  test('is never live while a subscription is unanswered', async () => {
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.answer('authenticate', 1);
    await stage.send(renewed(2));
    await stage.time.advance(10 * second);
    for (let beats = 0; beats < 360; beats++) {
      await stage.answer('heartbeat', ack);
      await stage.time.advance(10 * second);
    }
    expect([stage.state, stage.asked('heartbeat').length]).toEqual([
      { subscribing: { ...asking, heartbeat: 'beating' } },
      361,
    ]);
  });
});

describe('a session that does not come about', () => {
  test('gives up connecting after the time-out, without a handshake', async () => {
    await stage.time.advance(10 * second - 1);
    expect(stage.state).toBe('connecting');
    await stage.time.advance(1);
    expect([stage.state, stage.commands]).toEqual(['closed', []]);
    const found = failure('connect-timeout', 'no connection within 10000 ms');
    expect(stage.output).toEqual(outputOf({ failure: found, wasOpen: false }));
  });

  test.each([
    failure('token-refused', 'auth: invalid token'),
    failure('permission-denied', 'auth: not on the allow-list'),
    failure('reply-timeout', 'auth: no answer within 10000 ms'),
  ])('closes with the failure of its authentication: $code', async (found) => {
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.refuse('authenticate', found);
    expect([stage.state, stage.commands]).toEqual(['closing', [{ at: 0, type: 'hang up', session: 7 }]]);
    await stage.send(closed(7));
    expect(stage.output).toEqual(outputOf({ failure: found }));
  });

  test('blames the token it presented, not one that came while the venue thought about it', async () => {
    const found = failure('token-refused', 'auth: invalid token');
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.send(renewed(2));
    await stage.refuse('authenticate', found);
    await stage.time.advance(second);
    expect(stage.output).toEqual(outputOf({ failure: found }));
  });

  test('blames the token that came while it was connecting, as that is the one it presented', async () => {
    const found = failure('token-refused', 'auth: invalid token');
    await stage.send(renewed(2));
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.refuse('authenticate', found);
    await stage.time.advance(second);
    expect(stage.output).toEqual(outputOf({ failure: found, token: 2 }));
  });

  test('closes with the failure of its subscription', async () => {
    const found = failure('permission-denied', 'v1/subscribe: not on the allow-list');
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.answer('authenticate', 1);
    await stage.refuse('subscribe', found);
    await stage.send(closed(7));
    expect(stage.output).toEqual(outputOf({ failure: found, ...authenticated }));
  });

  test('takes an error that no adapter classified for a fault of figd', async () => {
    await stage.send({ type: 'socket.opened', session: 7 });
    stage.calls.at(-1)?.reject(new TypeError('x is not a function'));
    await stage.time.advance(second);
    expect(stage.output).toMatchObject({ failure: failure('internal', 'TypeError: x is not a function') });
  });
});

describe('the end of a session', () => {
  const reach: Readonly<Record<string, () => Promise<void>>> = {
    connecting: async () => {},
    authenticating: () => stage.send({ type: 'socket.opened', session: 7 }),
    subscribing: async () => {
      await stage.send({ type: 'socket.opened', session: 7 });
      await stage.answer('authenticate', 1);
    },
    live: () => stage.goLive(),
    closing: () => stage.send({ type: 'close', failure: lost }),
  };

  test.each(Object.keys(reach))('comes at once when the socket closes while %s', async (state) => {
    await reach[state]?.();
    await stage.send(closed(7));
    expect(stage.state).toBe('closed');
    expect(stage.output).toEqual(
      outputOf({
        failure: lost,
        ...(state === 'subscribing' || state === 'live' ? authenticated : {}),
        liveForMs: state === 'live' ? 0 : null,
        wasOpen: state !== 'connecting' && state !== 'closing',
      }),
    );
    expect(stage.calls.every(({ name, signal }) => signal.aborted || name !== 'heartbeat')).toBe(true);
  });

  test.each(Object.keys(reach))('starts with a handshake when it is told to close while %s', async (state) => {
    await reach[state]?.();
    await stage.send({ type: 'close', failure: failure('on-request', 'figd is stopping') });
    expect([stage.state, stage.commands]).toEqual(['closing', [{ at: 0, type: 'hang up', session: 7 }]]);
  });

  test('waits one second for the handshake, and not longer', async () => {
    await stage.time.advance(second);
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.time.advance(second);
    await stage.answer('authenticate', 1);
    await stage.time.advance(second);
    await stage.answer('subscribe', { confirmed: allChannels, refused: [] });
    await stage.time.advance(3 * second);
    const asked = failure('on-request', 'somebody asked figd to reconnect');
    await stage.send({ type: 'close', failure: asked });
    await stage.time.advance(second - 1);
    expect([stage.state, stage.sockets.disposed]).toEqual(['closing', 0]);
    await stage.time.advance(1);
    expect(stage.output).toEqual(
      outputOf({
        failure: asked,
        liveForMs: 4 * second,
        authenticatedForMs: 5 * second,
        proof: { ...unproven, heartbeatSentAt: 3 * second },
      }),
    );
  });

  test('has the first reason it was given, whatever comes after', async () => {
    const first = failure('on-request', 'figd is stopping');
    await stage.goLive();
    await stage.send({ type: 'close', failure: first });
    await stage.time.advance(second / 2);
    await stage.send({ type: 'close', failure: failure('renewal', 'a second reason') });
    await stage.refuse('heartbeat', failure('half-open', 'a third reason'));
    await stage.time.advance(second / 2);
    expect([stage.commands, stage.output]).toEqual([
      [{ at: 0, type: 'hang up', session: 7 }],
      outputOf({ failure: first, ...authenticated, liveForMs: second, authenticatedForMs: second }),
    ]);
  });

  test('stops everything the session was doing', async () => {
    await stage.goLive({ confirmed: [], refused: allChannels });
    await stage.send({ type: 'close', failure: lost });
    expect(stage.calls.at(-1)).toMatchObject({ name: 'heartbeat', signal: { aborted: true } });
    await stage.time.advance(3_600 * second);
    expect([stage.asked('heartbeat'), stage.asked('subscribe')]).toEqual([[0], [0]]);
  });

  test('is a failure, not a crash, when the sockets themselves throw', async () => {
    stage.actor.send({ type: 'xstate.error.actor.sockets', error: new FailureError(lost) } as never);
    expect([stage.state, stage.output?.failure]).toEqual(['closed', lost]);
  });
});
