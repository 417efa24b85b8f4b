import { expect, it } from 'vitest';
import { BoundedLabels } from '../../src/adapters/bounded-labels.ts';

it('keeps what it has seen first, and makes one of all that comes later', () => {
  const labels = new BoundedLabels();
  const codes = Array.from({ length: 64 }, (_, index) => `rpc ${-32_000 - index}`);
  expect(codes.map((code) => labels.of(code))).toEqual(codes);
  expect(labels.of('rpc 1')).toBe('other');
  expect(labels.of(codes[7] ?? '')).toBe(codes[7]);
});
