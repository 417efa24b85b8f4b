import { describe, expect, test } from 'vitest';
import { clientId, scriptedServer } from '../../adapters/support/venue.ts';
import { venueConfig } from '../../e2e/support/simulator-process.ts';
import { answering, check, venueWith } from './support/check.ts';

describe('a wrong profile', () => {
  test('JSON to an OAuth2 endpoint', async () => {
    const venue = await venueWith();
    const { of, failed } = await check({ restUrl: venue.restUrl, tokenUrl: venue.oauth2TokenUrl });
    expect(failed).toEqual(['token']);
    expect(of('token')).toMatchObject({
      detail: 'token request: HTTP 401, "Invalid client or Invalid client credentials"',
      advice:
        'This endpoint takes OAuth2, as in profile platform, and was asked in JSON: set venue.profile: platform (or venue.tokenStyle: oauth2 alone).',
    });
    expect(of('first REST call')).toMatchObject({ result: 'skipped', detail: 'needs token' });
  });

  test('OAuth2 to an endpoint for JSON', async () => {
    const venue = await venueWith();
    const { of } = await check({ ...venueConfig('platform', venue), tokenUrl: venue.tokenUrl });
    expect(of('token')).toMatchObject({
      detail: 'token request: HTTP 400, "Bad Request: body must be a JSON object"',
      advice:
        'This endpoint takes JSON, as in profile quickstart, and was asked in OAuth2: set venue.profile: quickstart (or venue.tokenStyle: json alone).',
    });
  });

  test('the profile is right, and its style was changed', async () => {
    const venue = await venueWith();
    const { of } = await check({ ...venueConfig('platform', venue), tokenStyle: 'json' });
    expect(of('token').advice).toBe(
      'This endpoint takes OAuth2, as in profile platform, and was asked in JSON: set venue.tokenStyle: oauth2.',
    );
  });

  test.each([
    ['json', 'quickstart', 'platform', 'OAuth2'],
    ['oauth2', 'platform', 'quickstart', 'JSON'],
  ] as const)('a body of type %s is not supported', async (_style, profile, other, takes) => {
    await using endpoint = await answering(415, '');
    const { restUrl, socketUrl } = await venueWith();
    const { of } = await check({ profile, restUrl, socketUrl, tokenUrl: endpoint.url });
    expect(of('token').advice).toContain(`This endpoint takes ${takes}, as in profile ${other}`);
    expect(endpoint.received).toHaveLength(1);
  });

  test.each([
    ['quickstart', 'platform', '/realms/figmarkets-api/protocol/openid-connect/token'],
    ['platform', 'quickstart', '/v1/auth'],
  ] as const)(
    'there is nothing at the address of profile %s, and the same host has an endpoint of the other',
    async (profile, other, path) => {
      const { restUrl, socketUrl } = await venueWith();
      await using server = await scriptedServer((response, { url }) => {
        const refusal = other === 'platform' ? { error: 'invalid_client' } : { code: 400, message: 'Bad Request' };
        response.writeHead(url === path ? 400 : 404).end(url === path ? JSON.stringify(refusal) : 'no such page');
      });
      const tokenUrl = `${server.url}/elsewhere`;
      const { of } = await check({ profile, restUrl, socketUrl, tokenUrl });
      expect(of('token').advice).toBe(
        `There is no token endpoint at ${tokenUrl}. There is one of profile ${other} at ${server.url}${path}: ` +
          `set venue.profile: ${other} and venue.tokenUrl.`,
      );
      expect(server.received.length).toBeLessThanOrEqual(3);
      // Found without the credentials: they are for the address that is configured.
      expect(server.received.slice(1).filter(({ body }) => body.includes(clientId))).toEqual([]);
    },
  );

  test('a REST path in place of the token endpoint, which wants a token itself', async () => {
    const venue = await venueWith();
    const { of } = await check({ restUrl: venue.restUrl, tokenUrl: `${venue.restUrl}/v1/rfq` });
    expect(of('token').advice).toBe(
      `There is no token endpoint at ${venue.restUrl}/v1/rfq. There is one of profile quickstart at ${venue.tokenUrl}: set venue.tokenUrl.`,
    );
  });

  test('a page for people in place of the token endpoint', async () => {
    const { restUrl } = await venueWith();
    await using page = await answering(200, '<html>Sign in</html>', { 'content-type': 'text/html' });
    const { of } = await check({ restUrl, tokenUrl: `${page.url}/login?session=secret` });
    expect(of('token').advice).toBe(
      `There is no token endpoint at ${page.url}/login. Check venue.tokenUrl: in profile quickstart its path is /v1/auth.`,
    );
  });

  test('one of the three hosts of profile platform was moved, and the others were not', async () => {
    const { restUrl, oauth2TokenUrl } = await venueWith();
    const { of } = await check({
      profile: 'platform',
      restUrl,
      tokenUrl: oauth2TokenUrl,
      socketUrl: 'wss://ws.test.figmarkets.com',
    });
    expect(of('dns')).toMatchObject({
      result: 'failed',
      advice:
        'In profile platform the venue has three hosts, and each of their addresses is set on its own: venue.restUrl and venue.tokenUrl are set, venue.socketUrl is not.',
    });
  });

  test('wrong credentials are no wrong profile', async () => {
    for (const dialect of ['quickstart', 'platform'] as const) {
      const { of } = await check(venueConfig(dialect, await venueWith()), { secret: 'another secret' });
      expect(of('token').advice).toBe(
        'The venue does not know this client id with this secret: compare both with the key at the venue. Its environments have keys of their own, and venue.environment is test.',
      );
    }
  });

  test.each([
    [429, 'figd waits as long as the venue asked'],
    [503, 'The venue has a fault of its own'],
  ])('HTTP %d is no wrong profile', async (status, advice) => {
    const venue = await venueWith();
    venue.venue.inject({ kind: 'http-status', status, path: '/v1/auth' });
    const { of } = await check({ restUrl: venue.restUrl });
    expect(of('token').advice).toContain(advice);
  });
});

