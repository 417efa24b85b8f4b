import { describe, expect, test } from 'vitest';
import { epoch, virtualVenue } from './harness.ts';

describe('authentication', () => {
  test('replies as the quickstart does at /ws/v1, and as JSON-RPC says at /', async () => {
    const { dial, token } = virtualVenue();
    const params = { token: await token() };
    expect(dial('/ws/v1').call('auth', params)).toEqual({ id: 1, method: 'auth', result: { success: true } });
    expect(dial('/').call('auth', params)).toEqual({ jsonrpc: '2.0', id: 1, result: { success: true } });
  });

  test.each([
    { clientId: 'demo', clientSecret: 'demo-secret' },
    { client_id: 'demo', client_secret: 'demo-secret' },
  ])('takes the credentials %j', (credentials) => {
    const { dial } = virtualVenue();
    expect(dial().call('auth', credentials)).toMatchObject({ result: { success: true } });
  });

  test('refuses a wrong token with an error, or with success false', () => {
    const wrong = { token: 'wrong' };
    expect(virtualVenue().dial('/').call('auth', wrong)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32700, message: 'authentication error' },
    });
    expect(virtualVenue({ authRefusal: 'result' }).dial('/').call('auth', wrong)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: { success: false },
    });
  });

  test('closes a connection that has not authenticated in ten seconds', () => {
    const { clock, dial } = virtualVenue();
    const { peer } = dial();
    clock.tick(9999);
    expect(peer.closed).toBeUndefined();
    clock.tick(1);
    expect(peer.closed).toEqual({ code: 4401, reason: 'not authenticated in time' });
    expect(clock.countTimers()).toBe(0);
  });

  test('other methods before it are invalid requests', () => {
    const { call } = virtualVenue().dial('/');
    expect(call('heartbeat')).toMatchObject({ error: { code: -32600 } });
  });

  test('a token in the reply replaces the one presented', async () => {
    const { dial, get, token } = virtualVenue({ tokenInAuthReply: true });
    const presented = await token();
    const { result } = dial().call('auth', { token: presented }) as { result: { success: true; token: string } };
    expect(result.token).not.toBe(presented);
    expect((await get('/v1/rfq', result.token)).status).toBe(200);
  });

  test('the fifth session of a credential is answered, then closed', async () => {
    const { live, dial, token, venue } = virtualVenue();
    for (let session = 0; session < 4; session += 1) await live();
    const fifth = dial();
    expect(fifth.call('auth', { token: await token() })).toMatchObject({ result: { success: true } });
    expect(fifth.peer.closed).toEqual({ code: 4429, reason: 'too many sessions' });
    expect(venue.stats.openConnections.length).toBe(4);
  });

  test('where one session replaces another, the oldest is closed in favour of the new one', async () => {
    const { live } = virtualVenue({ maxSessions: 2, sessionCeiling: 'replace' });
    const [first, second, third] = [await live(), await live(), await live()];
    expect(first.peer.closed).toEqual({ code: 4000, reason: 'replaced' });
    expect([second.peer.closed, third.peer.closed]).toEqual([undefined, undefined]);
  });
});

