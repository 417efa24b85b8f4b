import { expect, it } from 'vitest';
import { BudgetedHttp } from '../../src/adapters/budgeted-http.ts';
import type { Http, HttpRequest } from '../../src/adapters/http-client.ts';
import type { HttpAnswer } from '../../src/adapters/http-failures.ts';
import { Rest } from '../../src/adapters/rest.ts';
import { RestEntrance } from '../../src/adapters/rest-entrance.ts';
import { RequestBudget } from '../../src/gateway/request-budget.ts';
import { failureOf } from '../../src/protocol/failure.ts';
import { TestClock } from '../daemon/support/test-clock.ts';
import { settle } from '../machines/support/virtual-time.ts';
import { vaultWith } from './support/venue.ts';

const minute = 60_000;
const get: HttpRequest = { method: 'GET', url: 'http://127.0.0.1/v1/rfq', headers: {} };

/** Both lanes of figd over a network that the test plays. */
function stage(limit = 24) {
  const clock = new TestClock();
  const budget = new RequestBudget({ limit, tokenRequests: 12, clock });
  const sent: HttpRequest[] = [];
  let outcome: Partial<HttpAnswer> | Error = {};
  const http: Http = {
    send: async (request) => {
      sent.push(request);
      if (outcome instanceof Error) throw outcome;
      const headers = { 'x-ratelimit-limit': String(limit), 'x-ratelimit-remaining': String(limit - sent.length) };
      return { status: 200, headers, body: '', ...outcome };
    },
    close: async () => undefined,
  };
  const own = new BudgetedHttp({ http, budget, clock }, 'own');
  const token = new BudgetedHttp({ http, budget, clock }, 'token');
  return {
    clock,
    budget,
    sent,
    own,
    token,
    answerWith: (answer: Partial<HttpAnswer> | Error) => {
      outcome = answer;
    },
    /** Uses up what figd may use. */
    useUp: async () => {
      for (let each = 0; each < 12; each += 1) await own.send(() => get);
    },
  };
}

function restOver(http: BudgetedHttp, clock: TestClock, vault = vaultWith()): Rest {
  const access = { restUrl: 'http://127.0.0.1', sign: false, signature: { encoding: 'hex' } } as const;
  return new Rest({ entrance: new RestEntrance(access, vault), http, vault, clock });
}

it('sends what there is room for, and token requests whatever there is', async () => {
  const { own, token, sent, useUp, clock, budget } = stage();
  await useUp();
  expect(sent.length).toBe(12);
  const waiting = own.send(() => get);
  await token.send({ ...get, method: 'POST' });
  expect(sent.length).toBe(13);
  await clock.time.advance(minute + 101);
  expect([(await waiting).status, sent.length, budget.view().used]).toEqual([200, 14, 1]);
});

it('makes a request when there is room for it, so that nothing in it has grown old', async () => {
  const { own, sent, useUp, clock } = stage();
  const vault = vaultWith();
  const rest = restOver(own, clock, vault);
  await useUp();
  vault.keep({ value: 'old', generation: 1, expiresAt: 30_000 }, null);
  const answer = rest.call({ method: 'GET', path: '/v1/rfq' });
  await clock.time.advance(30_000);
  vault.keep({ value: 'new', generation: 2, expiresAt: Number.POSITIVE_INFINITY }, null);
  await clock.time.advance(minute);
  expect([(await answer).status, sent.at(-1)?.headers['authorization']]).toEqual([200, 'Bearer new']);
});

it('stays away for as long as the venue asks, and tells at once that it does', async () => {
  const { own, token, sent, clock, answerWith } = stage();
  answerWith({ status: 429, headers: { 'retry-after': '90' }, body: '{}' });
  expect((await own.send(() => get)).status).toBe(429);
  answerWith({});
  const found = await restOver(own, clock)
    .call({ method: 'GET', path: '/v1/rfq' })
    .then(() => null, failureOf);
  expect(found).toMatchObject({ code: 'rate-limited', class: 'limited', retryAfterMs: 90_000 });
  expect([sent.length, (await token.send(get)).status]).toEqual([1, 200]);
  await clock.time.advance(90_000);
  expect((await own.send(() => get)).status).toBe(200);
});

it.each([
  ['ECONNREFUSED', 0],
  ['ENOTFOUND', 0],
  ['PROXY_REFUSED', 0],
  ['ECONNRESET', 1],
  ['UND_ERR_HEADERS_TIMEOUT', 1],
])('after %s the venue may have counted %d requests', async (code, used) => {
  const { own, answerWith, budget } = stage();
  const error = Object.assign(new Error('no answer'), { code });
  answerWith(error);
  await expect(own.send(() => get)).rejects.toBe(error);
  expect(budget.view().used).toBe(used);
});

it('gives its place back when no request can be made', async () => {
  const { own, budget, sent, clock } = stage();
  const found = await restOver(own, clock)
    .call({ method: 'GET', path: '/v1/rfq' })
    .then(() => null, failureOf);
  expect(found).toMatchObject({ code: 'token-refused' });
  expect([sent.length, budget.view().used]).toEqual([0, 0]);
});

it('leaves the queue when nobody wants the answer any more', async () => {
  const { own, useUp, budget, clock } = stage();
  await useUp();
  const leaving = new AbortController();
  const left = own.send(() => get, leaving.signal);
  expect(budget.view().waiting).toBe(1);
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  await settle();
  clock.time.expectNoTimers();
});
