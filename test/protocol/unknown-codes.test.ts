import { expect, it } from 'vitest';
import { failure, withUnknown } from '../../src/protocol/failure.ts';
import { UnknownCodes } from '../../src/protocol/unknown-codes.ts';

const closed = (code: number, message = `closed with ${code}`) =>
  withUnknown(failure('closed-unknown', message), 'close', code);

it('counts each code, the one noted last first', () => {
  const codes = new UnknownCodes();
  codes.note(closed(4777, 'first'), 1_000);
  codes.note(withUnknown(failure('rpc-unknown', 'no'), 'rpc', -32042), 2_000);
  codes.note(closed(4777, 'second'), 3_000);
  expect(codes.list()).toEqual([
    { what: 'close 4777', count: 2, firstAt: 1_000, lastAt: 3_000, message: 'second' },
    { what: 'rpc -32042', count: 1, firstAt: 2_000, lastAt: 2_000, message: 'no' },
  ]);
});

it('counts no failure whose code figd knows', () => {
  const codes = new UnknownCodes();
  codes.note(failure('closed-by-venue', 'bye'), 1_000);
  expect(codes.list()).toEqual([]);
});

it('goes by the order of what it was told, whatever the clock does meanwhile', () => {
  const codes = new UnknownCodes();
  codes.note(closed(4001), 9_000);
  codes.note(closed(4002), 1_000);
  expect(codes.list().map(({ what }) => what)).toEqual(['close 4002', 'close 4001']);
});

it('keeps 64 codes apart and counts all others together', () => {
  const codes = new UnknownCodes();
  for (let code = 4_000; code < 4_100; code += 1) codes.note(closed(code), code);
  codes.note(closed(4_000), 5_000);
  const list = codes.list();
  expect(list.length).toBe(65);
  expect(list[0]).toMatchObject({ what: 'close 4000', count: 2 });
  expect(list.find(({ what }) => what === 'other')).toEqual({
    what: 'other',
    count: 36,
    firstAt: 4_064,
    lastAt: 4_099,
    message: 'closed with 4099',
  });
});

it('keeps 200 characters of a message, and no half of one', () => {
  const codes = new UnknownCodes();
  codes.note(closed(4001, 'x'.repeat(200)), 1);
  codes.note(closed(4002, 'x'.repeat(201)), 2);
  codes.note(closed(4003, `${'x'.repeat(198)}😀😀`), 3);
  expect(codes.list().map(({ message }) => message)).toEqual([
    `${'x'.repeat(198)}\ufffd…`,
    `${'x'.repeat(199)}…`,
    'x'.repeat(200),
  ]);
});
