import { describe, expect, it } from 'vitest';
import { type HttpAnswer, networkFailure, retryAfter, statusFailure } from '../../src/adapters/http-failures.ts';
import type { FailureCode } from '../../src/protocol/failure.ts';

const wall = Date.UTC(2026, 10, 22, 12);
const inSeconds = (seconds: number) => String(wall / 1_000 + seconds);

function answer(status: number, headers: HttpAnswer['headers'] = {}, body = ''): HttpAnswer {
  return { status, headers, body };
}

function fail(status: number, headers: HttpAnswer['headers'] = {}, body = '') {
  return statusFailure('GET /x', answer(status, headers, body), (text) => text.toUpperCase(), wall);
}

describe('how long the venue asks to wait', () => {
  it.each<[string, HttpAnswer['headers'], string, number | undefined]>([
    ['nothing said', {}, '', undefined],
    ['Retry-After in seconds', { 'retry-after': '7' }, '', 7_000],
    ['Retry-After of nought', { 'retry-after': '0' }, '', 0],
    ['Retry-After as a date', { 'retry-after': new Date(wall + 9_000).toUTCString() }, '', 9_000],
    ['Retry-After in the past', { 'retry-after': new Date(wall - 9_000).toUTCString() }, '', 0],
    ['a negative Retry-After', { 'retry-after': '-5' }, '', 0],
    ['a Retry-After twice', { 'retry-after': ['3', '5'] }, '', 3_000],
    ['an empty Retry-After', { 'retry-after': '' }, '', undefined],
    ['a Retry-After that is rubbish', { 'retry-after': 'soon' }, '', undefined],
    ['rubbish, with a reset', { 'retry-after': 'soon', 'x-ratelimit-reset': inSeconds(4) }, '', 4_000],
    ['X-RateLimit-Reset', { 'x-ratelimit-reset': inSeconds(30) }, '', 30_000],
    ['X-RateLimit-Reset in the past', { 'x-ratelimit-reset': inSeconds(-30) }, '', 0],
    ['both', { 'retry-after': '2', 'x-ratelimit-reset': inSeconds(30) }, '', 2_000],
    ['the reset of the body', {}, JSON.stringify({ reset: Number(inSeconds(5)) }), 5_000],
    ['a body without one', {}, JSON.stringify({ reset: null }), undefined],
    ['a body that is not JSON', {}, '<html>', undefined],
  ])('%s', (_what, headers, body, expected) => {
    expect(retryAfter(answer(429, headers, body), wall)).toBe(expected);
  });
});

describe('what a status means', () => {
  it.each<[number, FailureCode]>([
    [400, 'bad-reply'],
    [401, 'token-refused'],
    [403, 'permission-denied'],
    [404, 'not-found'],
    [408, 'server-error'],
    [422, 'bad-reply'],
    [429, 'rate-limited'],
    [500, 'server-error'],
    [502, 'server-error'],
    [503, 'server-error'],
    [504, 'server-error'],
    [301, 'bad-reply'],
    [101, 'bad-reply'],
  ])('%d: %s', (status, code) => {
    const found = fail(status);
    expect([found.code, found.message]).toEqual([code, `GET /x: HTTP ${status}`]);
    expect(found).not.toHaveProperty('retryAfterMs');
  });

  it('takes the wait along where the venue limits', () => {
    const reset = { 'x-ratelimit-reset': inSeconds(12) };
    expect(fail(429, reset)).toMatchObject({ code: 'rate-limited', class: 'limited', retryAfterMs: 12_000 });
    expect(fail(503, { 'retry-after': '3' })).toMatchObject({
      code: 'server-busy',
      class: 'limited',
      retryAfterMs: 3_000,
    });
  });

  it('does not read the rate limit that every reply tells as a wish to be left alone', () => {
    const headers = { 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '990', 'x-ratelimit-reset': inSeconds(60) };
    expect(fail(503, headers)).toEqual({ class: 'transient', code: 'server-error', message: 'GET /x: HTTP 503' });
  });

  it.each([
    ['message and its reasons', { code: 404, message: 'no such rfq', reason: ['a'] }, 'NO SUCH RFQ: A'],
    ['error_description', { error: 'invalid_client', error_description: 'bad secret' }, 'BAD SECRET'],
    ['error', { error: 'invalid_client' }, 'INVALID_CLIENT'],
    ['reason', { reason: 'because' }, 'BECAUSE'],
  ])("quotes the venue's %s, cleaned", (_name, body, quoted) => {
    expect(fail(404, {}, JSON.stringify(body)).message).toBe(`GET /x: HTTP 404, "${quoted}"`);
  });

  it.each(['', '<html>', '[]', 'null', '"text"', '{"message":{"deep":1}}', '{"message":""}'])(
    'quotes nothing of %s',
    (body) => {
      expect(fail(500, {}, body).message).toBe('GET /x: HTTP 500');
    },
  );
});

describe('what an error of the network means', () => {
  const coded = (code: string) => Object.assign(new Error(`${code} happened`), { code });

  it.each<[string, FailureCode]>([
    ['ECONNREFUSED', 'connection-refused'],
    ['ENOTFOUND', 'dns-failed'],
    ['EAI_AGAIN', 'dns-failed'],
    ['ETIMEDOUT', 'connect-timeout'],
    ['EHOSTUNREACH', 'connect-timeout'],
    ['ENETUNREACH', 'connect-timeout'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connect-timeout'],
    ['UND_ERR_HEADERS_TIMEOUT', 'reply-timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'reply-timeout'],
    ['ECONNRESET', 'connection-lost'],
    ['EPIPE', 'connection-lost'],
    ['UND_ERR_SOCKET', 'connection-lost'],
    ['CERT_HAS_EXPIRED', 'tls-failed'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls-failed'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls-failed'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls-failed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls-failed'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls-failed'],
    ['EPROTO', 'tls-failed'],
  ])('%s: %s', (code, expected) => {
    const found = networkFailure('asking', coded(code));
    expect([found.code, found.message]).toEqual([expected, `asking: ${code} happened`]);
  });

  it('is what lies innermost: the cause, or the first of several addresses', () => {
    const causes = [
      new Error('fetch failed', { cause: coded('ECONNREFUSED') }),
      new AggregateError([coded('ECONNREFUSED'), coded('ETIMEDOUT')], 'all failed'),
      new Error('outer', { cause: new AggregateError([coded('ECONNREFUSED')]) }),
    ];
    for (const cause of causes) {
      const found = networkFailure('asking', cause);
      expect([found.code, found.message]).toEqual(['connection-refused', 'asking: ECONNREFUSED happened']);
    }
  });

  it.each([
    [new Error(''), 'asking: '],
    [Object.assign(new Error(''), { code: 'ECONNRESET' }), 'asking: ECONNRESET'],
    ['a text', 'asking: unknown error'],
    [undefined, 'asking: unknown error'],
  ])('is a lost connection where nothing is known', (thrown, message) => {
    expect(networkFailure('asking', thrown)).toEqual({ class: 'transient', code: 'connection-lost', message });
  });
});
