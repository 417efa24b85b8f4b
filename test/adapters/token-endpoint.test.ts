import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { HttpTimeouts } from '../../src/adapters/http-client.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { TokenEndpoint } from '../../src/adapters/token-endpoint.ts';
import type { Vault } from '../../src/adapters/vault.ts';
import type { GrantKind } from '../../src/machines/token.events.ts';
import { failureOf } from '../../src/protocol/failure.ts';
import { until, within } from '../support/until.ts';
import { clientId, clientSecret, deadUrl, httpClient, quietVenue, scriptedServer, vaultWith } from './support/venue.ts';

type Style = 'json' | 'oauth2';

function ask(url: string, style: Style, vault: Vault, timeouts?: HttpTimeouts) {
  const http = httpClient(timeouts);
  // Time stands still: a token dies a whole life after the request for it.
  const clock = { ...systemClock(), monotonic: () => 5_000 };
  const endpoint = new TokenEndpoint({ url, style, http, vault, clock });
  const request = (kind: GrantKind = 'credentials', generation = 1, signal = new AbortController().signal) =>
    within('the token', endpoint.request({ generation, kind }, signal));
  /** The failure that a request ends with. */
  const refusal = async (kind: GrantKind = 'credentials') =>
    failureOf(
      await request(kind).then(
        (grant) => new Error(`granted ${grant.lifeMs}`),
        (error: unknown) => error,
      ),
    );
  return { request, refusal, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
}

const reply =
  (status: number, body: unknown, headers = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

describe('with the simulated venue', () => {
  it('exchanges credentials for a token in the quickstart way', async () => {
    await using venue = await quietVenue({ tokenLife: 90_000 });
    const vault = vaultWith();
    await using endpoint = ask(venue.tokenUrl, 'json', vault);
    expect(await endpoint.request('credentials', 4)).toEqual({ lifeMs: 90_000 });
    expect(vault.accessToken).toEqual({
      value: expect.stringMatching(/^figsim-access-/),
      generation: 4,
      expiresAt: 95_000,
    });
    expect([vault.refreshToken, venue.venue.stats.tokenRequests.json]).toEqual([null, { issued: 1, refused: 0 }]);
  });

  it('exchanges credentials, then refresh tokens, in the OAuth2 way', async () => {
    await using venue = await quietVenue();
    const vault = vaultWith();
    await using endpoint = ask(venue.oauth2TokenUrl, 'oauth2', vault);
    expect(await endpoint.request('refresh', 1)).toEqual({ lifeMs: 300_000 });
    const first = [vault.accessToken?.value, vault.refreshToken];
    expect(await endpoint.request('refresh', 2)).toEqual({ lifeMs: 300_000 });
    expect(vault.accessToken).toEqual({
      value: expect.stringMatching(/^figsim-access-/),
      generation: 2,
      expiresAt: 305_000,
    });
    expect(vault.refreshToken).toMatch(/^figsim-refresh-/);
    expect(first).not.toContain(vault.accessToken?.value);
    expect(first).not.toContain(vault.refreshToken);
    const { client_credentials, refresh_token } = venue.venue.stats.tokenRequests;
    expect([client_credentials, refresh_token]).toEqual([
      { issued: 1, refused: 0 },
      { issued: 1, refused: 0 },
    ]);
  });

  it('says that only the refresh token was refused, and uses the credentials from then on', async () => {
    await using venue = await quietVenue();
    const vault = vaultWith();
    await using endpoint = ask(venue.oauth2TokenUrl, 'oauth2', vault);
    await endpoint.request('credentials', 1);
    venue.venue.inject({ kind: 'expire-tokens' });
    expect(await endpoint.refusal('refresh')).toEqual({
      class: 'refused',
      code: 'refresh-token-refused',
      message: 'token request: HTTP 400, "Token is not active"',
    });
    expect([vault.accessToken?.generation, vault.refreshToken]).toEqual([1, null]);
    expect(await endpoint.request('refresh', 2)).toEqual({ lifeMs: 300_000 });
    expect(vault.accessToken?.generation).toBe(2);
    const { client_credentials, refresh_token } = venue.venue.stats.tokenRequests;
    expect([client_credentials.issued, refresh_token]).toEqual([2, { issued: 0, refused: 1 }]);
  });

  it.each<[Style, string]>([
    ['json', 'token request: HTTP 401, "Unauthorized: invalid credentials"'],
    ['oauth2', 'token request: HTTP 401, "Invalid client or Invalid client credentials"'],
  ])('knows refused credentials (%s)', async (style, message) => {
    await using venue = await quietVenue();
    const vault = vaultWith(clientId, 'wrong');
    await using endpoint = ask(style === 'json' ? venue.tokenUrl : venue.oauth2TokenUrl, style, vault);
    expect(await endpoint.refusal()).toEqual({ class: 'refused', code: 'credentials-refused', message });
    expect(vault.accessToken).toBeNull();
  });

  it.each([
    [{ status: 403 }, { class: 'refused', code: 'permission-denied' }],
    [{ status: 404 }, { class: 'protocol', code: 'not-found' }],
    [{ status: 500 }, { class: 'transient', code: 'server-error' }],
    [{ status: 503 }, { class: 'transient', code: 'server-error' }],
    [
      { status: 503, retryAfterS: 4 },
      { class: 'limited', code: 'server-busy', retryAfterMs: 4_000 },
    ],
    [
      { status: 429, retryAfterS: 7 },
      { class: 'limited', code: 'rate-limited', retryAfterMs: 7_000 },
    ],
  ])('classifies %j', async (fault, expected) => {
    await using venue = await quietVenue();
    await using endpoint = ask(venue.tokenUrl, 'json', vaultWith());
    venue.venue.inject({ kind: 'http-status', ...fault });
    const { message, ...found } = await endpoint.refusal();
    expect(found).toEqual(expected);
    expect(message).toMatch(/^token request: HTTP \d{3}, "/);
  });

  it('waits until the reset of the rate limit where the venue tells only that', async () => {
    await using venue = await quietVenue();
    await using endpoint = ask(venue.tokenUrl, 'json', vaultWith());
    venue.venue.inject({ kind: 'http-status', status: 429, resetInS: 20 });
    const { code, retryAfterMs = 0 } = await endpoint.refusal();
    expect(code).toBe('rate-limited');
    expect(retryAfterMs).toBeGreaterThan(15_000);
    expect(retryAfterMs).toBeLessThanOrEqual(21_000);
  });
});

describe('with a server of whims', () => {
  const granted = { access_token: 'granted-token', expires_in: 60 };

  it('sends what each style prescribes, byte for byte', async () => {
    await using server = await scriptedServer(reply(200, { ...granted, refresh_token: 'r/1' }));
    const vault = vaultWith();
    await using json = ask(`${server.url}/v1/auth`, 'json', vault);
    await using oauth2 = ask(`${server.url}/token`, 'oauth2', vault);
    await json.request();
    await oauth2.request();
    await oauth2.request('refresh');
    const form = 'client_id=demo-client-id&client_secret=demo-client-secret%2F%2B%3D';
    expect(
      server.received.map(({ method, url, headers, body }) => [method, url, headers['content-type'], body]),
    ).toEqual([
      ['POST', '/v1/auth', 'application/json', JSON.stringify({ clientId, clientSecret })],
      ['POST', '/token', 'application/x-www-form-urlencoded', `grant_type=client_credentials&${form}`],
      ['POST', '/token', 'application/x-www-form-urlencoded', `grant_type=refresh_token&refresh_token=r%2F1&${form}`],
    ]);
  });

  it('gets a token also where answers are compressed for whoever does not say no', async () => {
    await using server = await scriptedServer((response) => {
      const text = JSON.stringify(granted);
      if (response.req.headers['accept-encoding'] === 'identity') response.end(text);
      else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text));
    });
    await using endpoint = ask(server.url, 'json', vaultWith());
    await expect(endpoint.request()).resolves.toHaveProperty('lifeMs');
  });

  it.each([
    ['is empty', ''],
    ['is not JSON', '<html>welcome</html>'],
    ['is an array', [granted]],
    ['has no token', { expires_in: 60 }],
    ['has an empty token', { ...granted, access_token: '' }],
    ['has a token that is no text', { ...granted, access_token: 5 }],
  ])('calls an answer bad that %s', async (_what, body) => {
    await using server = await scriptedServer(reply(200, body));
    const vault = vaultWith();
    await using endpoint = ask(server.url, 'json', vault);
    const message = 'token request: the answer has no access_token';
    expect(await endpoint.refusal()).toEqual({ class: 'protocol', code: 'bad-reply', message });
    expect(vault.accessToken).toBeNull();
  });

  it.each([undefined, null, 0, -1, 'soon', {}, '1e400'])(
    'calls an answer bad whose expires_in is %j',
    async (expires) => {
      await using server = await scriptedServer(reply(200, { ...granted, expires_in: expires }));
      const vault = vaultWith();
      await using endpoint = ask(server.url, 'json', vault);
      const message = 'token request: expires_in is not a number of seconds above zero';
      expect(await endpoint.refusal()).toEqual({ class: 'protocol', code: 'bad-reply', message });
      expect(vault.accessToken).toBeNull();
    },
  );

  it.each([
    ['"60"', '60', 60_000],
    ['a fraction', 0.5, 500],
  ])('takes an expires_in of %s', async (_what, expires, lifeMs) => {
    await using server = await scriptedServer(reply(201, { ...granted, expires_in: expires }));
    await using endpoint = ask(server.url, 'json', vaultWith());
    expect(await endpoint.request()).toEqual({ lifeMs });
  });

  it.each<[string, string]>([
    ['invalid_client', 'credentials-refused'],
    ['unauthorized_client', 'credentials-refused'],
    ['access_denied', 'credentials-refused'],
    ['invalid_request', 'bad-reply'],
  ])('reads HTTP 400 with the error %s as %s', async (error, code) => {
    await using server = await scriptedServer(reply(400, { error }));
    await using endpoint = ask(server.url, 'oauth2', vaultWith());
    expect(await endpoint.refusal()).toMatchObject({ code, message: `token request: HTTP 400, "${error}"` });
  });

  it.each([400, 401, 403])('knows with %d that it is the address, where the venue says so', async (status) => {
    const error = { error: 'access_denied', error_description: 'IP address is not on the allow-list' };
    await using server = await scriptedServer(reply(status, error));
    await using endpoint = ask(server.url, 'oauth2', vaultWith());
    expect(await endpoint.refusal()).toMatchObject({ class: 'refused', code: 'address-refused' });
  });

  it.each([400, 401])(
    'asks once a call, with the credentials after the refresh token, where both are refused with %d',
    async (status) => {
      await using server = await scriptedServer(reply(status, { error: 'invalid_client' }));
      const vault = vaultWith();
      vault.keep({ value: 'old-token', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, 'old-refresh');
      await using endpoint = ask(server.url, 'oauth2', vault);
      expect(await endpoint.refusal('refresh')).toMatchObject({ code: 'refresh-token-refused' });
      expect(server.received).toHaveLength(1);
      expect(await endpoint.refusal('refresh')).toMatchObject({ code: 'credentials-refused' });
      const grants = server.received.map(({ body }) => new URLSearchParams(body).get('grant_type'));
      expect(grants).toEqual(['refresh_token', 'client_credentials']);
      expect([vault.refreshToken, vault.accessToken?.value]).toEqual([null, 'old-token']);
    },
  );

  it.each([403, 404, 405, 409, 422])(
    'takes %d for a refusal of the refresh token, whatever it means of other requests: the credentials will tell',
    async (status) => {
      await using server = await scriptedServer(reply(status, {}));
      const vault = vaultWith();
      vault.keep({ value: 'old-token', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, 'old-refresh');
      await using endpoint = ask(server.url, 'oauth2', vault);
      expect(await endpoint.refusal('refresh')).toMatchObject({ code: 'refresh-token-refused' });
      expect(vault.refreshToken).toBe(null);
      expect(await endpoint.refusal('refresh')).not.toMatchObject({ code: 'refresh-token-refused' });
    },
  );

  it.each([408, 425, 429, 500, 503])(
    'keeps the refresh token when the answer is %d, which says nothing about it',
    async (status) => {
      await using server = await scriptedServer(reply(status, {}));
      const vault = vaultWith();
      vault.keep({ value: 'old-token', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, 'old-refresh');
      await using endpoint = ask(server.url, 'oauth2', vault);
      await endpoint.refusal('refresh');
      expect([vault.refreshToken, server.received.length]).toEqual(['old-refresh', 1]);
    },
  );

  it.each([
    ['stops', (response: ServerResponse) => void response.write('{')],
    ['breaks off', (response: ServerResponse) => void response.write('{', () => response.destroy())],
  ])('is refused by status and headers where the body %s, soon', async (_, go) => {
    await using server = await scriptedServer((response) => go(response.writeHead(429, { 'retry-after': '300' })));
    await using endpoint = ask(server.url, 'json', vaultWith(), { connect: 2_000, reply: 60_000 });
    const since = performance.now();
    expect(await endpoint.refusal()).toEqual({
      class: 'limited',
      code: 'rate-limited',
      message: 'token request: HTTP 429',
      retryAfterMs: 300_000,
    });
    expect(performance.now() - since).toBeLessThan(3_000);
  });

  it('keeps secrets that the answer repeats out of the failure', async () => {
    await using server = await scriptedServer((response, { body }) =>
      reply(400, { message: `bad: ${body}` })(response),
    );
    for (const style of ['json', 'oauth2'] as const) {
      await using endpoint = ask(server.url, style, vaultWith());
      const { message } = await endpoint.refusal();
      expect(message).toContain('[secret]');
      for (const hidden of [clientId, clientSecret, encodeURIComponent(clientSecret)]) {
        expect(message).not.toContain(hidden);
      }
    }
  });

  it('follows no redirect: credentials go to the configured address alone', async () => {
    await using other = await scriptedServer(reply(200, granted));
    await using server = await scriptedServer(reply(307, '', { location: other.url }));
    await using endpoint = ask(server.url, 'json', vaultWith());
    expect(await endpoint.refusal()).toEqual({
      class: 'protocol',
      code: 'http-unknown',
      message: 'token request: HTTP 307',
      unknown: 'http 307',
    });
    expect(other.received).toEqual([]);
  });

  it('gives up on a server that does not answer, or not to the end', async () => {
    const timeouts = { connect: 500, reply: 200 };
    await using silent = await scriptedServer(() => undefined);
    await using first = ask(silent.url, 'json', vaultWith(), timeouts);
    expect(await first.refusal()).toMatchObject({ class: 'transient', code: 'reply-timeout' });
    await using halting = await scriptedServer((response) => response.writeHead(200).write('{"access_token":'));
    await using second = ask(halting.url, 'json', vaultWith(), timeouts);
    expect(await second.refusal()).toMatchObject({ class: 'transient', code: 'reply-timeout' });
  });

  it('says when the connection breaks or nobody listens', async () => {
    await using breaking = await scriptedServer((response) => response.destroy());
    await using first = ask(breaking.url, 'json', vaultWith());
    expect(await first.refusal()).toMatchObject({ class: 'transient', code: 'connection-lost' });
    await using second = ask(await deadUrl(), 'json', vaultWith());
    expect(await second.refusal()).toMatchObject({ class: 'transient', code: 'connection-refused' });
  });

  it('refuses an answer without end', async () => {
    await using endless = await scriptedServer((response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1_048_576)));
      };
      response.writeHead(200).on('drain', more);
      more();
    });
    await using endpoint = ask(endless.url, 'json', vaultWith());
    expect(await endpoint.refusal()).toMatchObject({ class: 'protocol', code: 'bad-reply' });
  });

  it('throws away an answer nobody waits for any more', async () => {
    await using server = await scriptedServer(() => undefined);
    const vault = vaultWith();
    await using endpoint = ask(server.url, 'json', vault);
    const abort = new AbortController();
    const request = endpoint.request('credentials', 1, abort.signal);
    await until('the request', () => server.received.length === 1);
    abort.abort(new Error('too late'));
    await expect(request).rejects.toThrow('too late');
    expect(vault.accessToken).toBeNull();
  });

  it('does not keep a token that arrives as the request is aborted', async () => {
    const abort = new AbortController();
    const vault = vaultWith();
    const late = {
      send: async () => {
        abort.abort(new Error('too late'));
        return { status: 200, headers: {}, body: JSON.stringify({ ...granted, refresh_token: 'r' }) };
      },
      close: async () => undefined,
    };
    const endpoint = new TokenEndpoint({
      url: 'http://localhost',
      style: 'oauth2',
      http: late as unknown as ReturnType<typeof httpClient>,
      vault,
      clock: systemClock(),
    });
    await expect(endpoint.request({ generation: 1, kind: 'credentials' }, abort.signal)).rejects.toThrow('too late');
    expect([vault.accessToken, vault.refreshToken]).toEqual([null, null]);
  });
});
