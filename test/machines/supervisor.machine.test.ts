import { afterEach, describe, expect, test } from 'vitest';
import { type FailureCode, FailureError, failure } from '../../src/protocol/failure.ts';
import { DaemonStage, lifeOf, never, refuseWith } from './support/daemon-stage.ts';
import { lost } from './support/session-stage.ts';
import { granted, lostToken, requested } from './support/token-stage.ts';
import { deferred } from './support/virtual-time.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const dialled = (id: number, attempt: number, cause: string) => ({ type: 'session.dialled', id, attempt, cause });

let stage: DaemonStage;
const open = async (...given: ConstructorParameters<typeof DaemonStage>) => {
  stage = new DaemonStage(...given);
  await stage.time.advance(0);
};
afterEach(() => {
  stage.strikeLeavingNothing();
  expect(stage.sockets.most).toBeLessThanOrEqual(1);
});

describe('the start', () => {
  test('is a token, then a session, and each step is made known', async () => {
    await open();
    expect([stage.state, stage.sessionState]).toEqual(['serving', 'live']);
    expect(stage.takeFacts()).toEqual([requested, granted(1, hour), dialled(1, 1, 'start'), ...lifeOf(1)]);
  });

  test('dials nothing before there is a token', async () => {
    const down = failure('server-error', 'HTTP 503');
    await open({ grant: () => refuseWith(down) });
    await stage.time.advance(4 * second);
    expect([stage.state, stage.dials]).toEqual(['awaiting a token', []]);
    expect(stage.takeFacts()).toEqual([
      requested,
      { type: 'token.failed', failure: down, retryInMs: 5_000, renewal: false },
    ]);

    stage.venue.grant = async () => ({ lifeMs: hour });
    await stage.time.advance(second);
    expect([stage.state, stage.dials]).toEqual(['serving', [5 * second]]);
  });

  test('dials without a token where the session is authenticated with the credentials', async () => {
    await open({ grant: never }, { authenticateWith: 'credentials' });
    expect([stage.sessionState, stage.tokenState, stage.dials]).toEqual(['live', 'authenticating', [0]]);
  });
});

describe('a session that ends is followed by another', () => {
  test.each([
    ['connection-lost', 250],
    ['half-open', 250],
    ['session-expired', 250],
    ['closed-unknown', 250],
    ['rate-limited', 16_800],
    ['too-many-sessions', 16_800],
    ['server-busy', 16_800],
    ['heartbeat-overdue', 3_750],
    ['frame-too-large', 3_750],
    ['permission-denied', 30_000],
    ['on-request', 0],
    ['renewal', 0],
  ] as const satisfies readonly (readonly [FailureCode, number])[])('after %s, in %d ms', async (code, retryInMs) => {
    await open();
    await stage.time.advance(hour / 2);
    stage.takeFacts();
    const found = failure(code, 'it ended');
    await stage.drop(found);
    expect(stage.takeFacts()).toEqual([
      { type: 'session.closed', id: 1, failure: found, liveForMs: hour / 2, retryInMs },
      {
        type: 'gap.opened',
        cause: code,
        session: 1,
        proof: { provenAt: hour / 2 - 4, heartbeatSentAt: hour / 2, rttMs: 4 },
      },
    ]);
    expect(stage.state).toBe('backing off');

    if (retryInMs > 0) await stage.time.advance(retryInMs - 1);
    expect(stage.dials).toHaveLength(1);
    await stage.time.advance(retryInMs > 0 ? 1 : 0);
    expect(stage.dials).toEqual([0, hour / 2 + retryInMs]);
    const attempt = code === 'on-request' || code === 'renewal' ? 1 : 2;
    expect(stage.takeFacts()).toEqual([dialled(2, attempt, code), ...lifeOf(2)]);
  });

  test('as long as the venue asked, after a limit that says when to come back', async () => {
    await open();
    await stage.drop(failure('rate-limited', 'close 1013', 7 * second));
    await stage.time.advance(hour / 2);
    expect(stage.dials).toEqual([0, 7_350]);
  });

  test('also when no connection comes about', async () => {
    await open({ connect: (session) => (session === 1 ? null : 'opens') });
    await stage.time.advance(10 * second);
    expect(stage.takeFacts().at(-1)).toEqual({
      type: 'session.closed',
      id: 1,
      failure: failure('connect-timeout', 'no connection within 10000 ms'),
      liveForMs: null,
      retryInMs: 250,
    });
    await stage.time.advance(250);
    expect(stage.sessionState).toBe('live');
  });

  test('with one gap for the loss, however many dials fail until it is live again', async () => {
    await open();
    await stage.time.advance(minute);
    stage.takeFacts();
    stage.venue.connect = () => lost;
    await stage.drop();
    await stage.time.advance(10 * minute);
    stage.venue.connect = () => 'opens';
    await stage.time.advance(minute);
    const facts = stage.takeFacts().filter(({ type }) => type.startsWith('gap.'));
    expect(facts).toMatchObject([
      { type: 'gap.opened', cause: 'connection-lost' },
      { type: 'gap.ended', at: null },
    ]);
    expect(stage.dials.length).toBeGreaterThan(10);
  });

  test('and a first session that was never live opens no gap', async () => {
    await open({ connect: (session) => (session < 4 ? lost : 'opens') });
    await stage.time.advance(minute);
    expect(stage.sessionState).toBe('live');
    expect(stage.takeFacts().filter(({ type }) => type.startsWith('gap.'))).toEqual([{ type: 'gap.ended', at: null }]);
  });
});

