import { format, inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';

const secret = new Secret('canary');

test('gives its text to reveal() only', () => {
  expect(secret.reveal()).toBe('canary');
});

test.each([
  ['a template', `${secret}`],
  ['concatenation', '' + secret],
  ['JSON', JSON.stringify({ secret })],
  ['inspect', inspect({ secret }, { showHidden: true, depth: null })],
  ['a log format', format('%s %o %j', secret, secret, secret)],
])('%s shows [secret] in its place', (_way, text) => {
  expect(text).toContain('[secret]');
  expect(text).not.toContain('canary');
});

test('has no property that a copy could carry along', () => {
  expect({ ...secret }).toEqual({});
  expect(JSON.stringify(structuredClone(secret))).toBe('{}');
});

test('tells whether another holds the same text', () => {
  expect(secret.equals(new Secret('canary'))).toBe(true);
  expect(secret.equals(new Secret('other'))).toBe(false);
});
