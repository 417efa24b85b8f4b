import { afterEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { DaemonStage, never, refuseWith, type Venue } from './support/daemon-stage.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const expired = failure('session-expired', 'the venue closed the session with 4401');

let stage: DaemonStage;
afterEach(() => stage.strikeLeavingNothing());

/** The venue closes the session instead of answering, once it has been asked. */
const closesIt = (session: number, found = expired): Promise<never> => {
  queueMicrotask(() => void stage.drop(found, session));
  return never();
};
const isRevoked = (token: number): boolean => token === 1;

/** How the venue treats tokens that it has revoked. */
const treatments: Readonly<Record<string, (isDead: (token: number) => boolean) => Partial<Venue>>> = {
  'closes the session instead of answering `auth`': (isDead) => ({
    authenticate: (session, token) => (isDead(token) ? closesIt(session) : Promise.resolve(token)),
  }),
  'answers `auth` and closes the session then': (isDead) => {
    let latest = 0;
    return {
      authenticate: async (_, token) => {
        latest = token;
        return token;
      },
      subscribe: (session, channels) =>
        isDead(latest) ? closesIt(session) : Promise.resolve({ confirmed: channels, refused: [] }),
    };
  },
};

/** How long from now until a session is live, in milliseconds. */
async function untilLive(): Promise<number> {
  const since = stage.time.now();
  await stage.time.advance(0);
  const isLive = () =>
    stage.state === 'serving' &&
    stage.facts.some((fact) => fact.type === 'session.live' && fact.id === stage.sessionId);
  while (!isLive() && stage.time.now() < since + hour) await stage.time.toNextTimer();
  return stage.time.now() - since;
}

describe.each(Object.keys(treatments))('a venue that %s where the token is revoked', (name) => {
  test('is shown another one as soon as token requests allow', async () => {
    stage = new DaemonStage(treatments[name]?.(isRevoked));
    expect(await untilLive()).toBeLessThanOrEqual(6 * second);
    expect([stage.requests, stage.dials.length]).toEqual([[0, 5 * second], 2]);
    expect(stage.facts).toContainEqual({ type: 'token.lost', why: 'refused', generation: 1 });
  });

  test('is not asked for tokens without end where it takes none of them', async () => {
    stage = new DaemonStage(treatments[name]?.(() => true));
    await stage.time.advance(minute);
    expect(stage.requests).toEqual([0, 5, 10, 15, 45].map((seconds) => seconds * second));
    await stage.time.advance(hour - minute);
    expect(stage.requests.length).toBeLessThan(20);
    expect(stage.dials.length).toBeLessThan(20);
  });
});

describe('a session that ends with its token', () => {
  test('long after it was authenticated does not make that token a refused one', async () => {
    stage = new DaemonStage();
    await stage.time.advance(hour / 2);
    await stage.drop(expired);
    await stage.time.advance(second);
    expect([stage.sessionState, stage.requests]).toEqual(['live', [0]]);
  });

  test('within seconds of being live has it replaced, by one token for each dial', async () => {
    stage = new DaemonStage();
    for (let times = 1; times <= 8; times += 1) {
      await untilLive();
      await stage.time.advance(3 * second);
      await stage.drop(expired);
      expect(stage.dials).toHaveLength(times);
      expect(stage.requests.length).toBeLessThanOrEqual(times);
    }
    expect(stage.context.lastClose?.code).toBe('contested');
    expect(stage.time.now()).toBeGreaterThan(4 * minute);
  });

  test('says nothing about a token where the credentials themselves authenticate it', async () => {
    stage = new DaemonStage({ authenticate: (session) => closesIt(session) }, { authenticateWith: 'credentials' });
    await stage.time.advance(5 * minute);
    expect([stage.requests.length, stage.dials.length > 5]).toEqual([1, true]);
  });

  test('as a second one has no token replaced while the first one lives: the venue may take no second session', async () => {
    stage = new DaemonStage({
      renewInPlace: () => refuseWith(failure('rpc-error', 'auth/refresh: error -32601')),
      authenticate: (session, token) => (session > 1 ? closesIt(session) : Promise.resolve(token)),
    });
    await stage.time.advance(50 * minute);
    expect(stage.facts.some(({ type }) => type === 'token.lost' || type === 'token.failed')).toBe(false);
    expect(stage.requests.length).toBeLessThanOrEqual(2);
    expect([stage.sessionState, stage.facts.some(({ type }) => type === 'gap.opened')]).toEqual(['live', false]);
  });
});

describe('authentications that fail for other reasons', () => {
  const odd = failure('rpc-unknown', 'auth: error -32001, "session not found"');

  test('have the token replaced after the third in a row: it may be the reason', async () => {
    stage = new DaemonStage({
      authenticate: async (_, token) => (isRevoked(token) ? refuseWith(odd) : token),
    });
    expect(await untilLive()).toBeLessThan(minute);
    expect([stage.requests.length, stage.dials.length]).toEqual([2, 4]);
    expect(stage.facts.some(({ type }) => type === 'token.lost')).toBe(false);
  });

  test('have it replaced ever more rarely where that does not help', async () => {
    stage = new DaemonStage({ authenticate: () => refuseWith(failure('reply-timeout', 'no reply to auth')) });
    await stage.time.advance(hour / 2);
    expect(stage.dials.length).toBeGreaterThan(100);
    // After 3, 6, 12, 24, 48 and 96 of them.
    expect([stage.requests.length, stage.tokenState]).toEqual([7, 'valid']);
  });

  test('are a limit that has nothing to do with the token', async () => {
    stage = new DaemonStage({ authenticate: () => refuseWith(failure('rate-limited', 'auth: error 429', 2 * second)) });
    await stage.time.advance(hour / 2);
    expect([stage.requests.length, stage.dials.length > 10]).toEqual([1, true]);
  });

  test('are none where no connection comes about', async () => {
    stage = new DaemonStage({ connect: () => failure('connection-refused', 'ECONNREFUSED') });
    await stage.time.advance(hour / 2);
    expect([stage.requests.length, stage.dials.length > 50]).toEqual([1, true]);
  });

  test('cast no doubt anew while the venue cannot be reached at all', async () => {
    let isUp = true;
    stage = new DaemonStage({
      connect: () => (isUp ? 'opens' : failure('connection-refused', 'nobody listens')),
      authenticate: () => refuseWith(odd),
    });
    await stage.time.advance(0);
    while (stage.dials.length < 3) await stage.time.toNextTimer();
    isUp = false;
    const before = stage.requests.length;
    await stage.time.advance(hour);
    expect(stage.requests.length - before).toBeLessThanOrEqual(4);
  });
});
