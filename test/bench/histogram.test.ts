import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Histogram } from '../../bench/histogram.ts';

test('tells quantiles to within 0.3 %', () => {
  const value = fc.integer({ min: 1, max: 2 ** 39 });
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, q) => {
        const histogram = new Histogram();
        for (const each of values) histogram.record(each);
        const sorted = [...values].sort((one, other) => one - other);
        const exact = sorted[Math.max(1, Math.ceil(values.length * q)) - 1] ?? 0;
        expect(Math.abs(histogram.quantile(q) - exact) / exact).toBeLessThan(0.003);
      },
    ),
  );
});

test('goes to another process and back', () => {
  const histogram = new Histogram();
  for (const value of [3, 5_000, 5_000, 7e9]) histogram.record(value);
  const copy = Histogram.from(JSON.parse(JSON.stringify(histogram.toData())));
  expect(copy.total).toBe(4);
  expect(copy.max).toBe(7e9);
  expect(copy.quantile(0.5)).toBe(histogram.quantile(0.5));
});

test('holds nothing at first, and after it was cleared', () => {
  const histogram = new Histogram();
  histogram.record(12);
  histogram.clear();
  expect(histogram.quantile(0.5)).toBeNaN();
  expect(histogram.toData()).toEqual({ counts: [], max: 0 });
});

test('counts what is out of range at its ends', () => {
  const histogram = new Histogram();
  histogram.record(-5);
  histogram.record(2 ** 50);
  expect(histogram.quantile(0)).toBe(1);
  expect(histogram.max).toBe(2 ** 50);
});
