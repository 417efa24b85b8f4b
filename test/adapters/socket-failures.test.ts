import { describe, expect, it } from 'vitest';
import { closeFailure, rpcFailure } from '../../src/adapters/socket-failures.ts';
import { closeWords } from '../../src/adapters/wire-codes.ts';
import type { FailureClass, FailureCode } from '../../src/protocol/failure.ts';

describe('what a close code means', () => {
  it.each<[number, FailureCode, FailureClass]>([
    [1000, 'closed-by-venue', 'transient'],
    [1001, 'server-error', 'transient'],
    [1002, 'bad-reply', 'protocol'],
    [1003, 'bad-reply', 'protocol'],
    [1005, 'closed-by-venue', 'transient'],
    [1007, 'bad-reply', 'protocol'],
    [1008, 'server-busy', 'limited'],
    [1009, 'frame-too-large', 'protocol'],
    [1011, 'server-error', 'transient'],
    [1012, 'server-error', 'transient'],
    [1013, 'server-busy', 'limited'],
    [1014, 'server-error', 'transient'],
    [3000, 'session-expired', 'transient'],
    [3003, 'permission-denied', 'refused'],
    [3008, 'heartbeat-overdue', 'protocol'],
    [4401, 'session-expired', 'transient'],
    [4403, 'permission-denied', 'refused'],
    [4408, 'heartbeat-overdue', 'protocol'],
    [4429, 'too-many-sessions', 'limited'],
  ])('%d: %s', (code, expected, kind) => {
    const message = `the venue closed the session with ${code}`;
    expect(closeFailure(code, '')).toEqual({ class: kind, code: expected, message });
  });

  it.each([1004, 1010, 1015, 2345, 3001, 3999, 4000, 4777, 4999])('%d is not known', (code) => {
    expect(closeFailure(code, '')).toEqual({
      class: 'transient',
      code: 'closed-unknown',
      message: `the venue closed the session with ${code}`,
      unknown: `close ${code}`,
    });
  });

  it('says of 1006 that there was no closing handshake', () => {
    expect(closeFailure(1006, '')).toEqual({
      class: 'transient',
      code: 'connection-lost',
      message: 'the connection broke without a closing handshake',
    });
  });

  it.each<[string, FailureCode]>([
    ['too many sessions', 'too-many-sessions'],
    ['Too many connections for this key', 'too-many-sessions'],
    ['session limit reached', 'too-many-sessions'],
    ['connection limit', 'too-many-sessions'],
    ['rate limit exceeded', 'rate-limited'],
    ['Rate-Limited', 'rate-limited'],
    ['too many requests', 'rate-limited'],
    ['heartbeat timeout', 'heartbeat-overdue'],
    ['ping timeout', 'heartbeat-overdue'],
    ['token expired', 'session-expired'],
    ['invalid token', 'session-expired'],
    ['Token is invalid', 'session-expired'],
    ['access token revoked', 'session-expired'],
    ['unauthorized', 'session-expired'],
    ['Authentication failed', 'session-expired'],
    ['going away for maintenance', 'closed-unknown'],
  ])('hears what the reason "%s" tells beyond the code', (reason, expected) => {
    const found = closeFailure(4321, reason);
    expect([found.code, found.message]).toEqual([expected, `the venue closed the session with 4321, "${reason}"`]);
    expect(found.unknown).toBe('close 4321');
  });

  it.each(closeWords)('knows "$example" for $means', ({ example, means }) => {
    expect(closeFailure(1008, example).code).toBe(means);
  });

  it.each<[number, string, FailureCode, number | undefined]>([
    [1008, 'policy: retry after 30s', 'server-busy', 30_000],
    [1013, 'retry in 5 seconds', 'server-busy', 5_000],
    [4000, 'rate limit, retry after 30s', 'rate-limited', 30_000],
    [4429, 'try again in 2 minutes', 'too-many-sessions', 120_000],
    [4429, '', 'too-many-sessions', undefined],
    [1012, 'retry in 5 seconds', 'server-error', undefined],
    [4777, 'retry after 30s', 'closed-unknown', undefined],
  ])('reads of %d "%s" (%s) a wait of %s: only limits have one', (code, reason, expected, wait) => {
    const found = closeFailure(code, reason);
    expect([found.code, found.retryAfterMs]).toEqual([expected, wait]);
  });

  it('trusts the words more than the code', () => {
    expect(closeFailure(1000, 'session expired').code).toBe('session-expired');
    expect(closeFailure(1008, 'too many sessions').code).toBe('too-many-sessions');
  });
});

