import { describe, expect, it } from 'vitest';
import { Rest } from '../../src/adapters/rest.ts';
import { RestEntrance } from '../../src/adapters/rest-entrance.ts';
import { RfqListing, type RfqPage, type RfqQuery } from '../../src/adapters/rfq-listing.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { TokenEndpoint } from '../../src/adapters/token-endpoint.ts';
import { readRfq } from '../../src/protocol/rfq.ts';
import { within } from '../support/until.ts';
import { httpClient, ownHttp, quietVenue, scriptedServer, vaultWith } from './support/venue.ts';
import { failureOfCall } from './support/venue-session.ts';

const everything: RfqQuery = { startTime: 0, endTime: 4_000_000_000_000, cursor: null };

function listing(restUrl: string) {
  const http = httpClient();
  const vault = vaultWith();
  const clock = systemClock();
  vault.keep({ value: 'access-token', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, null);
  const entrance = new RestEntrance({ restUrl, sign: false, signature: { encoding: 'hex' } }, vault);
  const rest = new Rest({ entrance, http: ownHttp(http), vault, clock });
  const list = new RfqListing({ rest, vault, clock });
  return {
    vault,
    page: (query: Partial<RfqQuery> = {}): Promise<RfqPage> =>
      within('the page', list.page({ ...everything, ...query })),
    /** Replaces the token by one that the venue granted. */
    authenticate: (tokenUrl: string) =>
      new TokenEndpoint({ url: tokenUrl, style: 'json', http, vault, clock }).request(
        { generation: 2, kind: 'credentials' },
        new AbortController().signal,
      ),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

/** A server that answers every request with this body. */
const answering = (body: string, status = 200) => scriptedServer((response) => response.writeHead(status).end(body));
const textsOf = (page: RfqPage): readonly string[] => page.rfqs.map((_, index) => page.bytesAt(index).toString());

describe('with the simulated venue', () => {
  it('lists every RFQ there is, each as readable as an event', async () => {
    await using venue = await quietVenue();
    await using list = listing(venue.restUrl);
    await list.authenticate(venue.tokenUrl);
    venue.venue.burst(400);
    const page = await list.page();
    expect(page.rfqs.length).toBeGreaterThan(20);
    expect([page.cursor, page.rfqs.map(readRfq).filter((rfq) => rfq === null)]).toEqual([null, []]);
    expect(textsOf(page).map((text) => JSON.parse(text))).toEqual(page.rfqs);
  });

  it('goes on at the cursor of the page before, and finds every RFQ once', async () => {
    await using venue = await quietVenue();
    await using list = listing(venue.restUrl);
    await list.authenticate(venue.tokenUrl);
    venue.venue.burst(12_000);
    const ids: (number | undefined)[] = [];
    let pages = 0;
    for (let cursor: string | null | undefined = null; cursor !== undefined; pages += 1) {
      const page: RfqPage = await list.page({ cursor });
      ids.push(...page.rfqs.map((rfq) => readRfq(rfq)?.id));
      cursor = page.cursor ?? undefined;
    }
    expect(pages).toBeGreaterThan(1);
    expect([new Set(ids).size, ids.length]).toEqual([ids.length, 1_000 * (pages - 1) + (ids.length % 1_000 || 1_000)]);
  });

  it('lists nothing that was created outside of the time asked for', async () => {
    await using venue = await quietVenue();
    await using list = listing(venue.restUrl);
    await list.authenticate(venue.tokenUrl);
    venue.venue.burst(50);
    expect((await list.page({ endTime: Date.now() - 3_600_000 })).rfqs).toEqual([]);
  });

  it('is refused with a token that the venue does not know', async () => {
    await using venue = await quietVenue();
    await using list = listing(venue.restUrl);
    expect(await failureOfCall(list.page())).toMatchObject({ code: 'token-refused' });
  });
});

describe('the request', () => {
  it('carries whole milliseconds, the largest page there is, and the cursor where there is one', async () => {
    await using server = await answering('{"results":[]}');
    await using list = listing(server.url);
    await list.page({ startTime: 1_000.7, endTime: 2_000.2 });
    await list.page({ startTime: -5, endTime: 2_000, cursor: 'a b&c' });
    expect(server.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v1/rfq?startTime=1000&endTime=2001&limit=1000',
      'GET /v1/rfq?startTime=0&endTime=2000&limit=1000&cursor=a+b%26c',
    ]);
  });
});

describe('the answer', () => {
  it('gives each RFQ in the venue’s own bytes, whatever it wraps the list in', async () => {
    const rfqs = '[ {"rfqId":1 , "price": 0.0500}, {"rfqId":2,"note":"a,]\\""} ]';
    for (const body of [rfqs, `{"totalResults":2,"cursor":null,"results":${rfqs}}`]) {
      await using server = await answering(body);
      await using list = listing(server.url);
      const page = await list.page();
      expect(textsOf(page)).toEqual(['{"rfqId":1 , "price": 0.0500}', '{"rfqId":2,"note":"a,]\\""}']);
      expect([page.rfqs, page.cursor]).toEqual([JSON.parse(rfqs), null]);
    }
  });

  it.each<[string, string | null]>([
    ['"42"', '42'],
    ['42', '42'],
    ['""', null],
    ['null', null],
    ['false', null],
    ['{}', null],
  ])('with the cursor %s goes on at %s', async (cursor, expected) => {
    await using server = await answering(`{"cursor":${cursor},"results":[]}`);
    await using list = listing(server.url);
    expect((await list.page()).cursor).toBe(expected);
  });

  it.each(['', 'null', '{}', '{"results":{}}', 'not JSON'])('%j is no list', async (body) => {
    await using server = await answering(body);
    await using list = listing(server.url);
    expect(await failureOfCall(list.page())).toEqual({
      class: 'protocol',
      code: 'bad-reply',
      message: 'GET /v1/rfq: the answer holds no list of RFQs',
    });
  });

  it.each([
    [401, 'token-refused'],
    [403, 'permission-denied'],
    [404, 'not-found'],
    [429, 'rate-limited'],
    [500, 'server-error'],
  ])('HTTP %d is the failure %s, without secrets that the venue repeats', async (status, code) => {
    await using server = await answering('{"message":"no: access-token"}', status);
    await using list = listing(server.url);
    expect(await failureOfCall(list.page())).toMatchObject({
      code,
      message: `GET /v1/rfq: HTTP ${status}, "no: [secret]"`,
    });
  });

  it('is not waited for where there is no token that lives', async () => {
    await using server = await answering('[]');
    await using list = listing(server.url);
    list.vault.keep({ value: 'dead-token', generation: 2, expiresAt: 0 }, null);
    expect(await failureOfCall(list.page())).toMatchObject({ code: 'token-refused' });
    expect(server.received).toEqual([]);
  });
});