describe('a socket address that answers in HTTP', () => {
  test.each([
    ['quickstart', '/ws/v1', 'venue.socketUrl'],
    ['platform', '', 'venue.socketUrl'],
  ] as const)('in profile %s leads to where one opens', async (dialect, path, key) => {
    const venue = await venueWith();
    const socketUrl = `${venue.platformSocketUrl}/elsewhere?token=secret`;
    const { of, failed } = await check({ ...venueConfig(dialect, venue), socketUrl });
    expect(failed).toEqual(['socket']);
    expect(of('socket')).toMatchObject({
      detail: expect.stringContaining('HTTP 404'),
      advice:
        `${venue.platformSocketUrl}/elsewhere answers, but not with a WebSocket. One opens at ${venue.platformSocketUrl}${path}, ` +
        `where profile ${dialect} has it: set ${key}.`,
    });
  });

  test('at the host of the REST API, where there is none at its own', async () => {
    const venue = await venueWith();
    await using other = await answering(404, '');
    const { of } = await check({ restUrl: venue.restUrl, socketUrl: `${other.url.replace('http', 'ws')}/ws/v1` });
    expect(of('socket').advice).toContain(`One opens at ${venue.socketUrl}, where profile quickstart has it`);
  });

  test('and nowhere else', async () => {
    await using other = await answering(200, 'hello');
    const { restUrl, tokenUrl } = await venueWith();
    const { of } = await check({ restUrl: other.url, tokenUrl, socketUrl: `${other.url.replace('http', 'ws')}/ws/v1` });
    expect(of('socket').advice).toMatch(
      /answers, but not with a WebSocket\. Check venue\.socketUrl: in profile quickstart/,
    );
    expect(restUrl).not.toBe(other.url);
  });

  test('a method with another name is named by its key', async () => {
    const venue = await venueWith();
    const { of, failed } = await check({ restUrl: venue.restUrl, methods: { subscribe: 'v2/subscribe' } });
    expect(failed).toEqual(['subscriptions']);
    expect(of('subscriptions').advice).toContain('set venue.methods.subscribe');
  });
});