describe('what a JSON-RPC error means', () => {
  const now = Date.UTC(2026, 10, 22, 12);
  const context = { authenticating: null, reference: { now, isVenues: true } };

  it.each<[number, string, FailureCode, FailureCode]>([
    [-32700, 'authentication error', 'token-refused', 'rpc-error'],
    [-32700, 'parse error', 'token-refused', 'rpc-error'],
    [401, 'no', 'token-refused', 'rpc-error'],
    [-32000, 'invalid token', 'token-refused', 'rpc-error'],
    [1, 'Unauthorised', 'token-refused', 'rpc-error'],
    [1, 'access denied', 'token-refused', 'rpc-error'],
    [1, 'credentials expired', 'token-refused', 'rpc-error'],
    [1, 'something else', 'rpc-unknown', 'rpc-unknown'],
    [-32042, 'no', 'rpc-unknown', 'rpc-unknown'],
    [0, 'no message', 'rpc-unknown', 'rpc-unknown'],
    [4711, 'no', 'rpc-unknown', 'rpc-unknown'],
    [404, 'no such channel', 'rpc-error', 'rpc-error'],
    [-32700, 'authentication error: IP address not on the allow-list', 'address-refused', 'rpc-error'],
    [403, 'not whitelisted', 'address-refused', 'permission-denied'],
    [-32000, 'access denied for this IP', 'address-refused', 'rpc-error'],
    [-32603, 'IP lookup is not available', 'server-error', 'server-error'],
    [-32600, 'invalid token request', 'rpc-error', 'rpc-error'],
    [-32601, 'method not found: auth', 'rpc-error', 'rpc-error'],
    [-32602, 'invalid params: token', 'rpc-error', 'rpc-error'],
    [-32603, 'internal error', 'server-error', 'server-error'],
    [500, 'auth backend down', 'server-error', 'server-error'],
    [503, 'no', 'server-error', 'server-error'],
    [403, 'forbidden', 'permission-denied', 'permission-denied'],
    [429, 'slow down', 'rate-limited', 'rate-limited'],
    [-32000, 'rate limit exceeded', 'rate-limited', 'rate-limited'],
    [-32000, 'Too many requests', 'rate-limited', 'rate-limited'],
    [-32000, 'throttled', 'rate-limited', 'rate-limited'],
  ])('%d "%s": %s in reply to auth, else %s', (code, message, authenticating, otherwise) => {
    const said = `auth: error ${code}, "${message}"`;
    const inAuth = rpcFailure('auth', { code, message }, { ...context, authenticating: 'token-refused' });
    const elsewhere = rpcFailure('auth', { code, message }, context);
    expect([inAuth.code, inAuth.message]).toEqual([authenticating, said]);
    expect([elsewhere.code, elsewhere.message]).toEqual([otherwise, said]);
  });

  it('refuses what was presented: the token or the credentials', () => {
    const refusing = { ...context, authenticating: 'credentials-refused' } as const;
    expect(rpcFailure('auth', { code: -32700, message: 'no' }, refusing)).toEqual({
      class: 'refused',
      code: 'credentials-refused',
      message: 'auth: error -32700, "no"',
    });
  });

  it('carries a code that is not known, also where the words tell what it means', () => {
    expect(rpcFailure('v1/subscribe', { code: -32042, message: 'no' }, context)).toEqual({
      class: 'protocol',
      code: 'rpc-unknown',
      message: 'v1/subscribe: error -32042, "no"',
      unknown: 'rpc -32042',
    });
    expect(rpcFailure('v1/subscribe', { code: -32005, message: 'rate limit' }, context)).toEqual({
      class: 'limited',
      code: 'rate-limited',
      message: 'v1/subscribe: error -32005, "rate limit"',
      unknown: 'rpc -32005',
    });
  });

  it.each<[number, string, unknown, number | undefined]>([
    [429, 'slow down', { retryAfter: 7 }, 7_000],
    [429, 'slow down', { limit: { reset: now / 1_000 + 9 } }, 9_000],
    [429, 'slow down, retry in 3 s', undefined, 3_000],
    [429, 'slow down, retry in 3 s', { retryAfterMs: 50 }, 50],
    [429, 'slow down', 'later', undefined],
    [-32603, 'internal error', { retryAfter: 7 }, undefined],
    [-32601, 'method not found', { retryAfter: 7 }, undefined],
  ])('reads of %d "%s" with the data %j a wait of %s: only limits have one', (code, message, data, wait) => {
    const found = rpcFailure('v1/subscribe', { code, message, data }, context);
    expect(found.retryAfterMs).toBe(wait);
    expect(found.message).toBe(`v1/subscribe: error ${code}, "${message}"`);
  });
});
