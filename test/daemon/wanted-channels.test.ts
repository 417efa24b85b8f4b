import { expect, test } from 'vitest';
import { WantedChannels } from '../../src/daemon/wanted-channels.ts';

test('since when a channel is wanted counts from where it was wanted last without a break', () => {
  let now = 5;
  const wanted = new WantedChannels(['a', 'b'], () => now);
  now = 7;
  wanted.change(['b', 'c']);
  now = 9;
  wanted.change(['c', 'b', 'a']);
  expect([...wanted.since]).toEqual([
    ['c', 7],
    ['b', 5],
    ['a', 9],
  ]);
  expect(wanted.names).toEqual(['c', 'b', 'a']);
});

test('what was wanted at a moment is known when it is not wanted any more', () => {
  let now = 5;
  const wanted = new WantedChannels(['a', 'b'], () => now);
  now = 7;
  wanted.change(['b']);
  now = 9;
  wanted.change(['c']);
  expect([6, 7, 8, 9, 10].map((moment) => wanted.namesSince(moment))).toEqual([
    ['c', 'a', 'b'],
    ['c', 'a', 'b'],
    ['c', 'b'],
    ['c', 'b'],
    ['c'],
  ]);
  wanted.change(['a', 'c']);
  expect(wanted.namesSince(0)).toEqual(['a', 'c', 'b']);
});
