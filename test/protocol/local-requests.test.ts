import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RpcError } from '../../src/protocol/json-rpc.ts';
import {
  BadRequest,
  parseCall,
  parseOutages,
  parseRequest,
  parseRest,
  parseSubscribe,
  refuseAll,
} from '../../src/protocol/local-requests.ts';

/** What reading a line comes to: the request, or the error as the client gets it. */
function read(line: string): unknown {
  try {
    return parseRequest(Buffer.from(line));
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    return { id: error.id, code: error.code, message: error.message };
  }
}

describe('a request line', () => {
  it.each([
    ['{"jsonrpc":"2.0","id":1,"method":"ping"}', { id: 1, method: 'ping', params: {} }],
    ['{"id":"a","method":"status","params":{"x":1}}', { id: 'a', method: 'status', params: { x: 1 } }],
    ['{"id":null,"method":"ping"}', { id: null, method: 'ping', params: {} }],
    ['{"method":"ping"}', { id: undefined, method: 'ping', params: {} }],
    [
      `{"id":9007199254740991,"method":"rest","params":{"data":"${',:[{\\\\\\"'.repeat(3_000)}"}}`,
      { id: Number.MAX_SAFE_INTEGER, method: 'rest', params: { data: ',:[{\\"'.repeat(3_000) } },
    ],
    [`{"id":"${'i'.repeat(1_024)}","method":"ping"}`, { id: 'i'.repeat(1_024), method: 'ping', params: {} }],
    [' {"id":0,"method":""}\r', { id: 0, method: '', params: {} }],
  ])('%s is a request', (line, expected) => {
    expect(read(line)).toEqual(expected);
  });

  it.each([
    ['not json', null, -32700, 'the line is not JSON'],
    ['{"id":1', null, -32700, 'the line is not JSON'],
    ['', null, -32700, 'the line is not JSON'],
    ['[{"id":1,"method":"ping"}]', null, -32600, 'batches are not supported: one request a line'],
    ['[]', null, -32600, 'batches are not supported: one request a line'],
    ['"ping"', null, -32600, 'a request is a JSON object'],
    ['null', null, -32600, 'a request is a JSON object'],
    ['7', null, -32600, 'a request is a JSON object'],
    ['{"id":{},"method":"ping"}', null, -32600, 'id is a string, a number or null'],
    ['{"id":true,"method":"ping"}', null, -32600, 'id is a string, a number or null'],
    ['{"id":[1],"method":"ping"}', null, -32600, 'id is a string, a number or null'],
    [`{"id":"${'i'.repeat(1_025)}","method":"ping"}`, null, -32600, 'an id has 1024 characters at most'],
    [
      '{"id":9007199254740992,"method":"ping"}',
      null,
      -32600,
      'a number as id is not beyond 2^53; write a larger one as text',
    ],
    ['{"id":-1e999,"method":"ping"}', null, -32600, 'a number as id is not beyond 2^53; write a larger one as text'],
    ['['.repeat(100_000), null, -32600, 'a request holds 1024 values at most'],
    [`{"id":1,"params":{"a":[${'0,'.repeat(3_000)}0]}}`, null, -32600, 'a request holds 1024 values at most'],
    [`{"id":1,"params":{"a":[${'"",'.repeat(1_500)}""]}}`, null, -32600, 'a request holds 1024 values at most'],
    ['{"id":1}', 1, -32600, 'method is missing or not a string'],
    ['{"id":"x","method":5}', 'x', -32600, 'method is missing or not a string'],
    ['{}', null, -32600, 'method is missing or not a string'],
    ['{"id":2,"method":"ping","params":[1]}', 2, -32602, 'params is an object'],
    ['{"id":2,"method":"ping","params":null}', 2, -32602, 'params is an object'],
    ['{"id":2,"method":"ping","params":"x"}', 2, -32602, 'params is an object'],
  ])('%s is answered with an error', (line, id, code, message) => {
    expect(read(line)).toEqual({ id, code, message });
  });

  it('is never anything but a request or one of these errors', () => {
    const lines = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .record({ id: fc.jsonValue(), method: fc.jsonValue(), params: fc.jsonValue() }, { requiredKeys: [] })
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(lines, (line) => {
        try {
          const { id, method, params } = parseRequest(Buffer.from(line));
          expect(id === undefined || id === null || ['string', 'number'].includes(typeof id)).toBe(true);
          expect([typeof method, typeof params]).toEqual(['string', 'object']);
        } catch (error) {
          expect(error).toBeInstanceOf(BadRequest);
          expect([-32700, -32600, -32602]).toContain((error as BadRequest).code);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the parameters of subscribe', () => {
  it.each([
    [{}],
    [{ channels: ['*'] }],
    [{ channels: ['rfq.*', 'rfq_quote.maker'], from: 'oldest', ticks: false }],
    [{ from: 'now', ticks: true }],
    [{ from: { epoch: 'e1', seq: 0 } }],
    [{ from: { epoch: '', seq: Number.MAX_SAFE_INTEGER } }],
    [{ from: { since: 1_795_334_400_123.5 } }],
    [{ channels: Array.from({ length: 256 }, (_, index) => `c${index}`) }],
    [{ channels: ['x'.repeat(256)] }],
    [{ channels: ['*'.repeat(250), 'a*b*c*', '***'] }],
  ])('%j are taken as they stand', (params) => {
    expect(parseSubscribe(params)).toEqual(params);
  });

  const channels = 'channels is an array of 1 to 256 names or patterns such as "rfq.*"';
  const pattern = 'each of channels is a string of 1 to 256 characters';
  const from = 'from is "now", "oldest", {"epoch", "seq"} or {"since"}';
  const epoch = 'from.epoch is a string, as hello tells it';
  const seq = 'from.seq is a whole number, the first one wanted';
  it.each([
    [{ channels: 'rfq.*' }, channels],
    [{ channels: [] }, channels],
    [{ channels: null }, channels],
    [{ channels: Array(257).fill('x') }, channels],
    [{ channels: ['rfq.*', 5] }, pattern],
    [{ channels: [''] }, pattern],
    [{ channels: ['x'.repeat(257)] }, pattern],
    [{ channels: ['*'.repeat(250), 'a*b*c*', '****'] }, 'channels has 256 stars at most, in all patterns together'],
    [{ from: 'newest' }, from],
    [{ from: 12 }, from],
    [{ from: null }, from],
    [{ from: [] }, from],
    [{ from: { seq: 1 } }, epoch],
    [{ from: { epoch: 1, seq: 1 } }, epoch],
    [{ from: { epoch: 'e' } }, seq],
    [{ from: { epoch: 'e', seq: '1' } }, seq],
    [{ from: { epoch: 'e', seq: 1.5 } }, seq],
    [{ from: { epoch: 'e', seq: -1 } }, seq],
    [{ from: { epoch: 'e', seq: 2 ** 53 } }, seq],
    [{ from: { since: '10m' } }, 'from.since is a number of unix milliseconds'],
    [{ from: { since: null } }, 'from.since is a number of unix milliseconds'],
    [{ from: { since: 1, seq: 1 } }, '"seq" is not a parameter of from (since)'],
    [{ ticks: 'yes' }, 'ticks is true or false'],
    [{ ticks: null }, 'ticks is true or false'],
    [{ chanels: ['*'] }, '"chanels" is not a parameter of subscribe (channels, from, ticks)'],
  ])('%j are refused', (params, message) => {
    expect(() => parseSubscribe(params)).toThrow(new RpcError(-32602, message));
  });

  it('are refused without repeating an endless name', () => {
    try {
      parseSubscribe({ ['x'.repeat(100_000)]: 1 });
      expect.unreachable();
    } catch (error) {
      expect((error as RpcError).message.length).toBeLessThan(400);
    }
  });
});

describe('the parameters of outages', () => {
  it.each([
    [{}, 13_600_000],
    [{ since: 5.5 }, 5.5],
    [{ since: 0 }, 0],
  ])('%j', (params, since) => {
    expect(parseOutages(params, 100_000_000)).toBe(since);
  });

  it.each([
    [{ since: '24h' }, 'since is a number of unix milliseconds'],
    [{ since: null }, 'since is a number of unix milliseconds'],
    [{ since: Number.NaN }, 'since is a number of unix milliseconds'],
    [{ form: 5 }, '"form" is not a parameter of outages (since)'],
  ])('not %j', (params, message) => {
    expect(() => parseOutages(params, 0)).toThrow(new RpcError(-32602, message));
  });
});

describe('call', () => {
  const parse = (line: string) => parseCall(parseRequest(Buffer.from(line)).params, Buffer.from(line));
  const request = (params: string) => `{"id":1,"method":"call","params":${params}}`;

  it.each([
    '{"amount":12345678901234567890.10,"b":1,"a":1e3,"b":[ {} ]}',
    '[1.50, "}]",\t{"params":{"params":1}}]',
    '{"label":"\\u00e4\\"ä😀 \\/"}',
  ])('takes the parameters %s in the bytes in which they came', (params) => {
    const expected = { method: 'v1/rfq/create', params, timeoutMs: 5.5 };
    expect(parse(request(`{"method":"v1/rfq/create","params":${params},"timeoutMs":5.5}`))).toEqual(expected);
    expect(parse(request(` { "timeoutMs" :5.5,"par\\u0061ms" : ${params} , "method":"v1/rfq/create" } `))).toEqual(
      expected,
    );
    const twice = `{"params":{"params":[0]},"id":1,"method":"call","params":{"params":{},"method":"v1/rfq/create","timeoutMs":5.5,"params":${params}}}`;
    expect(parse(twice)).toEqual(expected);
  });

  it('sends an empty object where there are none', () => {
    expect(parse(request('{"method":"heartbeat"}'))).toEqual({ method: 'heartbeat', params: '{}' });
  });

  it.each([
    ['{}', 'method is the name of a method of the venue, of 1 to 256 characters'],
    ['{"method":""}', 'method is the name of a method of the venue, of 1 to 256 characters'],
    ['{"method":5}', 'method is the name of a method of the venue, of 1 to 256 characters'],
    [`{"method":"${'m'.repeat(257)}"}`, 'method is the name of a method of the venue, of 1 to 256 characters'],
    ['{"method":"m","params":null}', 'params is an object or an array'],
    ['{"method":"m","params":"{}"}', 'params is an object or an array'],
    ['{"method":"m","timeoutMs":0}', 'timeoutMs is a number of milliseconds above 0'],
    ['{"method":"m","timeoutMs":"5s"}', 'timeoutMs is a number of milliseconds above 0'],
    ['{"method":"m","timeout":5}', '"timeout" is not a parameter of call (method, params, timeoutMs)'],
  ])('does not take %s', (params, message) => {
    expect(() => parse(request(params))).toThrow(new RpcError(-32602, message));
  });
});

describe('the parameters of rest', () => {
  it('are a method in any case, a path, and a body where there is one', () => {
    expect(parseRest({ method: 'post', path: '/v1/x', data: '{}' })).toEqual({
      method: 'POST',
      path: '/v1/x',
      data: '{}',
    });
    expect(parseRest({ method: 'GET', path: '/v1/x' })).toEqual({ method: 'GET', path: '/v1/x', data: undefined });
  });

  it.each([
    [{ method: 'POST', path: '/v1/x', body: '{}' }, '"body" is not a parameter of rest (method, path, data)'],
    [{ path: '/v1/x' }, 'method is GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS'],
    [{ method: 'GET' }, 'path begins with one /, such as /v1/rfq?limit=10'],
    [{ method: 'PUT', path: '/v1/x', data: {} }, 'data is the body, as a string'],
  ])('%j are refused', (asked, message) => {
    expect(() => parseRest(asked)).toThrow(message);
  });
});

it('a method without parameters refuses the first that it is given', () => {
  expect(() => refuseAll('reload', {})).not.toThrow();
  expect(() => refuseAll('reload', { force: true })).toThrow('"force": reload takes no parameters');
});
