import { describe, expect, test } from 'vitest';
import { deriveHealth, type Health, type HealthFacts } from '../../../src/machines/policies/health.ts';
import { advice, failure } from '../../../src/protocol/failure.ts';

const badKey = failure('credentials-refused', 'token request: HTTP 401 (invalid client)');
const notListed = failure('permission-denied', 'auth: this address is not on the allow-list');
const fault = failure('server-error', 'token request: HTTP 500');
const lost = failure('connection-lost', 'the connection was reset');

const goodToken: HealthFacts['token'] = {
  state: 'valid',
  usable: true,
  expiresAt: 3_600_000,
  retryAt: null,
  lastFailure: null,
};
const noToken = { ...goodToken, state: 'authenticating', usable: false, expiresAt: null };
const noReply = failure('reply-timeout', 'no reply to v1/subscribe within 5000 ms');
const tooMany = failure('rate-limited', 'v1/subscribe: error 429, "too many requests"', 60_000);
const liveSession: NonNullable<HealthFacts['session']> = {
  state: 'live',
  wanted: ['rfq.maker', 'rfq.taker'],
  confirmed: ['rfq.maker', 'rfq.taker'],
  refused: [],
  held: ['rfq.maker', 'rfq.taker'],
  subscriptionFailure: null,
  limitedUntil: null,
  ending: null,
  renewalFailure: null,
  lastHeartbeat: { at: 97_500, rttMs: 12.34 },
};
const newSession = { ...liveSession, confirmed: [], lastHeartbeat: null };

/** A quarter of an hour into a good day. */
const good: HealthFacts = {
  now: 100_000,
  token: goodToken,
  sessionNeedsToken: true,
  session: liveSession,
  lastHeardAt: 99_000,
  socketHost: 'venue.example:443',
  lastClose: null,
  nextDialAt: null,
  heldByCeiling: false,
  failedInARow: 0,
  storageTrouble: null,
};
const between = { ...good, session: null, lastHeardAt: null, lastClose: lost, nextDialAt: 112_000, failedInARow: 2 };

const layers = (
  transport: readonly [boolean, string],
  session: readonly [boolean, string],
  token: readonly [boolean, string],
  subscriptions: readonly [boolean, string],
  data: readonly [boolean, string],
): Health['layers'] =>
  Object.entries({ transport, session, token, subscriptions, data }).map(([name, [ok, evidence]]) => ({
    name: name as Health['layers'][number]['name'],
    ok,
    evidence,
  }));

const connected = [true, 'connected to venue.example:443'] as const;
const authenticated = [true, 'authenticated; heartbeat answered 2.5 s ago in 12.3 ms'] as const;
const valid = [true, 'valid for another 3500 s'] as const;
const confirmed = [true, '2 of 2 channels confirmed'] as const;
const heard = [true, 'the venue was last heard 1.0 s ago'] as const;
const notConnected = [false, 'not connected yet'] as const;
const noSession = [false, 'no live session'] as const;

