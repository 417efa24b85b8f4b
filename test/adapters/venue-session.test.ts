import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/protocol/failure.ts';
import { channels } from '../../src/simulator/frames.ts';
import { until } from '../support/until.ts';
import { clientId, quietVenue, vaultWith } from './support/venue.ts';
import { failureOfCall, live, open, TestSession } from './support/venue-session.ts';

describe('authenticating', () => {
  it('presents the token, and tells which generation it was', async () => {
    await using venue = await quietVenue();
    await using test = await open(venue);
    expect(await test.session.authenticate()).toBe(1);
    expect(venue.venue.stats.auths).toEqual({ authenticated: 1, extended: 0, refused: 0 });
  });

  it.each(['json', 'oauth2'] as const)('presents the credentials where so configured (%s)', async (credentialStyle) => {
    await using venue = await quietVenue();
    await using test = await open(venue, { authenticateWith: 'credentials', credentialStyle });
    expect(await test.session.authenticate()).toBe(1);
    expect(venue.venue.stats.auths.authenticated).toBe(1);
  });

  it('needs no token to present the credentials', async () => {
    await using venue = await quietVenue();
    await using test = new TestSession(venue.socketUrl, { authenticateWith: 'credentials' });
    await test.whenOpen();
    expect(await test.session.authenticate()).toBe(0);
  });

  it.each([
    ['error', 'auth: error -32700, "authentication error"'],
    ['result', 'auth: the venue answered success: false'],
  ] as const)('knows a refused token by %s', async (authRefusal, message) => {
    await using venue = await quietVenue({ authRefusal });
    await using test = await open(venue);
    venue.venue.inject({ kind: 'refuse-auth' });
    const refused = await failureOfCall(test.session.authenticate());
    expect(refused).toEqual({ class: 'refused', code: 'token-refused', message });
  });

  it.each(['error', 'result'] as const)('knows refused credentials by %s', async (authRefusal) => {
    await using venue = await quietVenue({ authRefusal });
    const vault = vaultWith(clientId, 'wrong-secret');
    await using test = new TestSession(venue.socketUrl, { authenticateWith: 'credentials' }, vault);
    await test.whenOpen();
    const refused = await failureOfCall(test.session.authenticate());
    expect(refused).toMatchObject({ class: 'refused', code: 'credentials-refused' });
  });

  it('does not ask without a token', async () => {
    await using venue = await quietVenue();
    await using test = new TestSession(venue.socketUrl);
    await test.whenOpen();
    const message = 'there is no access token to present';
    expect(await failureOfCall(test.session.authenticate())).toEqual({
      class: 'refused',
      code: 'token-refused',
      message,
    });
  });

  it('uses the token the venue gives in its reply from then on', async () => {
    await using venue = await quietVenue({ tokenInAuthReply: true });
    await using test = await open(venue);
    const before = test.vault.accessToken;
    expect(await test.session.authenticate()).toBe(1);
    expect(test.vault.accessToken).toEqual({
      value: expect.stringMatching(/^figsim-access-/),
      generation: 1,
      expiresAt: before?.expiresAt,
    });
    expect(test.vault.accessToken?.value).not.toBe(before?.value);
  });

  it('gives up at the deadline', async () => {
    await using venue = await quietVenue();
    await using test = await open(venue, { authTimeout: 50 });
    venue.venue.inject({ kind: 'no-reply', method: 'auth' });
    const message = 'no reply to auth within 50 ms';
    expect(await failureOfCall(test.session.authenticate())).toEqual({
      class: 'transient',
      code: 'reply-timeout',
      message,
    });
  });

  it('reports a reply that comes after its deadline, and nothing else of it', async () => {
    await using venue = await quietVenue();
    await using test = await open(venue, { authTimeout: 20 });
    venue.venue.inject({ kind: 'delay', ms: 100 });
    expect(await failureOfCall(test.session.authenticate())).toMatchObject({ code: 'reply-timeout' });
    expect(await until('the stray reply', () => test.strays[0])).toBe(1);
    expect(test.events).toEqual([]);
  });
});

describe('renewing in place', () => {
  it('extends the session with the newest token by the refresh method', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    expect(await test.session.renewInPlace()).toBe(1);
    expect(venue.venue.stats.auths).toEqual({ authenticated: 1, extended: 1, refused: 0 });
    expect([venue.venue.stats.dials, test.closes]).toEqual([1, []]);
  });

  it('authenticates once more where the venue has no refresh method', async () => {
    await using venue = await quietVenue({ inPlaceRefresh: false });
    await using test = await live(venue);
    expect(await test.session.renewInPlace()).toBe(1);
    expect(venue.venue.stats.auths).toEqual({ authenticated: 1, extended: 1, refused: 0 });
  });

  it('does not insist when the venue refuses the token', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    venue.venue.inject({ kind: 'refuse-auth', times: 1 });
    expect(await failureOfCall(test.session.renewInPlace())).toMatchObject({ code: 'token-refused' });
    expect(venue.venue.stats.auths.refused).toBe(1);
  });

  it('keeps the subscriptions: events go on', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    await test.session.renewInPlace();
    venue.venue.publish('rfq.taker', { rfqId: 1 });
    expect((await until('an event', () => test.events[0])).channel).toBe('rfq.taker');
  });
});

