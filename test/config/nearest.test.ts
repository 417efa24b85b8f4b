import { expect, test } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';

const names = ['restUrl', 'tokenUrl', 'socketUrl', 'sign', 'clientSecret', 'clientSecretFile'];

test.each([
  ['restURL', 'restUrl'],
  ['rest_url', 'restUrl'],
  ['rest-url', 'restUrl'],
  ['retsUrl', 'restUrl'],
  ['sing', 'sign'],
  ['clientSecrt', 'clientSecret'],
  ['secretFile', undefined],
  ['password', undefined],
  ['', undefined],
])('%j was meant to be %s', (word, meant) => {
  expect(nearest(word, names)).toBe(meant);
});
