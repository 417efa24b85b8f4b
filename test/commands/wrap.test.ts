import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wrap } from '../../src/commands/terminal/wrap.ts';

it('breaks between words, and nowhere else', () => {
  expect(wrap('the quick brown fox', 9)).toEqual(['the quick', 'brown fox']);
  expect(wrap('see https://example.com/a/long/address there', 10)).toEqual([
    'see',
    'https://example.com/a/long/address',
    'there',
  ]);
});

it('keeps every word in its place, and every line within its width unless it is one word', () => {
  const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 12 }));
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 30 }), (text, width) => {
      const lines = wrap(text.join(' '), width);
      expect(lines.join(' ')).toBe(text.join(' '));
      for (const line of lines) expect(line.length <= width || !line.includes(' ')).toBe(true);
    }),
  );
});