it('takes its deadlines from the settings as they are at each call', async () => {
  await using venue = await quietVenue();
  const settings = { authTimeout: 5_000, subscribeTimeout: 5_000, heartbeatTimeout: 5_000 };
  await using test = await open(venue, settings);
  await test.session.authenticate();
  for (const method of ['v1/subscribe', 'auth/refresh', 'heartbeat']) venue.venue.inject({ kind: 'no-reply', method });
  Object.assign(settings, { authTimeout: 20, subscribeTimeout: 30, heartbeatTimeout: 40 });
  const { session } = test;
  const calls = [session.renewInPlace(), session.subscribe(['rfq.maker']), session.heartbeat()].map(failureOfCall);
  expect((await Promise.all(calls)).map((found) => (found as Failure).message)).toEqual([
    'no reply to auth/refresh within 20 ms',
    'no reply to v1/subscribe within 30 ms',
    'no heartbeat reply within 40 ms: the connection is dead',
  ]);
});

describe('a heartbeat', () => {
  it('measures the round trip and the offset of the clocks', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    const { rttMs, clockOffsetMs } = await test.session.heartbeat();
    expect(rttMs).toBeGreaterThan(0);
    expect(rttMs).toBeLessThan(1_000);
    // The same clock on both sides, which the venue tells in whole milliseconds.
    expect(Math.abs(clockOffsetMs ?? Number.NaN)).toBeLessThan(rttMs / 2 + 5);
    expect(venue.venue.stats.heartbeats).toBe(1);
  });

  it('finds a half-open connection within its timeout', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue, { heartbeatTimeout: 150 });
    venue.venue.inject({ kind: 'half-open' });
    const sentAt = performance.now();
    expect(await failureOfCall(test.session.heartbeat())).toEqual({
      class: 'transient',
      code: 'half-open',
      message: 'no heartbeat reply within 150 ms: the connection is dead',
    });
    const took = performance.now() - sentAt;
    expect(took).toBeGreaterThanOrEqual(149);
    expect(took).toBeLessThan(1_000);
    expect(test.closes).toEqual([]);
  });

  it.each([
    [-32603, 'internal error', { class: 'transient', code: 'server-error' }],
    [429, 'slow down', { class: 'limited', code: 'rate-limited' }],
  ])('that the venue answers with %d has proved the link, and tells the refusal', async (code, message, found) => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    venue.venue.inject({ kind: 'rpc-error', method: 'heartbeat', code, message });
    const told = { ...found, message: `heartbeat: error ${code}, "${message}"` };
    expect(await test.session.heartbeat()).toEqual({
      rttMs: expect.any(Number),
      clockOffsetMs: null,
      refusal: expect.objectContaining(told),
    });
  });

  it('fails where the venue says that there is nothing to keep alive', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    venue.venue.inject({ kind: 'unknown-method', method: 'heartbeat' });
    expect(await failureOfCall(test.session.heartbeat())).toMatchObject({ code: 'rpc-error' });
  });
});

describe('the end of a session', () => {
  it('rejects every pending call and is reported once', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    for (const method of ['auth', 'heartbeat', 'v1/subscribe']) venue.venue.inject({ kind: 'no-reply', method });
    const calls = [test.session.authenticate(), test.session.heartbeat(), test.session.subscribe(channels)].map(
      failureOfCall,
    );
    venue.venue.inject({ kind: 'drop', code: 1012, reason: 'restarting' });
    const closed = await test.whenClosed();
    const message = 'the venue closed the session with 1012, "restarting"';
    expect(closed).toEqual({ class: 'transient', code: 'server-error', message });
    expect(await Promise.all(calls)).toEqual([closed, closed, closed]);
    expect(await failureOfCall(test.session.heartbeat())).toEqual(closed);
    expect(test.closes.length).toBe(1);
  });

  it('is what a call fails with that is made when the close frame has come, and the end has not', async () => {
    await using venue = await quietVenue({ maxSessions: 0 });
    await using test = await open(venue);
    await test.session.authenticate();
    const found = await failureOfCall(test.session.subscribe(channels));
    expect(found).toMatchObject({ class: 'limited', code: 'too-many-sessions' });
    expect(await test.whenClosed()).toEqual(found);
  });

  it('tells a connection that broke from one that was closed', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    venue.venue.inject({ kind: 'drop' });
    const message = 'the connection broke without a closing handshake';
    expect(await test.whenClosed()).toEqual({ class: 'transient', code: 'connection-lost', message });
  });

  it('with a close frame is a word of the venue, and with a broken connection is none', async () => {
    await using venue = await quietVenue();
    await using closed = await live(venue);
    const heardBefore = closed.session.lastFrameAt ?? Number.NaN;
    venue.venue.inject({ kind: 'drop', code: 1012 });
    await closed.whenClosed();
    expect(closed.session.lastFrameAt).toBeGreaterThan(heardBefore);

    await using broken = await live(venue);
    const heardAt = broken.session.lastFrameAt;
    venue.venue.inject({ kind: 'drop' });
    await broken.whenClosed();
    expect(broken.session.lastFrameAt).toBe(heardAt);
  });

  it('comes after a closing handshake when figd hangs up', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    test.session.hangUp();
    await test.whenClosed();
    const closed = await until('the venue to notice', () => venue.venue.stats.closedConnections[0]);
    expect(closed).toMatchObject({ closeCode: 1000, closedBy: 'client' });
  });

  it('is at once and unreported when the session is disposed of', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    venue.venue.inject({ kind: 'no-reply', method: 'heartbeat' });
    const pending = failureOfCall(test.session.heartbeat());
    test.session.dispose();
    expect(await pending).toMatchObject({ code: 'connection-lost', message: 'the session ended' });
    await until('the venue to notice', () => venue.venue.stats.openConnections.length === 0);
    venue.venue.publish('rfq.maker', {});
    expect([test.closes, test.events]).toEqual([[], []]);
    test.session.dispose();
  });
});