describe('the backoff', () => {
  const delays = () =>
    stage
      .takeFacts()
      .filter((fact) => fact.type === 'session.closed')
      .map(({ retryInMs }) => retryInMs);

  test('grows while sessions fail, whatever stage they reach', async () => {
    const rpc = failure('connection-lost', 'dropped while authenticating');
    await open({ connect: (session) => (session % 2 === 0 ? lost : 'opens'), authenticate: () => refuseWith(rpc) });
    await stage.time.advance(40 * second);
    expect(delays().slice(0, 7)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000]);
  });

  test('is not reset by a session that was live for less than 30 s', async () => {
    await open();
    for (let times = 0; times < 5; times++) {
      await stage.time.advance(20 * second);
      expect(stage.sessionState).toBe('live');
      await stage.drop();
    }
    expect(delays()).toEqual([250, 500, 1_000, 2_000, 4_000]);
  });

  test('is reset by a session that was live for 30 s', async () => {
    await open();
    for (let times = 0; times < 3; times++) {
      await stage.drop();
      await stage.time.advance(5 * second);
    }
    // The third came live 1 s after the third drop.
    await stage.time.advance(26 * second);
    expect(stage.sessionState).toBe('live');
    await stage.drop();
    expect(delays()).toEqual([250, 500, 1_000, 250]);
  });
});

describe('a token that the socket refuses', () => {
  const tokenOf = (generation: number, requestedAt: number, usable = true) => ({
    generation,
    expiresAt: requestedAt + hour,
    usable,
  });
  const refused = failure('token-refused', 'auth: invalid token');

  test('is replaced by force, and the next session is dialled with its successor', async () => {
    const tokens: number[] = [];
    await open({
      authenticate: (_, token) => {
        tokens.push(token);
        return token === 1 ? refuseWith(refused) : Promise.resolve(token);
      },
    });
    expect([stage.state, stage.context.token]).toEqual(['awaiting a token', tokenOf(1, 0, false)]);
    await stage.time.advance(5 * second);
    expect([stage.sessionState, tokens, stage.requests, stage.dials]).toEqual(['live', [1, 2], [0, 5_000], [0, 5_000]]);
    expect(stage.takeFacts()).toEqual([
      requested,
      granted(1, hour),
      dialled(1, 1, 'start'),
      { type: 'session.closed', id: 1, failure: refused, liveForMs: null, retryInMs: 0 },
      lostToken('refused'),
      requested,
      granted(2, hour, { requestedAt: 5 * second }),
      dialled(2, 2, 'token-refused'),
      ...lifeOf(2),
    ]);
  });

  test('leaves a newer one usable that came while the venue thought about it', async () => {
    const thinking = deferred<number>();
    await open({ authenticate: async (session, token) => (session === 1 ? thinking.promise : token) });
    await stage.time.advance(5 * second);
    await stage.send({ type: 'refresh' });
    await stage.time.advance(0);
    expect(stage.context.token).toEqual(tokenOf(2, 5 * second));

    thinking.reject(new FailureError(refused));
    await stage.time.advance(second);
    expect([stage.context.token, stage.sessionState]).toEqual([tokenOf(2, 5 * second), 'live']);
    expect(stage.requests).toEqual([0, 5_000]);
  });

  test('four times in a row blocks it: no dial and no request until the probe', async () => {
    await open({ authenticate: () => refuseWith(refused) });
    await stage.time.advance(44 * second);
    expect([stage.state, stage.tokenState]).toEqual(['awaiting a token', 'blocked']);
    expect(stage.requests).toEqual([0, 5_000, 10_000, 15_000]);

    stage.venue.authenticate = async (_, token) => token;
    await stage.time.advance(second);
    expect([stage.sessionState, stage.requests.at(-1)]).toEqual(['live', 45_000]);
  });

  test('is not held against it once a session was live: later refusals count anew', async () => {
    let refusals = 3;
    await open({ authenticate: async (_, token) => (refusals-- > 0 ? refuseWith(refused) : token) });
    await stage.time.advance(15 * second);
    expect([stage.sessionState, stage.requests.length]).toEqual(['live', 4]);
    refusals = 3;
    await stage.drop();
    await stage.time.advance(minute);
    expect([stage.sessionState, stage.tokenState, stage.requests.length]).toEqual(['live', 'valid', 7]);
  });
});

test('a renewed token is taken up by the live session without a gap', async () => {
  await open();
  stage.takeFacts();
  await stage.time.advance(48 * minute);
  expect(stage.takeFacts()).toEqual([
    requested,
    granted(2, hour, { requestedAt: 48 * minute, renewal: true }),
    { type: 'session.renewed', id: 1, generation: 2 },
  ]);
  expect([stage.sessionState, stage.dials]).toEqual(['live', [0]]);
});

test('an expired token does not end the session that lives: only the venue does', async () => {
  await open();
  stage.venue.grant = () => refuseWith(failure('server-error', 'HTTP 500'));
  await stage.time.advance(hour);
  expect([stage.sessionState, stage.context.token?.usable]).toEqual(['live', false]);
  expect(stage.takeFacts().at(-1)?.type).toBe('token.lost');

  await stage.drop(failure('session-expired', 'close 4001'));
  await stage.time.advance(0);
  expect([stage.state, stage.dials]).toEqual(['awaiting a token', [0]]);
});
