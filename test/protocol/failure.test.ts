import { expect, it } from 'vitest';
import {
  advice,
  type FailureCode,
  FailureError,
  failure,
  failureCodes,
  failureOf,
  withUnknown,
} from '../../src/protocol/failure.ts';
import { EncodedError, encodeError, encodeNotification, encodeResult, RpcError } from '../../src/protocol/json-rpc.ts';

const codes = Object.keys(failureCodes) as FailureCode[];

it('files every failure under the class that decides what is done about it', () => {
  const byClass = Object.groupBy(codes, (code) => failure(code, '').class);
  expect(byClass).toEqual({
    refused: [
      'credentials-refused',
      'token-refused',
      'permission-denied',
      'address-refused',
      'refresh-token-refused',
      'channels-refused',
      'not-allowed',
    ],
    limited: ['rate-limited', 'server-busy', 'contested', 'too-many-sessions', 'too-many-calls'],
    transient: [
      'server-error',
      'connection-lost',
      'closed-by-venue',
      'connection-refused',
      'dns-failed',
      'connect-timeout',
      'reply-timeout',
      'half-open',
      'session-expired',
      'closed-unknown',
      'not-live',
      'renewal',
      'on-request',
      'daemon-stopped',
      'daemon-died',
    ],
    protocol: [
      'tls-failed',
      'proxy-refused',
      'heartbeat-overdue',
      'upgrade-refused',
      'not-found',
      'bad-reply',
      'rpc-error',
      'rpc-unknown',
      'http-unknown',
      'frame-too-large',
      'withheld',
    ],
    bug: ['internal'],
  });
});

it.each(codes)('says in a sentence what to do about %s', (code) => {
  expect(advice(code)).toMatch(/^(figd |[A-Z]).{9,}[^.]\.$/);
  expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
});

it('carries the wait only where the venue told one', () => {
  expect(failure('rate-limited', 'slow down', 1_500)).toEqual({
    class: 'limited',
    code: 'rate-limited',
    message: 'slow down',
    retryAfterMs: 1_500,
  });
  expect(failure('rate-limited', 'slow down', 0)).toHaveProperty('retryAfterMs', 0);
  expect(failure('rate-limited', 'slow down')).not.toHaveProperty('retryAfterMs');
});

it.each([
  ['close', 4777, 'close 4777'],
  ['rpc', -32042, 'rpc -32042'],
  ['http', 418, 'http 418'],
] as const)('names a code of the venue that figd does not know: %s %d', (kind, code, unknown) => {
  const found = failure('rate-limited', 'slow down', 5);
  expect(withUnknown(found, kind, code)).toEqual({ ...found, unknown });
});

it('finds the failure in whatever was thrown', () => {
  const found = failure('half-open', 'no heartbeat');
  expect(failureOf(new FailureError(found))).toBe(found);
  expect(failureOf(new TypeError('x is not a function'))).toEqual({
    class: 'bug',
    code: 'internal',
    message: 'TypeError: x is not a function',
  });
  const internal = { class: 'bug', code: 'internal', message: 'something that is not an error was thrown' };
  for (const thrown of ['text', null, undefined, { failure: found }]) expect(failureOf(thrown)).toEqual(internal);
});

it('encodes answers and notifications as one line each', () => {
  expect(encodeResult(1, { a: '\n' })).toBe('{"jsonrpc":"2.0","id":1,"result":{"a":"\\n"}}\n');
  expect(encodeError(null, new RpcError(-32700, 'no'))).toBe(
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no","data":{"figd":true}}}\n',
  );
  expect(encodeError('x', new RpcError(-32001, 'no', { code: 'c' }))).toBe(
    '{"jsonrpc":"2.0","id":"x","error":{"code":-32001,"message":"no","data":{"figd":true,"code":"c"}}}\n',
  );
  const venues = new EncodedError({ code: -1, message: 'no' }, '{"code":-1,"message":"no","data":1.0}');
  expect(encodeError(2, venues)).toBe('{"jsonrpc":"2.0","id":2,"error":{"code":-1,"message":"no","data":1.0}}\n');
  expect(encodeNotification('tick', { head: 1 })).toBe('{"jsonrpc":"2.0","method":"tick","params":{"head":1}}\n');
});