const cases: Readonly<Record<string, readonly [HealthFacts, Health]>> = {
  'live: all layers are well': [
    good,
    {
      state: 'live',
      reason: 'authenticated, 2 of 2 channels confirmed',
      next: 'nothing to do',
      layers: layers(connected, authenticated, valid, confirmed, heard),
    },
  ],
  'live: a quiet market is no failure': [
    { ...good, lastHeardAt: null },
    {
      state: 'live',
      reason: 'authenticated, 2 of 2 channels confirmed',
      next: 'nothing to do',
      layers: layers(connected, authenticated, valid, confirmed, [true, 'nothing heard yet']),
    },
  ],
  'degraded: the venue refuses a channel': [
    { ...good, session: { ...liveSession, confirmed: ['rfq.maker'], refused: ['rfq.taker'] } },
    {
      state: 'degraded',
      reason: 'subscriptions: the venue refuses rfq.taker; 1 of 2 channels are live',
      next: `figd asks for rfq.taker again. ${advice('channels-refused')}`,
      layers: layers(connected, authenticated, valid, [false, 'refused: rfq.taker'], heard),
    },
  ],
  'degraded: the token cannot be renewed while the session lives': [
    { ...good, token: { ...goodToken, state: 'waiting', retryAt: 104_000, lastFailure: fault } },
    {
      state: 'degraded',
      reason: 'token: token request: HTTP 500',
      next: `the session stays live while its token does; figd tries again in 4.0 s. ${advice('server-error')}`,
      layers: layers(connected, authenticated, [false, 'token request: HTTP 500'], confirmed, heard),
    },
  ],
  'degraded, not blocked: the credentials are refused while the session lives': [
    { ...good, token: { ...noToken, state: 'blocked', retryAt: 130_000, lastFailure: badKey } },
    {
      state: 'degraded',
      reason: 'token: token request: HTTP 401 (invalid client)',
      next: `the session stays live while its token does; figd tries again in 30.0 s. ${advice('credentials-refused')}`,
      layers: layers(connected, authenticated, [false, badKey.message], confirmed, heard),
    },
  ],
  'degraded: no second session may take over': [
    { ...good, session: { ...liveSession, renewalFailure: failure('too-many-sessions', 'closed with 4429') } },
    {
      state: 'degraded',
      reason: 'session: it could not move to its new token: closed with 4429',
      next: `figd tries again; should that not succeed before the old token ends, it reconnects, if it can while no RFQ is open. ${advice('too-many-sessions')}`,
      layers: layers(connected, [false, 'on an old token: closed with 4429'], valid, confirmed, heard),
    },
  ],
  'degraded: a channel could not be added, and another one not given up': [
    {
      ...good,
      session: {
        ...liveSession,
        wanted: ['rfq.maker', 'rfq_quote.maker'],
        subscriptionFailure: noReply,
      },
    },
    {
      state: 'degraded',
      reason:
        'subscriptions: rfq_quote.maker could not be subscribed to, rfq.taker could not be given up: no reply to v1/subscribe within 5000 ms',
      next: `figd tries again; a new session, after \`figd rotate\`, subscribes to what is wanted alone. ${advice('reply-timeout')}`,
      layers: layers(
        connected,
        authenticated,
        valid,
        [
          false,
          'rfq_quote.maker could not be subscribed to, rfq.taker could not be given up: no reply to v1/subscribe within 5000 ms',
        ],
        heard,
      ),
    },
  ],
  'live: a change of channels that is under way is no failure': [
    { ...good, session: { ...liveSession, wanted: ['rfq.maker', 'rfq_quote.maker'] } },
    {
      state: 'live',
      reason: 'authenticated, 2 of 2 channels confirmed',
      next: 'nothing to do',
      layers: layers(connected, authenticated, valid, confirmed, heard),
    },
  ],
  'down: the venue refuses every channel': [
    { ...good, session: { ...liveSession, confirmed: [], refused: ['rfq.maker', 'rfq.taker'] } },
    {
      state: 'down',
      reason: 'subscriptions: the venue refuses every channel (rfq.maker, rfq.taker)',
      next: `figd asks for them again. ${advice('channels-refused')}`,
      layers: layers(
        connected,
        authenticated,
        valid,
        [false, 'refused: rfq.maker, rfq.taker'],
        [false, 'no channel is live'],
      ),
    },
  ],
  'down: no channel is confirmed, and others that are wanted by now could not be asked for': [
    {
      ...good,
      session: {
        ...liveSession,
        confirmed: [],
        refused: ['rfq.taker'],
        wanted: ['rfq.maker', 'rfq.taker'],
        subscriptionFailure: noReply,
      },
    },
    {
      state: 'down',
      reason: `subscriptions: no channel is live: rfq.maker could not be subscribed to: ${noReply.message}`,
      next: `figd asks for them again; ${advice(noReply.code)}`,
      layers: layers(
        connected,
        authenticated,
        valid,
        [false, `rfq.maker could not be subscribed to: ${noReply.message}`],
        [false, 'no channel is live'],
      ),
    },
  ],
  'down: the channels that are wanted by now are being asked for': [
    { ...good, session: { ...liveSession, confirmed: [], refused: [], wanted: ['rfq.maker'] } },
    {
      state: 'down',
      reason: 'subscriptions: no channel is live yet',
      next: 'figd asks for rfq.maker now',
      layers: layers(connected, authenticated, valid, [false, 'none confirmed yet'], [false, 'no channel is live']),
    },
  ],
  'down: the venue limits the first subscription': [
    {
      ...good,
      lastClose: notListed,
      session: { ...newSession, state: 'subscribing', subscriptionFailure: tooMany, limitedUntil: 160_000 },
    },
    {
      state: 'down',
      reason: `subscriptions: ${tooMany.message}`,
      next: `figd tries again in 60.0 s. ${advice('rate-limited')}`,
      layers: layers(connected, [true, 'authenticated'], valid, [false, tooMany.message], noSession),
    },
  ],
  'blocked: the token endpoint refuses the credentials': [
    {
      ...good,
      session: null,
      token: { ...noToken, state: 'blocked', retryAt: 130_000, lastFailure: badKey },
    },
    {
      state: 'blocked',
      reason: badKey.message,
      next: `figd tries again in 30.0 s, or at once on \`figd refresh\`. ${advice('credentials-refused')}`,
      layers: layers(notConnected, notConnected, [false, badKey.message], noSession, noSession),
    },
  ],
  'blocked: the venue refuses the session for good': [
    { ...between, lastClose: notListed, nextDialAt: 160_000 },
    {
      state: 'blocked',
      reason: notListed.message,
      next: `figd tries again in 60.0 s, or at once on \`figd refresh\`. ${advice('permission-denied')}`,
      layers: layers([false, notListed.message], [false, notListed.message], valid, noSession, noSession),
    },
  ],
  'blocked: still so while the next session probes': [
    { ...between, lastClose: notListed, nextDialAt: null, session: { ...newSession, state: 'connecting' } },
    {
      state: 'blocked',
      reason: notListed.message,
      next: `figd asks now, or at once on \`figd refresh\`. ${advice('permission-denied')}`,
      layers: layers([false, notListed.message], [false, notListed.message], valid, noSession, noSession),
    },
  ],
  'down, not blocked: a session by credentials does not care for the token': [
    {
      ...between,
      sessionNeedsToken: false,
      token: { ...noToken, state: 'blocked', retryAt: 130_000, lastFailure: badKey },
    },
    {
      state: 'down',
      reason: 'session: the connection was reset',
      next: `figd tries again in 12.0 s (attempt 3). ${advice('connection-lost')}`,
      layers: layers([false, lost.message], [false, lost.message], [false, badKey.message], noSession, noSession),
    },
  ],
  'down: it has just started and asks for a token': [
    { ...good, session: null, token: { ...noToken, state: 'idle' } },
    {
      state: 'down',
      reason: 'starting: no session yet',
      next: 'figd asks now for a new token',
      layers: layers(notConnected, notConnected, [false, 'not asked for yet'], noSession, noSession),
    },
  ],
  'down: it connects for the first time': [
    { ...good, session: { ...newSession, state: 'connecting' } },
    {
      state: 'down',
      reason: 'starting: no session yet',
      next: 'connecting now (attempt 1)',
      layers: layers(notConnected, notConnected, valid, noSession, noSession),
    },
  ],
  'down: it authenticates after a loss': [
    { ...between, nextDialAt: null, session: { ...newSession, state: 'authenticating' } },
    {
      state: 'down',
      reason: 'session: the connection was reset',
      next: 'authenticating now (attempt 3)',
      layers: layers(connected, [false, 'authenticating'], valid, noSession, noSession),
    },
  ],
  'down: it subscribes': [
    { ...good, session: { ...newSession, state: 'subscribing' } },
    {
      state: 'down',
      reason: 'starting: no session yet',
      next: 'subscribing now (attempt 1)',
      layers: layers(connected, [true, 'authenticated'], valid, noSession, noSession),
    },
  ],
  'down: the session is closing, for a reason it already knows': [
    { ...good, session: { ...liveSession, state: 'closing', ending: lost } },
    {
      state: 'down',
      reason: 'session: the connection was reset',
      next: 'closing now (attempt 1)',
      layers: layers([false, lost.message], [false, lost.message], valid, noSession, noSession),
    },
  ],
  'down: the token endpoint has a fault': [
    { ...good, session: null, token: { ...noToken, state: 'waiting', retryAt: 108_000, lastFailure: fault } },
    {
      state: 'down',
      reason: 'token: token request: HTTP 500',
      next: `figd tries again in 8.0 s. ${advice('server-error')}`,
      layers: layers(notConnected, notConnected, [false, fault.message], noSession, noSession),
    },
  ],
  'down: the session is lost and dialled again': [
    between,
    {
      state: 'down',
      reason: 'session: the connection was reset',
      next: `figd tries again in 12.0 s (attempt 3). ${advice('connection-lost')}`,
      layers: layers([false, lost.message], [false, lost.message], valid, noSession, noSession),
    },
  ],
  'down: the next dial waits for the ceiling, which is told': [
    { ...between, heldByCeiling: true },
    {
      state: 'down',
      reason: 'session: the connection was reset',
      next: `figd tries again in 12.0 s (attempt 3, as it dials at most 10 times a minute). ${advice('connection-lost')}`,
      layers: layers([false, lost.message], [false, lost.message], valid, noSession, noSession),
    },
  ],
  'down, not blocked: the socket refused a token, which is replaced without help': [
    {
      ...between,
      lastClose: failure('token-refused', 'auth: invalid token'),
      token: { ...noToken, state: 'waiting', retryAt: 103_000 },
    },
    {
      state: 'down',
      reason: 'token: auth: invalid token',
      next: 'figd tries again in 3.0 s for a new token',
      layers: layers(
        [false, 'auth: invalid token'],
        [false, 'auth: invalid token'],
        [false, 'waiting, none to use'],
        noSession,
        noSession,
      ),
    },
  ],
};

describe('what users are told', () => {
  test.each(Object.keys(cases))('%s', (name) => {
    const [facts, health] = cases[name] ?? [];
    expect(facts && deriveHealth(facts)).toEqual(health);
  });

  test('has a reason that does not change from second to second', () => {
    for (const [facts] of Object.values(cases)) {
      const later = { ...facts, now: facts.now + 1_000 };
      expect(deriveHealth(later).reason).toBe(deriveHealth(facts).reason);
      expect(deriveHealth(later).state).toBe(deriveHealth(facts).state);
    }
  });

  test('is live if and only if every layer is ok', () => {
    for (const [, { state, layers: found }] of Object.values(cases)) {
      expect(found.every(({ ok }) => ok)).toBe(state === 'live');
    }
  });

  test('covers every state', () => {
    expect(new Set(Object.values(cases).map(([, { state }]) => state))).toEqual(
      new Set(['live', 'degraded', 'down', 'blocked']),
    );
  });
});
