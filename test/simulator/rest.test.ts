import { createHmac } from 'node:crypto';
import { createClock } from '@sinonjs/fake-timers';
import { expect, test } from 'vitest';
import type { Rfq } from '../../src/simulator/book.ts';
import { SlidingWindow } from '../../src/simulator/rate-limit.ts';
import { Venue } from '../../src/simulator/venue.ts';
import { epoch, virtualVenue } from './harness.ts';

test('exchange credentials come in the form of the dialect that issued the token', async () => {
  const { get, token } = virtualVenue({ exchangeSecret: 'canary' });
  const path = '/v1/account/exchange-credentials';
  const quickstart = JSON.parse((await get(path, await token('json'))).body);
  const platform = JSON.parse((await get(path, await token('oauth2'))).body);
  expect(quickstart).toEqual({
    success: true,
    data: [
      {
        credentialsId: 2204,
        exchangeId: 1,
        alias: 'Simulated exchange account',
        clientId: 'exchange-demo',
        clientSecret: 'canary',
      },
    ],
  });
  expect(platform).toEqual([
    {
      credentialsId: 2204,
      exchangeId: 1,
      alias: 'Simulated exchange account',
      exchange: 'Deribit',
      exchangeShortCode: 'DBT',
      isExchangeDefault: true,
    },
  ]);
});

test('account endpoints need the role trader', async () => {
  const { get, token } = virtualVenue({ roles: [] });
  const reply = await get('/v1/account/exchange-credentials', await token());
  expect(reply.status).toBe(403);
});

test('RFQs are paged by cursor: every one once, oldest first', async () => {
  const { clock, get, token, venue } = virtualVenue();
  for (let round = 0; round < 50; round += 1) {
    venue.burst(20);
    clock.tick(1000);
  }
  const bearer = await token();
  const seen: Rfq[] = [];
  let total = -1;
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = JSON.parse((await get(`/v1/rfq?limit=7${query}`, bearer)).body);
    expect(page.results.length).toBeLessThanOrEqual(7);
    seen.push(...page.results);
    total = page.totalResults;
    cursor = page.cursor;
  }
  const ids = seen.map((rfq) => rfq.rfqId);
  expect(ids).toEqual([...new Set(ids)].sort((left, right) => left - right));
  expect(ids.length).toBe(total);

  const one = JSON.parse((await get(`/v1/rfq/${ids[0]}`, bearer)).body);
  expect(one).toEqual(seen[0]);
});

test('RFQs are filtered by time, role, currency and status', async () => {
  const { clock, get, token, venue } = virtualVenue();
  for (let round = 0; round < 30; round += 1) {
    venue.burst(20);
    clock.tick(1000);
  }
  const from = epoch + 5000;
  const to = epoch + 20_000;
  const path = `/v1/rfq?startTime=${from}&endTime=${to}&role=maker&baseCurrency=BTC&status=filled,cancelled&limit=1000`;
  const { results } = JSON.parse((await get(path, await token())).body) as { results: Rfq[] };
  expect(results.length).toBeGreaterThan(0);
  for (const rfq of results) {
    expect([rfq.role, rfq.baseCurrency, ['filled', 'cancelled'].includes(rfq.status)]).toEqual(['maker', 'BTC', true]);
    expect(rfq.createdAt >= from && rfq.createdAt <= to).toBe(true);
  }
});

test.each([
  ['/v1/rfq?limit=0', 400],
  ['/v1/rfq?limit=1001', 400],
  ['/v1/rfq?status=open,odd', 400],
  ['/v1/rfq?role=broker', 400],
  ['/v1/rfq/1', 404],
  ['/v1/nothing', 404],
  ['//', 404],
])('GET %s is answered with %i', async (path, status) => {
  const { get, token } = virtualVenue();
  const reply = await get(path, await token());
  expect([reply.status, JSON.parse(reply.body).code]).toEqual([status, status]);
});

test('the 1,001st request within a minute is refused until the window has slid', async () => {
  const { clock, get, token, venue } = virtualVenue();
  const bearer = await token();
  clock.tick(10_000);
  for (let request = 0; request < 999; request += 1) expect((await get('/v1/rfq?limit=1', bearer)).status).toBe(200);
  const refused = await get('/v1/rfq?limit=1', bearer);
  expect(refused.status).toBe(429);
  expect(refused.headers).toMatchObject({
    'x-ratelimit-limit': '1000',
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': String((epoch + 60_000) / 1000),
  });
  expect(JSON.parse(refused.body)).toEqual({
    error: 'Too Many Requests',
    message: 'Rate limit exceeded, try again in 50 s',
    limit: 1000,
    window: 60,
    reset: (epoch + 60_000) / 1000,
  });
  expect(venue.stats.rateLimited).toBe(1);

  clock.tick(50_000);
  expect((await get('/v1/rfq?limit=1', bearer)).status).toBe(200);
});

test('a sliding window admits at most its limit in any span of its length', () => {
  const window = new SlidingWindow(3, 1000);
  const verdicts = [0, 100, 900, 999, 1000, 1001, 1100, 1101].map((now) => window.admit(now).allowed);
  expect(verdicts).toEqual([true, true, true, false, true, false, true, false]);
});

test('signatures are verified on request, over the URI with or without its version', async () => {
  const clock = createClock(epoch);
  const hmacSha256 = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex');
  const venue = new Venue(
    { verifySignatures: true, rate: 0 },
    {
      clock: { now: () => clock.now, setTimeout: clock.setTimeout, clearTimeout: () => {} },
      random: () => 0.5,
      hmacSha256,
    },
  );
  const issued = await venue.request({
    method: 'POST',
    path: '/v1/auth',
    headers: {},
    body: '{"clientId":"demo","clientSecret":"demo-secret"}',
  });
  const authorization = `Bearer ${JSON.parse(issued.body).access_token}`;
  const status = async (uri: string, timestamp: number): Promise<number> => {
    const signature = hmacSha256('demo-secret', `${timestamp}\nGET\n${uri}\n`);
    const headers = { authorization, 'x-fig-timestamp': String(timestamp), 'x-fig-signature': signature };
    return (await venue.request({ method: 'GET', path: '/v1/rfq?limit=2', headers, body: '' })).status;
  };
  const now = epoch / 1000;
  expect(await status('/v1/rfq?limit=2', now)).toBe(200);
  expect(await status('/rfq?limit=2', now)).toBe(200);
  expect(await status('/v1/rfq', now)).toBe(401);
  expect(await status('/v1/rfq?limit=2', now - 31)).toBe(401);
});
