import { expect, it } from 'vitest';
import { shownPatterns } from '../../src/daemon/status.ts';

it('shows the patterns of a consumer as they are', () => {
  expect(shownPatterns(['rfq.*', 'x'.repeat(64)])).toEqual(['rfq.*', 'x'.repeat(64)]);
});

it('shows the beginning of patterns that would fill the status', () => {
  const shown = shownPatterns(Array.from({ length: 256 }, () => 'x'.repeat(256)));
  expect(shown).toEqual([...Array.from({ length: 16 }, () => `${'x'.repeat(64)}…`), '… and 240 more']);
});
