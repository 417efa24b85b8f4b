import { expect, it } from 'vitest';
import { cut, messageOf } from '../../src/protocol/text.ts';

it('leaves a text that is short enough as it is', () => {
  expect(cut('abcd', 4)).toBe('abcd');
});

it('cuts a longer one to the length it may have, and shows that it did', () => {
  expect(cut('abcde', 4)).toBe('abc…');
});

it('leaves no half of a character behind', () => {
  expect(cut('ab😀cd', 4).isWellFormed()).toBe(true);
});

it('tells of an error what it says, and of anything else what it is', () => {
  expect(messageOf(new Error('no room'))).toBe('no room');
  expect(messageOf(42)).toBe('42');
});
