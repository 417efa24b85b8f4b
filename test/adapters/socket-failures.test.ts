import { describe, expect, it } from 'vitest';
import { closeFailure, rpcFailure } from '../../src/adapters/socket-failures.ts';
import type { FailureClass, FailureCode } from '../../src/protocol/failure.ts';

describe('what a close code means', () => {
  it.each<[number, FailureCode, FailureClass]>([
    [1000, 'connection-lost', 'transient'],
    [1001, 'connection-lost', 'transient'],
    [1002, 'bad-reply', 'protocol'],
    [1003, 'bad-reply', 'protocol'],
    [1004, 'closed-unknown', 'transient'],
    [1005, 'connection-lost', 'transient'],
    [1007, 'bad-reply', 'protocol'],
    [1008, 'server-busy', 'limited'],
    [1009, 'frame-too-large', 'protocol'],
    [1010, 'closed-unknown', 'transient'],
    [1011, 'server-error', 'transient'],
    [1012, 'server-error', 'transient'],
    [1013, 'server-busy', 'limited'],
    [1014, 'server-error', 'transient'],
    [3000, 'session-expired', 'transient'],
    [3003, 'permission-denied', 'refused'],
    [3008, 'heartbeat-overdue', 'protocol'],
    [4000, 'closed-unknown', 'transient'],
    [4401, 'session-expired', 'transient'],
    [4403, 'permission-denied', 'refused'],
    [4408, 'heartbeat-overdue', 'protocol'],
    [4429, 'too-many-sessions', 'limited'],
    [4999, 'closed-unknown', 'transient'],
    [2345, 'closed-unknown', 'transient'],
  ])('%d: %s', (code, expected, kind) => {
    const message = `the venue closed the session with ${code}`;
    expect(closeFailure(code, '')).toEqual({ class: kind, code: expected, message });
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
    ['going away for maintenance', 'closed-unknown'],
  ])('hears what the reason "%s" tells beyond the code', (reason, expected) => {
    const found = closeFailure(4321, reason);
    expect([found.code, found.message]).toEqual([expected, `the venue closed the session with 4321, "${reason}"`]);
  });

  it('trusts the words more than the code', () => {
    expect(closeFailure(1000, 'session expired').code).toBe('session-expired');
    expect(closeFailure(1008, 'too many sessions').code).toBe('too-many-sessions');
  });
});

describe('what a JSON-RPC error means', () => {
  it.each<[number, string, FailureCode, FailureCode]>([
    [-32700, 'authentication error', 'token-refused', 'rpc-error'],
    [-32700, 'parse error', 'token-refused', 'rpc-error'],
    [401, 'no', 'token-refused', 'rpc-error'],
    [-32000, 'invalid token', 'token-refused', 'rpc-error'],
    [1, 'Unauthorised', 'token-refused', 'rpc-error'],
    [1, 'access denied', 'token-refused', 'rpc-error'],
    [1, 'credentials expired', 'token-refused', 'rpc-error'],
    [1, 'something else', 'rpc-error', 'rpc-error'],
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
    const inAuth = rpcFailure('auth', { code, message }, 'token-refused');
    const elsewhere = rpcFailure('auth', { code, message }, null);
    expect([inAuth.code, inAuth.message]).toEqual([authenticating, said]);
    expect([elsewhere.code, elsewhere.message]).toEqual([otherwise, said]);
  });

  it('refuses what was presented: the token or the credentials', () => {
    expect(rpcFailure('auth', { code: -32700, message: 'no' }, 'credentials-refused')).toEqual({
      class: 'refused',
      code: 'credentials-refused',
      message: 'auth: error -32700, "no"',
    });
  });
});
