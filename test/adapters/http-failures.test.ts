import { describe, expect, it } from 'vitest';
import { type HttpAnswer, networkFailure, statusFailure } from '../../src/adapters/http-failures.ts';
import { type FailureClass, type FailureCode, failureCodes } from '../../src/protocol/failure.ts';

const wall = Date.UTC(2026, 10, 22, 12);
const inSeconds = (seconds: number) => String(wall / 1_000 + seconds);

function answer(status: number, headers: HttpAnswer['headers'] = {}, body = ''): HttpAnswer {
  return { status, headers, body };
}

function fail(status: number, headers: HttpAnswer['headers'] = {}, body = '') {
  return statusFailure('GET /x', answer(status, headers, body), (text) => text.toUpperCase(), wall);
}

describe('what a status means', () => {
  it.each<[number, FailureCode]>([
    [200, 'bad-reply'],
    [204, 'bad-reply'],
    [400, 'bad-reply'],
    [401, 'token-refused'],
    [403, 'permission-denied'],
    [404, 'not-found'],
    [405, 'not-found'],
    [406, 'bad-reply'],
    [408, 'server-error'],
    [410, 'not-found'],
    [411, 'bad-reply'],
    [413, 'bad-reply'],
    [414, 'bad-reply'],
    [415, 'bad-reply'],
    [422, 'bad-reply'],
    [426, 'bad-reply'],
    [429, 'rate-limited'],
    [431, 'bad-reply'],
    [500, 'server-error'],
    [501, 'server-error'],
    [502, 'server-error'],
    [503, 'server-error'],
    [504, 'server-error'],
  ])('%d: %s', (status, code) => {
    expect(fail(status)).toEqual({ class: failureCodes[code][0], code, message: `GET /x: HTTP ${status}` });
  });

  it.each<[number, FailureCode, FailureClass]>([
    [101, 'http-unknown', 'protocol'],
    [301, 'http-unknown', 'protocol'],
    [307, 'http-unknown', 'protocol'],
    [402, 'http-unknown', 'protocol'],
    [418, 'http-unknown', 'protocol'],
    [451, 'http-unknown', 'protocol'],
    [505, 'server-error', 'transient'],
    [520, 'server-error', 'transient'],
    [599, 'server-error', 'transient'],
    [600, 'http-unknown', 'protocol'],
    [999, 'http-unknown', 'protocol'],
    [0, 'http-unknown', 'protocol'],
  ])('%d is not known: %s', (status, code, kind) => {
    const message = `GET /x: HTTP ${status}`;
    expect(fail(status)).toEqual({ class: kind, code, message, unknown: `http ${status}` });
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

  it.each([
    'this IP address is not on the allow-list of the API key',
    'Forbidden: IP not whitelisted',
    'client not in IP whitelist',
    'Access from 203.0.113.7 is not allowed: source address unauthorized',
    'unauthorized IP',
    'Your address is not allowed',
  ])('hears of the address in "%s"', (text) => {
    for (const status of [401, 403]) {
      const body = JSON.stringify({ code: status, message: 'Forbidden', reason: [text] });
      expect(fail(status, {}, body)).toMatchObject({ class: 'refused', code: 'address-refused' });
    }
    expect(fail(400, {}, JSON.stringify({ message: text })).code).toBe('bad-reply');
  });

  it.each(['role "trader" is required', 'insufficient permissions', 'recipient not allowed', 'the ship has sailed'])(
    'hears nothing of an address in "%s"',
    (text) => {
      expect(fail(403, {}, JSON.stringify({ message: text })).code).toBe('permission-denied');
    },
  );

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
    ['EACCES', 'connection-refused'],
    ['EPERM', 'connection-refused'],
    ['ENOTFOUND', 'dns-failed'],
    ['EAI_AGAIN', 'dns-failed'],
    ['EAI_FAIL', 'dns-failed'],
    ['EAI_MEMORY', 'dns-failed'],
    ['EAI_NODATA', 'dns-failed'],
    ['EAI_NONAME', 'dns-failed'],
    ['ETIMEDOUT', 'connect-timeout'],
    ['EHOSTUNREACH', 'connect-timeout'],
    ['EHOSTDOWN', 'connect-timeout'],
    ['ENETUNREACH', 'connect-timeout'],
    ['ENETDOWN', 'connect-timeout'],
    ['EADDRNOTAVAIL', 'connect-timeout'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connect-timeout'],
    ['UND_ERR_HEADERS_TIMEOUT', 'reply-timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'reply-timeout'],
    ['ECONNRESET', 'connection-lost'],
    ['ECONNABORTED', 'connection-lost'],
    ['ENETRESET', 'connection-lost'],
    ['ENOTCONN', 'connection-lost'],
    ['EPIPE', 'connection-lost'],
    ['UND_ERR_SOCKET', 'connection-lost'],
    ['HPE_INVALID_EOF_STATE', 'connection-lost'],
    ['ESOMETHING', 'connection-lost'],
    ['CERT_HAS_EXPIRED', 'tls-failed'],
    ['CERT_NOT_YET_VALID', 'tls-failed'],
    ['CERT_REVOKED', 'tls-failed'],
    ['CERT_UNTRUSTED', 'tls-failed'],
    ['CERT_SIGNATURE_FAILURE', 'tls-failed'],
    ['CRL_HAS_EXPIRED', 'tls-failed'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls-failed'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls-failed'],
    ['UNABLE_TO_GET_ISSUER_CERT', 'tls-failed'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls-failed'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls-failed'],
    ['ERROR_IN_CERT_NOT_AFTER_FIELD', 'tls-failed'],
    ['HOSTNAME_MISMATCH', 'tls-failed'],
    ['INVALID_CA', 'tls-failed'],
    ['INVALID_PURPOSE', 'tls-failed'],
    ['PATH_LENGTH_EXCEEDED', 'tls-failed'],
    ['UNSPECIFIED', 'tls-failed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls-failed'],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'tls-failed'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls-failed'],
    ['EPROTO', 'tls-failed'],
    ['HPE_INVALID_CONSTANT', 'bad-reply'],
    ['HPE_HEADER_OVERFLOW', 'bad-reply'],
    ['UND_ERR_HEADERS_OVERFLOW', 'bad-reply'],
    ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'bad-reply'],
    ['EMFILE', 'internal'],
    ['ENFILE', 'internal'],
    ['ENOBUFS', 'internal'],
    ['ENOMEM', 'internal'],
    ['OUT_OF_MEM', 'internal'],
  ])('%s: %s', (code, expected) => {
    const found = networkFailure('asking', coded(code));
    expect([found.code, found.message]).toEqual([expected, `asking: ${code} happened`]);
  });

  it('names the deadline of a whole exchange, which has a name and a number for a code', () => {
    const found = networkFailure(
      'asking',
      new DOMException('The operation was aborted due to timeout', 'TimeoutError'),
    );
    expect(found).toEqual({
      class: 'transient',
      code: 'reply-timeout',
      message: 'asking: no complete answer in time',
    });
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
