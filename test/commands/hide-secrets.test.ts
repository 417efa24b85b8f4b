import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { showBody } from '../../src/commands/terminal/hide-secrets.ts';

const mask = '"[hidden; --reveal shows it]"';
const show = (body: string, pretty = false) => showBody(body, { reveal: false, pretty });

describe('a body that may hold secrets', () => {
  it.each([
    ['{"clientSecret" : "a\\"b" , "x":1.0}', `{"clientSecret" : ${mask} , "x":1.0}`],
    ['{"ACCESS_TOKEN":1}', `{"ACCESS_TOKEN":${mask}}`],
    ['{"api\\u004bey":"k"}', `{"api\\u004bey":${mask}}`],
    ['[{"token":{"a":["b"]},"c":2}]', `[{"token":${mask},"c":2}]`],
    ['{"a":{"password":"1"},"a":{"passphrase":"2"}}', `{"a":{"password":${mask}},"a":{"passphrase":${mask}}}`],
    ['{"token":null,"tokens":3}', '{"token":null,"tokens":3}'],
    ['<html>invalid token</html>', '<html>invalid token</html>'],
    ['', ''],
  ])('%s is shown as %s', (body, shown) => {
    expect(show(body)).toBe(shown);
  });

  it('is withheld when it is not JSON and values cannot be told apart', () => {
    expect(show('{"clientSecret":"s3cret"')).not.toContain('s3cret');
    expect(show('{"clientSecret":"s3cret"}\n{}')).not.toContain('s3cret');
    expect(showBody('client_secret=s3cret', { reveal: true, pretty: true })).toBe('client_secret=s3cret');
  });

  it('keeps every digit when it is laid out', () => {
    expect(show('{"a":[1.0,{}],"b":12345678901234567890}', true)).toBe(
      '{\n  "a": [\n    1.0,\n    {}\n  ],\n  "b": 12345678901234567890\n}',
    );
  });

  it('is otherwise unchanged, and laid out as JSON.stringify does it', () => {
    fc.assert(
      fc.property(fc.json(), (body) => {
        expect(showBody(body, { reveal: true, pretty: false })).toBe(body);
        const compact = JSON.stringify(JSON.parse(body));
        expect(showBody(compact, { reveal: true, pretty: true })).toBe(JSON.stringify(JSON.parse(body), null, 2));
      }),
    );
  });
});