describe('expiry', () => {
  test('a session ends with its token', async () => {
    const { clock, live } = virtualVenue({ tokenLife: 20_000 });
    const { peer } = await live();
    clock.tick(19_999);
    expect(peer.closed).toBeUndefined();
    clock.tick(1);
    expect(peer.closed).toEqual({ code: 4401, reason: 'session expired' });
  });

  test.each(['auth/refresh', 'auth'])('%s with a fresh token extends it in place', async (method) => {
    const { clock, live, token, venue } = virtualVenue({ tokenLife: 20_000 });
    const { call, peer } = await live();
    clock.tick(15_000);
    call('heartbeat');
    expect(call(method, { token: await token() })).toMatchObject({ result: { success: true } });
    clock.tick(19_999);
    expect(peer.closed).toBeUndefined();
    clock.tick(1);
    expect(peer.closed).toEqual({ code: 4401, reason: 'session expired' });
    expect(venue.stats.auths).toEqual({ authenticated: 1, extended: 1, refused: 0 });
  });

  test('auth/refresh can be a method the venue does not know', async () => {
    const { live, token } = virtualVenue({ inPlaceRefresh: false });
    const { call } = await live('/');
    expect(call('auth/refresh', { token: await token() })).toMatchObject({ error: { code: -32601 } });
  });

  test('a life beyond the longest timer is waited for in steps', async () => {
    const { clock, live } = virtualVenue({ tokenLife: 60 * 86_400_000, heartbeatTimeout: 90 * 86_400_000 });
    const { peer } = await live();
    clock.tick(60 * 86_400_000 - 1);
    expect(peer.closed).toBeUndefined();
    clock.tick(1);
    expect(peer.closed).toEqual({ code: 4401, reason: 'session expired' });
  });
});

describe('heartbeat', () => {
  test('carries the time of the venue and moves the deadline', async () => {
    const { clock, live, venue } = virtualVenue();
    const { call, peer } = await live('/');
    clock.tick(29_999);
    expect(call('heartbeat')).toEqual({ jsonrpc: '2.0', id: 3, result: { time: epoch + 29_999 } });
    clock.tick(29_999);
    expect(peer.closed).toBeUndefined();
    clock.tick(1);
    expect(peer.closed).toEqual({ code: 4408, reason: 'heartbeat timeout' });
    expect(venue.stats.closedConnections[0]).toMatchObject({
      heartbeats: 1,
      lastHeartbeatAt: epoch + 29_999,
      maxHeartbeatGapMs: 30_000,
      closeCode: 4408,
      closedBy: 'venue',
    });
  });

  test('counts from connecting', async () => {
    const { clock, dial, token } = virtualVenue();
    const { call, peer } = dial();
    clock.tick(9000);
    call('auth', { token: await token() });
    clock.tick(21_000);
    expect(peer.closed).toEqual({ code: 4408, reason: 'heartbeat timeout' });
  });
});

describe('subscriptions', () => {
  test('unknown channels are not confirmed', async () => {
    const { dial, token } = virtualVenue();
    const { call } = dial('/');
    call('auth', { token: await token() });
    expect(call('v1/subscribe', { channels: ['rfq.maker', 'rfq.nonsense'] })).toEqual({
      jsonrpc: '2.0',
      id: 2,
      result: { status: 'subscribed', channels: ['rfq.maker'] },
    });
  });

  test('subscribing twice does not double events, unsubscribing ends them', async () => {
    const { live, venue } = virtualVenue();
    const { call, peer } = await live();
    call('v1/subscribe', { channels: ['rfq.maker', 'rfq.maker'] });
    peer.takeMessages();
    venue.publish('rfq.maker', { rfqId: 1 });
    expect(peer.takeMessages()).toEqual([
      { jsonrpc: '2.0', method: 'subscription', params: { channel: 'rfq.maker', data: { rfqId: 1 } } },
    ]);
    expect(call('v1/unsubscribe', { channels: ['rfq.maker'] })).toMatchObject({
      result: { status: 'unsubscribed', channels: ['rfq.maker'] },
    });
    peer.takeMessages();
    venue.publish('rfq.maker', { rfqId: 2 });
    expect(peer.frames).toEqual([]);
  });

  test.each([
    ['params', { jsonrpc: '2.0', method: 'subscription', params: { channel: 'rfq.taker', data: 1 } }],
    ['channel', { channel: 'rfq.taker', data: 1 }],
    ['method', { jsonrpc: '2.0', method: 'rfq.taker', params: 1 }],
    ['subscription', { jsonrpc: '2.0', method: 'subscription', params: { subscription: 'rfq.taker', result: 1 } }],
    ['result', { jsonrpc: '2.0', result: { channel: 'rfq.taker', data: 1 } }],
  ] as const)('the envelope %s is %j', async (envelope, expected) => {
    const { live, venue } = virtualVenue({ envelope });
    const { peer } = await live();
    venue.publish('rfq.taker', 1);
    expect(peer.messages).toEqual([expected]);
  });
});

