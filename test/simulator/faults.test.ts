import { describe, expect, test } from 'vitest';
import { accessTokenPrefix } from '../../src/simulator/tokens.ts';
import { epoch, virtualVenue } from './harness.ts';

describe('connections', () => {
  test('drop cuts all sockets at once', async () => {
    const { clock, live, venue } = virtualVenue();
    const one = await live();
    const two = await live();
    venue.inject({ kind: 'drop' });
    expect([one.peer.terminated, two.peer.terminated, venue.faults.list()]).toEqual([true, true, []]);
    expect(clock.countTimers()).toBe(0);
  });

  test('drop with a code closes cleanly', async () => {
    const { live, venue } = virtualVenue();
    const { peer } = await live();
    venue.inject({ kind: 'drop', code: 1012, reason: 'restart' });
    expect([peer.terminated, peer.closed]).toEqual([false, { code: 1012, reason: 'restart' }]);
  });

  test('drop with times also closes sessions that have just authenticated', async () => {
    const { dial, live, token, venue } = virtualVenue();
    venue.inject({ kind: 'drop', times: 2, code: 1000 });
    const closed = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { call, peer } = dial();
      expect(call('auth', { token: await token() })).toMatchObject({ result: { success: true } });
      closed.push(peer.closed?.code);
    }
    expect(closed).toEqual([1000, 1000, undefined]);
    expect((await live()).peer.closed).toBeUndefined();
  });

  test('half-open connections stay mute for ever, and new ones are fine after the end', async () => {
    const { clock, live, dial, token, get, venue } = virtualVenue();
    const existing = await live();
    venue.inject({ kind: 'half-open', forMs: 15_000 });
    const during = dial();
    let answered = false;
    void get('/v1/rfq').then(() => {
      answered = true;
    });

    await clock.tickAsync(15_000);
    expect(venue.faults.list()).toEqual([]);
    for (const { call, peer } of [existing, during]) {
      expect(call('heartbeat')).toBeUndefined();
      expect(peer.unreachable).toBe(true);
    }
    venue.publish('rfq.maker', {});
    expect([existing.peer.frames, answered]).toEqual([[], false]);
    expect((await live()).call('heartbeat')).toMatchObject({ result: { time: clock.now } });
    expect(await token()).toMatch(accessTokenPrefix);
  });

  test('the venue forgets a half-open session when its heartbeats stop, without the peer knowing', async () => {
    const { clock, live, venue } = virtualVenue();
    const { peer, session } = await live();
    venue.inject({ kind: 'half-open' });
    clock.tick(30_000);
    expect(venue.stats.closedConnections).toMatchObject([{ closeCode: 4408, halfOpen: true }]);
    expect([peer.closed, peer.terminated]).toEqual([undefined, false]);
    session.disconnected(1006);
    expect(venue.stats.closedConnections.length).toBe(1);
  });

  test('drop cuts half-open connections too', async () => {
    const { live, venue } = virtualVenue();
    const { peer } = await live();
    venue.inject({ kind: 'half-open' });
    venue.inject({ kind: 'drop' });
    expect(peer.terminated).toBe(true);
  });

  test('down cuts everything and refuses until it ends', async () => {
    const { clock, get, live, venue } = virtualVenue();
    const { peer } = await live();
    venue.inject({ kind: 'down', forMs: 3000 });
    expect([peer.terminated, venue.isDown]).toEqual([true, true]);
    await expect(get('/v1/rfq')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(() => venue.upgrade('/ws/v1')).toThrow('connection refused');
    clock.tick(3000);
    expect((await get('/v1/rfq')).status).toBe(401);
    expect(venue.upgrade('/ws/v1')).toEqual({ accepted: true });
  });
});

