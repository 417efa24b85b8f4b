import { expect, it } from 'vitest';
import { type EventFrame, type ReplyFrame, readFrame } from '../../src/protocol/venue-frame.ts';

const known = (name: string) => name === 'rfq.maker' || name === 'rfq_quote.taker';
const data = { rfqId: 7, description: 'BTC call' };

function read(frame: unknown): EventFrame | ReplyFrame {
  return readFrame(Buffer.from(typeof frame === 'string' ? frame : JSON.stringify(frame)), known);
}

/** An event with its message as text, for comparing whole values. */
function event(frame: EventFrame | ReplyFrame): unknown {
  if (frame.kind !== 'event') return frame;
  return { ...frame, message: Buffer.from(frame.message).toString('utf8') };
}

it.each([
  ['params.channel', { jsonrpc: '2.0', method: 'subscription', params: { channel: 'rfq.maker', data } }],
  ['the top-level channel', { channel: 'rfq.maker', data }],
  ['a method that is a known channel', { jsonrpc: '2.0', method: 'rfq.maker', params: data }],
  ['params.subscription', { method: 'subscription', params: { subscription: 'rfq.maker', result: data } }],
  ['result.channel', { jsonrpc: '2.0', result: { channel: 'rfq.maker', data } }],
])('finds the channel in %s', (_where, frame) => {
  expect(event(read(frame))).toEqual({ kind: 'event', channel: 'rfq.maker', message: JSON.stringify(frame) });
});

it('looks for the channel in a fixed order when it stands in several places', () => {
  const frame = { method: 'rfq.maker', channel: 'top', params: { channel: 'params', subscription: 'sub' } };
  const { params, channel, ...onlyMethod } = frame;
  const found = [
    frame,
    { ...frame, params: { subscription: 'sub' } },
    { ...onlyMethod, params: { subscription: 'sub' }, result: { channel: 'result' } },
    { method: 'unknown', params: { subscription: 'sub' }, result: { channel: 'result' } },
    { method: 'unknown', result: { channel: 'result' } },
  ].map((value) => (read(value) as EventFrame).channel);
  expect(found).toEqual(['params', 'top', 'rfq.maker', 'sub', 'result']);
  expect([params.channel, channel]).toEqual(['params', 'top']);
});

it.each([
  ['names no channel', { jsonrpc: '2.0', method: 'notice', params: { text: 'maintenance' } }],
  ['names an unknown method', { method: 'rfq.unknown', params: data }],
  ['has a channel that is no text', { params: { channel: 5 }, channel: null }],
  ['has an empty channel', { params: { channel: '' } }],
  ['has a channel longer than 256 characters', { params: { channel: 'x'.repeat(257) } }],
  ['is an array', [{ channel: 'rfq.maker' }]],
  ['is a batch of replies', [{ id: 1, result: {} }]],
  ['is a number', 42],
  ['is a text', JSON.stringify('rfq.maker')],
  ['is null', null],
  ['has params that are an array', { method: 'x', params: ['rfq.maker'] }],
])('publishes a frame that %s on venue.unrouted, as it came', (_what, frame) => {
  const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
  expect(event(read(text))).toEqual({ kind: 'event', channel: 'venue.unrouted', message: text });
});

it('does not let the venue speak on the channels of figd itself', () => {
  for (const channel of ['figd.state', 'figd.gap', 'figd.anything']) {
    const frame = { params: { channel, data: { state: 'live' } } };
    expect(event(read(frame))).toEqual({ kind: 'event', channel: 'venue.unrouted', message: JSON.stringify(frame) });
  }
  const frame = { params: { channel: 'figd.gap' }, channel: 'rfq.maker' };
  expect((read(frame) as EventFrame).channel).toBe('rfq.maker');
});

it('takes a channel of 256 characters', () => {
  const channel = 'x'.repeat(256);
  expect((read({ channel }) as EventFrame).channel).toBe(channel);
});

it.each([
  ['with jsonrpc', { jsonrpc: '2.0', id: 3, result: { success: true } }],
  ['without jsonrpc, echoing the method', { id: 3, method: 'auth', result: { success: true } }],
  ['bare', { id: 3, result: { success: true } }],
])('reads a reply %s', (_how, frame) => {
  expect(read(frame)).toEqual({ kind: 'reply', id: 3, result: { success: true }, error: null, otherwise: null });
});

it('reads a reply that echoes a method which is a channel, and can still publish it', () => {
  const frame = { id: 'a', result: { channel: 'rfq.maker', data } };
  const reply = read(frame) as ReplyFrame;
  expect({ ...reply, otherwise: reply.otherwise && event(reply.otherwise) }).toEqual({
    kind: 'reply',
    id: 'a',
    result: { channel: 'rfq.maker', data },
    error: null,
    otherwise: { kind: 'event', channel: 'rfq.maker', message: JSON.stringify(frame) },
  });
});

