import { describe, expect, test } from 'vitest';
import { clientSecret, deadUrl, type Received, scriptedServer } from '../adapters/support/venue.ts';
import { venueConfig } from '../e2e/support/simulator-process.ts';
import { answering, check, strict, venueWith } from './preflight/support/check.ts';

describe('where everything is well', () => {
  test.each([
    ['quickstart', {}, ''],
    ['platform', strict, ', with a refresh token'],
  ] as const)('profile %s passes, with no request more than it takes', async (dialect, options, remark) => {
    const venue = await venueWith(options);
    const { failed, of } = await check(venueConfig(dialect, venue));
    expect(failed).toEqual([]);
    expect(of('token').detail).toBe(`granted for ${dialect === 'quickstart' ? 3600 : 300} s${remark}`);
    expect(of('first REST call').detail).toContain('HTTP 200, 1 exchange credentials');
    const { requestsByPath, dials } = venue.venue.stats;
    expect([Object.values(requestsByPath), dials]).toEqual([[1, 1], 1]);
  });

  test('a grant without a refresh token is remarked on', async () => {
    const venue = await venueWith();
    await using endpoint = await answering(200, { access_token: 'granted-without-more', expires_in: 60 });
    const { of } = await check({ ...venueConfig('platform', venue), tokenUrl: endpoint.url });
    expect(of('token')).toMatchObject({
      result: 'ok',
      detail: 'granted for 60 s, without a refresh token: figd renews with the credentials',
    });
  });
});

test.each(['tokenUrl', 'restUrl', 'socketUrl'] as const)(
  'where nobody listens at %s, that key is named',
  async (key) => {
    const { restUrl, tokenUrl, socketUrl } = await venueWith();
    const dead = await deadUrl(key === 'socketUrl' ? 'ws' : 'http');
    const { outcomes } = await check({ restUrl, tokenUrl, socketUrl, [key]: dead });
    const advice = outcomes.flatMap((outcome) => (outcome.result === 'failed' ? [outcome.advice] : []));
    expect(advice).toEqual([
      `Nothing listens there, or a firewall forbids it: check venue.${key}, or wait for the venue.`,
    ]);
  },
);

test('a proxy is left alone where the venue is on this machine', async () => {
  const { restUrl } = await venueWith();
  const { failed, of } = await check({ restUrl }, { proxy: await deadUrl() });
  expect([failed, of('dns').detail]).toEqual([[], 'addresses are given, nothing to resolve']);
});

test('a proxy that is not there is what there is to look at', async () => {
  const proxy = await deadUrl();
  const { of } = await check({ restUrl: 'https://venue.test' }, { proxy });
  const { host } = new URL(proxy);
  expect(of('tls')).toMatchObject({
    detail: `TLS with venue.test: proxy ${host}: connect ECONNREFUSED ${host}`,
    advice: `Check network.proxy, ${host}, and that it may connect to the venue.`,
  });
});

test('nothing that is told holds a secret', async () => {
  const told: (string | undefined)[] = [];
  const remember = ({ body, headers }: Received) => told.push(body, headers.authorization);
  await using echo = await scriptedServer((response, request) => {
    remember(request);
    const message = `you sent ${request.body}, ${request.headers.authorization}`;
    response.writeHead(401).end(JSON.stringify({ code: 401, message }));
  });
  const venue = await venueWith();
  for (const profile of ['quickstart', 'platform'] as const) {
    const { outcomes } = await check({ profile, restUrl: echo.url, tokenUrl: echo.url, socketUrl: venue.socketUrl });
    expect(JSON.stringify(outcomes)).not.toContain(clientSecret);
    expect(JSON.stringify(outcomes)).toContain('[secret]');
  }
  expect(told.join()).toContain(clientSecret);
});
