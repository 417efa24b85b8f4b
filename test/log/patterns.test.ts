import fc from 'fast-check';
import { expect, it } from 'vitest';
import { patternTest } from '../../src/log/patterns.ts';

/** What a regular expression makes of a pattern, where that is safe: names and patterns are short. */
function slowly(pattern: string): RegExp {
  return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^]*')}$`);
}

it('takes * for any run of characters, wherever and however often it stands', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 7 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 3 }), text, (patterns, name) => {
      const expected = patterns.some((pattern) => slowly(pattern).test(name));
      expect(patternTest(patterns)?.(name) ?? true).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});

it("passes figd's own facts always, and what was fetched to whoever wants RFQs", () => {
  const passing = (patterns: readonly string[]) =>
    ['figd.state', 'figd.gap', 'figd.reconcile', 'rfq.maker'].filter((name) => patternTest(patterns)?.(name) ?? true);
  expect(passing([])).toEqual(['figd.state', 'figd.gap']);
  expect(passing(['rfq_quote.*'])).toEqual(['figd.state', 'figd.gap']);
  expect(passing(['rfq.taker'])).toEqual(['figd.state', 'figd.gap', 'figd.reconcile']);
  expect(passing(['*'])).toHaveLength(4);
});

it('takes no longer than the name is long', () => {
  const test = patternTest([`${'*a'.repeat(5_000)}b`]);
  expect(test?.('a'.repeat(20_000))).toBe(false);
});