it.each([
  [{ code: -32602, message: 'invalid params', data: { field: 'x' } }, undefined],
  [
    { code: -32601, message: 'method not found' },
    { code: -32601, message: 'method not found' },
  ],
  [{ code: '5' }, { code: 0, message: 'no message' }],
  ['refused', { code: 0, message: 'refused' }],
  [17, { code: 0, message: '17' }],
  [null, null],
])('reads the error %j of a reply', (error, expected) => {
  const wanted = expected === undefined ? error : expected;
  expect(read({ id: 1, error })).toEqual({ kind: 'reply', id: 1, result: undefined, error: wanted, otherwise: null });
});

it.each(['', false, 0, {}])('reads the error %j beside a result as none', (error) => {
  const reply = { kind: 'reply', id: 1, error: null, otherwise: null };
  expect(read({ id: 1, result: { success: true }, error })).toEqual({ ...reply, result: { success: true } });
});

it.each(['', false, {}])('reads the error %j of a reply without a result as one', (error) => {
  expect(read({ id: 1, result: null, error })).toMatchObject({ kind: 'reply', error: { code: 0 } });
});

it('reads a reply whose error is nested deeper than any stack', () => {
  const depth = 100_000;
  const frame = read(`{"id":1,"error":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  const error = { code: 0, message: 'no message' };
  expect(frame).toEqual({ kind: 'reply', id: 1, result: undefined, error, otherwise: null });
});

it('treats a call from the venue, with an id and no result, as an event', () => {
  const frame = { id: 9, method: 'ping', params: { channel: 'rfq.maker' } };
  expect(event(read(frame))).toEqual({ kind: 'event', channel: 'rfq.maker', message: JSON.stringify(frame) });
});

it('gives the very bytes of a frame without line breaks, strange spelling included', () => {
  const text = '{ "params" : {"channel":"rfq.maker","n":1.50e+2,"s":"\\u0041\\/\u2028\ufffd\u00e9"} }';
  const bytes = Buffer.from(text);
  const frame = readFrame(bytes, known) as EventFrame;
  expect(Buffer.from(frame.message).equals(bytes)).toBe(true);
  expect(frame).toMatchObject({ channel: 'rfq.maker' });
  expect(frame).not.toHaveProperty('encoding');
});

it('puts spaces for the line breaks of a pretty frame, and leaves the received bytes alone', () => {
  const value = { params: { channel: 'rfq.maker', data } };
  const received = Buffer.from(JSON.stringify(value, null, 2).replaceAll('\n', '\r\n'));
  const before = Buffer.from(received);
  const frame = readFrame(received, known) as EventFrame;
  const text = Buffer.from(frame.message).toString('utf8');
  expect(text).toBe(before.toString('utf8').replaceAll('\r\n', '  '));
  expect(JSON.parse(text)).toEqual(value);
  expect(received.equals(before)).toBe(true);
});

it('reads from a view into a larger buffer', () => {
  const whole = Buffer.from('garbage{"channel":"rfq.maker"}garbage');
  const frame = readFrame(whole.subarray(7, whole.length - 7), known);
  expect(event(frame)).toEqual({ kind: 'event', channel: 'rfq.maker', message: '{"channel":"rfq.maker"}' });
});

it.each([
  ['plain text', 'this is not JSON'],
  ['truncated JSON', '{"params":{"channel":"rfq.maker","da'],
  ['JSON behind a byte order mark', '\ufeff{"channel":"rfq.maker"}'],
  ['JSON behind a byte order mark with a U+FFFD inside', '\ufeff{"channel":"rfq.maker","s":"\ufffd"}'],
  ['nothing at all', ''],
  ['a line break', '\n'],
  ['text with line breaks, quotes and zeros', 'a\r\nb"c\\\u0000\u2028'],
])('publishes %s as a JSON text marked "text"', (_what, text) => {
  const frame = event(read(text));
  expect(frame).toEqual({ kind: 'event', channel: 'venue.unrouted', message: JSON.stringify(text), encoding: 'text' });
});

it.each([
  ['binary', [0x00, 0xff, 0x0a, 0x80]],
  ['JSON with invalid UTF-8 in a text', [...Buffer.from('{"channel":"rfq.maker","s":"'), 0xc3, 0x28, 0x22, 0x7d]],
  ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ['invalid UTF-8 beside a true U+FFFD', [0x22, 0xef, 0xbf, 0xbd, 0xff, 0x22]],
])('publishes %s in base64', (_what, octets) => {
  const frame = event(readFrame(Uint8Array.from(octets), known));
  expect(frame).toEqual({
    kind: 'event',
    channel: 'venue.unrouted',
    message: JSON.stringify(Buffer.from(octets).toString('base64')),
    encoding: 'base64',
  });
});

it('takes an error without an id for a reply, to be published where no call can be meant', () => {
  const text = '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}';
  const message = Buffer.from(text);
  expect(readFrame(message, () => false)).toEqual({
    kind: 'reply',
    id: null,
    result: undefined,
    error: { code: -32700, message: 'parse error' },
    otherwise: { kind: 'event', channel: 'venue.unrouted', message },
  });
});