test('a query of the socket URL is not kept: it may carry a token', () => {
  const { activities, dial, venue } = virtualVenue();
  dial('/ws/v1?token=secret');
  venue.upgrade('/elsewhere?token=secret');
  expect(JSON.stringify([activities, venue.stats])).not.toContain('secret');
});

describe('bad input', () => {
  test.each([
    ['not JSON', null, -32700],
    ['[]', null, -32600],
    ['{"id":{},"method":"auth"}', null, -32600],
    ['{"id":5}', 5, -32600],
    ['{"id":"a","method":"auth","params":[]}', 'a', -32602],
    ['{"id":6,"method":"v1/subscribe","params":{"channels":"rfq.maker"}}', 6, -32602],
    ['{"id":7,"method":"v1/nonsense"}', 7, -32601],
  ])('%s is answered with id %j and code %i', async (frame, id, code) => {
    const { live } = virtualVenue();
    const { peer, session } = await live('/');
    session.receive(frame);
    expect(peer.messages).toMatchObject([{ jsonrpc: '2.0', id, error: { code } }]);
  });

  test('a call without an id is carried out and not answered', async () => {
    const { live, venue } = virtualVenue();
    const { peer, session } = await live();
    session.receive('{"method":"heartbeat"}');
    expect([peer.frames.length, venue.stats.heartbeats]).toEqual([0, 1]);
  });

  test('frames after the close are ignored', async () => {
    const { live, venue } = virtualVenue();
    const { peer, session } = await live();
    session.disconnected(1000);
    session.disconnected(1000);
    session.receive('{"id":1,"method":"heartbeat"}');
    expect([peer.frames.length, venue.stats.closedConnections.length]).toEqual([0, 1]);
  });
});

describe('simulator/echo', () => {
  test('answers with its parameters, and counts how often each key came', async () => {
    const { live, venue } = virtualVenue();
    const { call } = await live('/');
    expect(call('simulator/echo', { key: 'a', n: 1.5 })).toMatchObject({ result: { key: 'a', n: 1.5 } });
    for (const key of ['a', 'b', '__proto__', 'a']) call('simulator/echo', { key });
    call('simulator/echo');
    const { timesByKey, ...sums } = venue.stats.echoes;
    expect(sums).toEqual({ executed: 6, repeated: 2, keys: 3 });
    expect(Object.entries(timesByKey)).toEqual([
      ['a', 3],
      ['b', 1],
      ['__proto__', 1],
    ]);
  });

  test('answers with an error where it is given one', async () => {
    const error = { code: -32042, message: 'no', data: { why: 1 } };
    expect((await virtualVenue().live('/')).call('simulator/echo', { error })).toMatchObject({ error });
  });

  test('takes its time where it is told to, and overtakes others; the end of the session ends it', async () => {
    const { live, clock } = virtualVenue();
    const { call, peer, session } = await live('/');
    const before = clock.countTimers();
    for (const delayMs of [100, 50, 0]) expect(call('simulator/echo', { delayMs }) !== undefined).toBe(delayMs === 0);
    clock.tick(60);
    expect(peer.messages.map(({ result }) => result)).toEqual([{ delayMs: 0 }, { delayMs: 50 }]);
    expect(clock.countTimers()).toBe(before + 1);
    session.disconnected(1000);
    expect(clock.countTimers()).toBe(0);
  });

  test('is executed for nobody before authentication', () => {
    const { dial, venue } = virtualVenue();
    expect(dial('/').call('simulator/echo', { key: 'a' })).toMatchObject({ error: { code: -32600 } });
    expect(venue.stats.echoes.executed).toBe(0);
  });
});
