import { afterEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { DaemonStage, lifeOf, never, refuseWith } from './support/daemon-stage.ts';
import { lost } from './support/session-stage.ts';
import { requested } from './support/token-stage.ts';
import { settle } from './support/virtual-time.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const badKey = failure('credentials-refused', 'token request: HTTP 401');
const asked = failure('on-request', 'somebody asked figd to reconnect');
const stopping = failure('on-request', 'figd is stopping');

let stage: DaemonStage;
const open = async (...given: ConstructorParameters<typeof DaemonStage>) => {
  stage = new DaemonStage(...given);
  await stage.time.advance(0);
};
afterEach(() => {
  stage.strikeLeavingNothing();
  expect(stage.sockets.most).toBeLessThanOrEqual(1);
});

describe('reconnect', () => {
  test('drops a live session and dials again at once', async () => {
    await open();
    await stage.time.advance(minute);
    stage.takeFacts();
    await stage.send({ type: 'reconnect' });
    await stage.time.advance(0);
    expect(stage.dials).toEqual([0, minute]);
    expect(stage.takeFacts()).toEqual([
      { type: 'session.closed', id: 1, failure: asked, liveForMs: minute, retryInMs: 0 },
      {
        type: 'gap.opened',
        cause: 'on-request',
        session: 1,
        proof: { provenAt: minute - 4, heartbeatSentAt: minute, rttMs: 4 },
      },
      { type: 'session.dialled', id: 2, attempt: 1, cause: 'on-request' },
      ...lifeOf(2),
    ]);
  });

  test('is no failure: what fails after it waits as if it were the first', async () => {
    await open();
    for (let times = 0; times < 5; times += 1) {
      await stage.send({ type: 'reconnect' });
      await stage.time.advance(100);
    }
    stage.takeFacts();
    await stage.drop(failure('rate-limited', 'close 4429'));
    expect(stage.takeFacts()[0]).toMatchObject({ type: 'session.closed', retryInMs: 16 * second * 1.05 });
  });

  test('does not wait for a venue that answers no closing handshake', async () => {
    await open({ hangsUp: false });
    await stage.send({ type: 'reconnect' });
    await stage.send({ type: 'reconnect' });
    await stage.time.advance(second + 1);
    expect([stage.sessionState, stage.dials]).toEqual(['live', [0, second + 1]]);
  });

  test('cuts a backoff short', async () => {
    await open();
    await stage.drop(failure('too-many-sessions', 'close 1013'));
    await stage.time.advance(second);
    expect([stage.state, stage.dials]).toEqual(['backing off', [0]]);
    await stage.send({ type: 'reconnect' });
    await stage.time.advance(0);
    expect([stage.sessionState, stage.dials]).toEqual(['live', [0, second]]);
  });

  test('asks for a token while there is none', async () => {
    await open({ grant: () => refuseWith(badKey) });
    expect([stage.state, stage.tokenState]).toEqual(['awaiting a token', 'blocked']);
    stage.venue.grant = async () => ({ lifeMs: hour });
    await stage.send({ type: 'reconnect' });
    await stage.time.advance(5 * second);
    expect([stage.sessionState, stage.requests]).toEqual(['live', [0, 5 * second]]);
  });

  test('given as fast as somebody can type dials ten times a minute, not more', async () => {
    await open();
    for (let times = 0; times < 300; times++) {
      await stage.send({ type: 'reconnect' });
      await stage.time.advance(100);
    }
    expect(stage.dials).toHaveLength(10);
    expect([stage.state, stage.context.heldByCeiling, stage.context.nextDialAt]).toEqual(['backing off', true, minute]);
    await stage.time.advance(minute - stage.time.now());
    expect(stage.dials.slice(10)).toEqual([minute]);
  });
});

describe('refresh', () => {
  test('renews the token of a live session, which goes on', async () => {
    await open();
    await stage.time.advance(minute);
    await stage.send({ type: 'refresh' });
    await stage.time.advance(0);
    expect([stage.requests, stage.dials, stage.context.token]).toEqual([
      [0, minute],
      [0],
      { generation: 2, expiresAt: hour + minute, usable: true },
    ]);
  });

  test('dials at once when the venue had refused the session', async () => {
    await open({ authenticate: () => refuseWith(failure('permission-denied', 'auth: not on the allow-list')) });
    await stage.time.advance(10 * second);
    stage.venue.authenticate = async (_, token) => token;
    await stage.send({ type: 'refresh' });
    await stage.time.advance(0);
    expect([stage.sessionState, stage.dials]).toEqual(['live', [0, 10 * second]]);
  });

  test('does not cut short the backoff after a loss: it has nothing to do with the token', async () => {
    await open();
    await stage.time.advance(minute);
    await stage.drop(failure('too-many-sessions', 'close 1013'));
    await stage.send({ type: 'refresh' });
    await stage.time.advance(16 * second);
    expect([stage.state, stage.dials, stage.requests]).toEqual(['backing off', [0], [0, minute]]);
  });
});

describe('stop', () => {
  test('ends a live session in good order, and makes no gap of it', async () => {
    await open();
    await stage.time.advance(minute);
    stage.takeFacts();
    await stage.send({ type: 'stop' });
    expect([stage.state, stage.actor.getSnapshot().status]).toEqual(['stopped', 'done']);
    expect(stage.takeFacts()).toEqual([
      { type: 'session.closed', id: 1, failure: stopping, liveForMs: minute, retryInMs: null },
    ]);
  });

  test('waits a second for the closing handshake', async () => {
    await open({ hangsUp: false });
    await stage.send({ type: 'stop' });
    await stage.send({ type: 'stop' });
    await stage.time.advance(second - 1);
    expect(stage.state).toBe('draining');
    await stage.time.advance(1);
    expect([stage.state, stage.dials]).toEqual(['stopped', [0]]);
  });

  test('dials no more, though a reconnect or a new token comes while it waits', async () => {
    await open({ hangsUp: false });
    await stage.send({ type: 'stop' });
    await stage.send({ type: 'reconnect' });
    await stage.send({ type: 'refresh' });
    await stage.time.advance(hour);
    expect([stage.state, stage.dials]).toEqual(['stopped', [0]]);
  });

  test('is not held up beyond 3 s by a session that does not end', async () => {
    await open({ hangsUp: false }, {}, undefined, hour);
    await stage.send({ type: 'stop' });
    await stage.time.advance(3 * second - 1);
    expect(stage.state).toBe('draining');
    await stage.time.advance(1);
    expect(stage.state).toBe('stopped');
  });

  const situations: Readonly<Record<string, () => Promise<void>>> = {
    'awaiting a token': () => open({ grant: never }),
    'blocked by the venue': () => open({ grant: () => refuseWith(badKey) }),
    'backing off': () => open({ connect: () => lost }),
    connecting: () => open({ connect: () => null }),
    authenticating: () => open({ authenticate: never }),
    subscribing: () => open({ subscribe: never }),
    'closing on request': async () => {
      await open({ hangsUp: false });
      await stage.send({ type: 'reconnect' });
    },
  };

  test.each(Object.keys(situations))('comes to its end while %s', async (situation) => {
    await situations[situation]?.();
    stage.takeFacts();
    const dialled = stage.dials.length;
    await stage.send({ type: 'stop' });
    await stage.time.advance(second);
    expect([stage.state, stage.actor.getSnapshot().status, stage.dials.length]).toEqual(['stopped', 'done', dialled]);
    stage.time.expectNoTimers();
    expect(stage.takeFacts().filter(({ type }) => type !== 'session.closed')).toEqual([]);
  });

  test('aborts a token request that is on its way: its late answer is nobody’s', async () => {
    await open({ grant: never });
    await stage.send({ type: 'stop' });
    await settle();
    expect([stage.state, stage.takeFacts()]).toEqual(['stopped', [requested]]);
  });
});
