import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize, UnitError } from '../../src/config/units.ts';

const wholeNumber = fc.nat({ max: Number.MAX_SAFE_INTEGER });

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each([
    [0, '0s'],
    [1, '1ms'],
    [1_500, '1500ms'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [86_400_000, '1d'],
  ])('%d ms is written %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  test.each([
    ['10', '10 has no unit; write 10s'],
    ['1.5', '1.5 has no unit; write a duration such as 500ms, 10s, 5m, 24h or 7d'],
    ['10 s', '"10 s" is not a duration; write 10s'],
    ['10S', '10S is not a duration; write 10s'],
    ['5min', '5min is not a duration; write 5m'],
    ['1.5s', '1.5s is not a duration; write 1500ms'],
    ['0.1ms', '0.1ms is not a duration; write a duration such as 500ms, 10s, 5m, 24h or 7d'],
    ['1h30m', '1h30m is not a duration; write a duration such as 500ms, 10s, 5m, 24h or 7d'],
    ['-1s', '-1s is not a duration; write a duration such as 500ms, 10s, 5m, 24h or 7d'],
    ['', '"" is not a duration; write a duration such as 500ms, 10s, 5m, 24h or 7d'],
    ['999999999999999d', '999999999999999d is too large; write a duration such as 500ms, 10s, 5m, 24h or 7d'],
  ])('refuses %j and says what to write', (text, message) => {
    expect(() => parseDuration(text)).toThrow(new UnitError(message));
  });

  test('whatever is written reads back as the same number', () => {
    fc.assert(fc.property(wholeNumber, (amount) => parseDuration(formatDuration(amount)) === amount));
  });
});

describe('sizes', () => {
  test.each([
    ['1024B', 1024],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['2GiB', 2_147_483_648],
    ['1TiB', 1_099_511_627_776],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    [0, '0B'],
    [1_000, '1000B'],
    [65_536, '64KiB'],
    [1_572_864, '1536KiB'],
    [2_147_483_648, '2GiB'],
  ])('%d bytes is written %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test.each([
    ['64', '64 has no unit; write 64MiB'],
    ['64MB', '64MB is not a size; write 64MiB'],
    ['64k', '64k is not a size; write 64KiB'],
    ['1mib', '1mib is not a size; write 1MiB'],
    ['1.5GiB', '1.5GiB is not a size; write 1536MiB'],
    ['much', 'much is not a size; write a size such as 1024B, 64KiB, 1MiB or 2GiB'],
  ])('refuses %j and says what to write', (text, message) => {
    expect(() => parseSize(text)).toThrow(new UnitError(message));
  });

  test('whatever is written reads back as the same number', () => {
    fc.assert(fc.property(wholeNumber, (amount) => parseSize(formatSize(amount)) === amount));
  });
});

test('a text is either read as a number from 0 up or refused with advice, whatever it is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9. ]{1,6}[a-zA-Z]{0,3}$/)), (text) => {
      try {
        expect(parseDuration(text)).toBeGreaterThanOrEqual(0);
      } catch (error) {
        expect(error).toBeInstanceOf(UnitError);
        expect(String(error)).toMatch(/; write ./);
      }
    }),
  );
});

test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('%d cannot be written', (amount) => {
  expect(() => formatDuration(amount)).toThrow(RangeError);
  expect(() => formatSize(amount)).toThrow(RangeError);
});
