import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Rfq } from '../../src/simulator/book.ts';
import { bodyText } from '../../src/simulator/http-reply.ts';
import type { VenueOptions } from '../../src/simulator/options.ts';
import type { HttpRequest } from '../../src/simulator/ports.ts';
import { SlidingWindow } from '../../src/simulator/rate-limit.ts';
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

const now = epoch / 1000;

interface Signing {
  readonly encoding?: 'hex' | 'base64';
  /** Unix seconds. */
  readonly at?: number;
  readonly sent?: Partial<HttpRequest>;
}

/** A venue that verifies signatures, and the status of a call to it as signed by hand. */
async function signed(options: Partial<VenueOptions> = {}) {
  const virtual = virtualVenue({ verifySignatures: true, ...options });
  const token = await virtual.token();
  const send = (sent: Partial<HttpRequest>, headers: Record<string, string> = {}) =>
    virtual.venue
      .request({
        method: 'GET',
        path: '/v1/rfq?limit=2',
        body: '',
        ...sent,
        headers: { authorization: `Bearer ${token}`, ...headers },
      })
      .then((reply) => ({ status: reply.status, body: bodyText(reply.body) }));
  return {
    ...virtual,
    send,
    /** Sent is what `sent` says, signed what `over` says. */
    status: async (over: string | Uint8Array, { encoding = 'hex', at = now, sent = {} }: Signing = {}) => {
      const signature = createHmac('sha256', 'demo-secret').update(over).digest(encoding);
      return (await send(sent, { 'x-fig-timestamp': String(at), 'x-fig-signature': signature })).status;
    },
  };
}

test('signatures are verified on request, over the URI with or without its version', async () => {
  const { status, venue } = await signed();
  expect(await status(`${now}\nGET\n/v1/rfq?limit=2\n`)).toBe(200);
  expect(await status(`${now}\nGET\n/rfq?limit=2\n`)).toBe(200);
  expect(await status(`${now}\nGET\n/v1/rfq\n`)).toBe(401);
  expect(await status(`${now}\nGET\n/v1/rfq?limit=2\n`, { encoding: 'base64' })).toBe(401);
  expect(venue.stats.signatures).toEqual({ accepted: { '/v1/rfq': 2 }, refused: 2 });
});

test.each([
  [{ encoding: 'hex' }, '/v1/rfq?limit=2', 'hex'],
  [{ encoding: 'hex', omitPrefix: '/v1' }, '/rfq?limit=2', 'hex'],
  [{ encoding: 'base64' }, '/v1/rfq?limit=2', 'base64'],
  [{ encoding: 'base64', omitPrefix: '/v1' }, '/rfq?limit=2', 'base64'],
] as const)('a strict venue takes one form of signature and no other: %j', async (signature, uri, encoding) => {
  const { status } = await signed({ signature });
  const forms = (['hex', 'base64'] as const).flatMap((form) =>
    ['/v1/rfq?limit=2', '/rfq?limit=2'].map((over) => [over, form] as const),
  );
  for (const [over, form] of forms) {
    const expected = over === uri && form === encoding ? 200 : 401;
    expect([over, form, await status(`${now}\nGET\n${over}\n`, { encoding: form })]).toEqual([over, form, expected]);
  }
});

test('the bytes of a body are signed as they are', async () => {
  const { status } = await signed();
  const body = Uint8Array.from({ length: 256 }, (_, index) => index);
  const signing = { sent: { method: 'PUT', path: '/v1/simulator/echo', body } };
  const head = Buffer.from(`${now}\nPUT\n/v1/simulator/echo\n`);
  expect(await status(Buffer.concat([head, body]), signing)).toBe(200);
  expect(await status(Buffer.concat([head, body.slice(1)]), signing)).toBe(401);
});

test('a timestamp may be so far from the time of the venue, and no further', async () => {
  const { status } = await signed({ signatureSkew: 5000 });
  const at = (offset: number) => status(`${now + offset}\nGET\n/v1/rfq?limit=2\n`, { at: now + offset });
  expect([await at(-6), await at(-5), await at(0), await at(5), await at(6)]).toEqual([401, 200, 200, 200, 401]);
});

test('what is wrong with a signature is said in the form of the venue’s errors', async () => {
  const { send } = await signed();
  const reasons = [
    [{}, 'X-FIG-Timestamp and X-FIG-Signature are required'],
    [{ 'x-fig-timestamp': 'noon', 'x-fig-signature': 'x' }, 'X-FIG-Timestamp must be unix seconds'],
    [{ 'x-fig-timestamp': String(now - 31), 'x-fig-signature': 'x' }, 'X-FIG-Timestamp is too far from now'],
    [{ 'x-fig-timestamp': String(now), 'x-fig-signature': 'x' }, 'X-FIG-Signature does not match the request'],
  ] as const;
  for (const [headers, reason] of reasons) {
    const { status, body } = await send({}, headers);
    expect([status, JSON.parse(body)]).toEqual([401, { code: 401, message: 'Unauthorized', reason: [reason] }]);
  }
});