describe('tokens and credentials', () => {
  test('refuse-auth refuses valid tokens on the socket, as often as asked', async () => {
    const { dial, token, venue } = virtualVenue();
    venue.inject({ kind: 'refuse-auth', times: 1 });
    const { call } = dial();
    const params = { token: await token() };
    expect(call('auth', params)).toMatchObject({ error: { code: -32700, message: 'authentication error' } });
    expect(call('auth', params)).toMatchObject({ result: { success: true } });
  });

  test('refuse-credentials refuses at both token endpoints', async () => {
    const { postToken, venue } = virtualVenue();
    const end = venue.inject({ kind: 'refuse-credentials' });
    const json = { clientId: 'demo', clientSecret: 'demo-secret' };
    const form = { grant_type: 'client_credentials', client_id: 'demo', client_secret: 'demo-secret' };
    expect((await postToken(json)).status).toBe(401);
    const refused = await postToken(form, 'oauth2');
    expect([refused.status, JSON.parse(refused.body).error]).toEqual([401, 'invalid_client']);
    end();
    expect((await postToken(json)).status).toBe(200);
  });

  test('refuse-address refuses at every door, or where it is told to', async () => {
    const { dial, get, postToken, token, venue } = virtualVenue();
    const access = await token();
    const reason = 'this IP address is not on the allow-list of the API key';
    const json = { clientId: 'demo', clientSecret: 'demo-secret' };
    const form = { grant_type: 'client_credentials', client_id: 'demo', client_secret: 'demo-secret' };
    const answers = async () => {
      const replies = [await postToken(json), await postToken(form, 'oauth2'), await get('/v1/rfq', access)];
      const auth = dial().call('auth', { token: access });
      return [...replies.map(({ status, body }) => [status, body.includes(reason)]), JSON.stringify(auth)];
    };
    const no = [403, true];
    const yes = [200, false];
    const refused = `{"id":1,"method":"auth","error":{"code":-32700,"message":"authentication error: ${reason}"}}`;
    const accepted = '{"id":1,"method":"auth","result":{"success":true}}';
    venue.inject({ kind: 'refuse-address' });
    expect(await answers()).toEqual([no, no, no, refused]);
    venue.clearFaults();
    venue.inject({ kind: 'refuse-address', where: ['rest'] });
    expect(await answers()).toEqual([yes, yes, no, accepted]);
    venue.clearFaults();
    venue.inject({ kind: 'refuse-address', where: ['token', 'socket'], times: 1 });
    expect(await answers()).toEqual([no, yes, yes, accepted]);
  });

  test('expire-tokens ends access tokens, refresh tokens and their sessions', async () => {
    const { get, live, postToken, token, venue } = virtualVenue();
    const { peer } = await live();
    const access = await token();
    const form = { grant_type: 'client_credentials', client_id: 'demo', client_secret: 'demo-secret' };
    const { refresh_token } = JSON.parse((await postToken(form, 'oauth2')).body);
    venue.inject({ kind: 'expire-tokens' });
    expect(peer.closed).toEqual({ code: 4401, reason: 'session expired' });
    expect((await get('/v1/rfq', access)).status).toBe(401);
    const refreshed = await postToken({ ...form, grant_type: 'refresh_token', refresh_token }, 'oauth2');
    expect(refreshed.status).toBe(400);
    expect((await get('/v1/rfq', await token())).status).toBe(200);
  });

  test('short-tokens shortens the life of tokens issued meanwhile', async () => {
    const { postToken, venue } = virtualVenue();
    const life = async (): Promise<number> =>
      JSON.parse((await postToken({ clientId: 'demo', clientSecret: 'demo-secret' })).body).expires_in;
    const end = venue.inject({ kind: 'short-tokens', lifeMs: 1500 });
    expect(await life()).toBe(1.5);
    end();
    expect(await life()).toBe(3600);
  });
});

describe('replies', () => {
  test('http-status applies below its path, WebSocket handshakes included', async () => {
    const { get, token, venue } = virtualVenue();
    const bearer = await token();
    venue.inject({ kind: 'http-status', status: 503, path: '/ws', retryAfterS: 7 });
    expect((await get('/v1/rfq', bearer)).status).toBe(200);
    expect(venue.upgrade('/ws/v1')).toMatchObject({ accepted: false, status: 503, headers: { 'retry-after': '7' } });
    expect(venue.upgrade('/')).toEqual({ accepted: true });
    expect(venue.upgrade('/elsewhere')).toMatchObject({ accepted: false, status: 404 });
  });

  test('http-status can refuse a token once, and take the next one', async () => {
    const { get, token, venue } = virtualVenue();
    const bearer = await token();
    venue.inject({ kind: 'http-status', status: 401, path: '/v1/rfq', times: 1 });
    const statuses = [await get('/v1/rfq', bearer), await get('/v1/rfq', bearer)].map(({ status }) => status);
    expect([statuses, venue.faults.list()]).toEqual([[401, 200], []]);
  });

  test('http-status 429 says when the limit resets', async () => {
    const { get, venue } = virtualVenue();
    venue.inject({ kind: 'http-status', status: 429, resetInS: 20, retryAfterS: 20, times: 1 });
    const reply = await get('/v1/rfq');
    expect(reply.headers).toMatchObject({
      'retry-after': '20',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(epoch / 1000 + 20),
    });
    expect(JSON.parse(reply.body)).toMatchObject({ limit: 1000, window: 60, reset: epoch / 1000 + 20 });
    expect((await get('/v1/rfq')).status).toBe(401);
  });

  test('delay postpones replies and events, in order even when it ends', async () => {
    const { clock, live, token, venue } = virtualVenue();
    const { call, peer } = await live();
    const end = venue.inject({ kind: 'delay', ms: 200 });
    let issued = false;
    void token().then(() => {
      issued = true;
    });
    expect(call('heartbeat')).toBeUndefined();
    clock.tick(50);
    end();
    venue.publish('rfq.maker', 1);
    await clock.tickAsync(149);
    expect([peer.frames.length, issued]).toEqual([0, false]);
    await clock.tickAsync(1);
    expect(peer.messages).toMatchObject([{ method: 'heartbeat' }, { method: 'subscription' }]);
    expect(issued).toBe(true);
    venue.publish('rfq.maker', 2);
    expect(peer.frames.length).toBe(3);
  });

  test('partial-subscription leaves channels unconfirmed', async () => {
    const { live, venue } = virtualVenue();
    const { call } = await live();
    call('v1/unsubscribe', { channels: ['rfq.maker', 'rfq.taker'] });
    venue.inject({ kind: 'partial-subscription', channels: ['rfq.taker'] });
    expect(call('v1/subscribe', { channels: ['rfq.maker', 'rfq.taker'] })).toMatchObject({
      result: { status: 'subscribed', channels: ['rfq.maker'] },
    });
  });

  test('unknown-method, rpc-error and no-reply change the answer to one method', async () => {
    const { live, venue } = virtualVenue();
    const { call } = await live('/');
    venue.inject({ kind: 'unknown-method', method: 'auth/refresh' });
    venue.inject({ kind: 'rpc-error', method: 'v1/subscribe', code: -32603, message: 'internal error' });
    venue.inject({ kind: 'no-reply', method: 'v1/unsubscribe' });
    expect(call('auth/refresh', {})).toMatchObject({ error: { code: -32601 } });
    expect(call('v1/subscribe', {})).toMatchObject({ error: { code: -32603, message: 'internal error' } });
    expect(call('v1/unsubscribe', {})).toBeUndefined();
    expect(call('heartbeat')).toMatchObject({ result: { time: epoch } });
  });
});

describe('events', () => {
  test('mute silences one channel', async () => {
    const { live, venue } = virtualVenue();
    const { peer } = await live();
    venue.inject({ kind: 'mute', channel: 'rfq.maker' });
    venue.publish('rfq.maker', 1);
    venue.publish('rfq.taker', 2);
    expect(peer.messages).toMatchObject([{ params: { channel: 'rfq.taker' } }]);
  });

  test('malformed sends garbage of every sort, and records each frame', async () => {
    const { live, sent, venue } = virtualVenue();
    const { peer } = await live();
    venue.burst(10);
    peer.takeMessages();
    sent.length = 0;
    venue.inject({ kind: 'malformed' });
    expect(peer.frames).toEqual(sent.map((record) => record.frame));
    expect(sent.map((record) => record.channel)).toEqual([null, null, 'rfq.maker', null, null, null]);
    const [text, truncated, lines, binary, noChannel, unknown] = peer.frames;
    expect(() => JSON.parse(String(text))).toThrow();
    expect(() => JSON.parse(String(truncated))).toThrow();
    expect(JSON.parse(String(lines)).params.channel).toBe('rfq.maker');
    expect(String(lines)).toContain('\n');
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(binary as Uint8Array)).toThrow();
    expect(JSON.parse(String(noChannel))).not.toHaveProperty('params.channel');
    expect(JSON.parse(String(unknown)).params.channel).toBe('rfq.unknown');
  });

  test('oversized sends one valid event of the size asked for', async () => {
    const { live, venue } = virtualVenue();
    const { peer } = await live();
    venue.burst(10);
    peer.takeMessages();
    venue.inject({ kind: 'oversized', bytes: 2_000_000 });
    expect(String(peer.frames[0]).length).toBe(2_000_000);
    expect(peer.messages).toMatchObject([{ params: { channel: 'rfq.maker', data: { kind: 'option' } } }]);
  });
});

describe('life of a fault', () => {
  test('afterMs postpones it, forMs ends it, and both are told', () => {
    const { activities, clock, venue } = virtualVenue();
    venue.inject({ kind: 'refuse-auth', afterMs: 1000, forMs: 500 });
    const seen = [];
    for (const step of [999, 1, 499, 1]) {
      clock.tick(step);
      seen.push(venue.faults.find('refuse-auth') !== undefined);
    }
    expect(seen).toEqual([false, true, true, false]);
    expect(activities).toEqual([
      { event: 'fault-started', id: 1, kind: 'refuse-auth' },
      { event: 'fault-ended', id: 1, kind: 'refuse-auth' },
    ]);
  });

  test('is listed with what is left of it, and cleared before it started', () => {
    const { clock, venue } = virtualVenue();
    venue.inject({ kind: 'refuse-auth', times: 3 });
    venue.inject({ kind: 'drop', afterMs: 1000 });
    expect(venue.faults.list()).toEqual([
      { id: 1, fault: { kind: 'refuse-auth', times: 3 }, state: 'active', timesLeft: 3 },
      { id: 2, fault: { kind: 'drop', afterMs: 1000 }, state: 'scheduled' },
    ]);
    venue.clearFaults();
    expect([venue.faults.list(), clock.countTimers()]).toEqual([[], 0]);
  });

  test('overlapping down faults end with the last', () => {
    const { venue } = virtualVenue();
    const ends = [venue.inject({ kind: 'down' }), venue.inject({ kind: 'down' })];
    expect(
      ends.map((end) => {
        end();
        end();
        return venue.isDown;
      }),
    ).toEqual([true, false]);
  });

  test('closing the venue leaves no timer', async () => {
    const { clock, get, live, venue } = virtualVenue({ rate: 50 });
    venue.start();
    await live();
    venue.inject({ kind: 'delay', ms: 100, forMs: 5000 });
    void get('/v1/rfq');
    clock.tick(50);
    venue.close();
    expect(clock.countTimers()).toBe(0);
  });
});
