import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Permissions } from '../../src/gateway/permissions.ts';

describe('without a list', () => {
  test('everything may be called', () => {
    const permissions = new Permissions(undefined);
    expect(permissions.allowsCall('v1/rfq/create')).toBe(true);
    expect(permissions.allowsRest('DELETE', '/v1/rfq/%2e%2e/x')).toBe(true);
  });
});

describe('with a list', () => {
  const permissions = new Permissions(['v1/rfq/*', 'heartbeat', 'GET /v1/*', '* /v1/rfq*', 'POST /v1/quote']);

  test.each<[string, boolean]>([
    ['v1/rfq/list', true],
    ['v1/rfq/', true],
    ['v1/rfq', false],
    ['heartbeat', true],
    ['heartbeat2', false],
    ['v1/quote/create', false],
    ['GET /v1/*', false],
    ['', false],
  ])('the JSON-RPC method %s: %s', (method, allowed) => {
    expect(permissions.allowsCall(method)).toBe(allowed);
  });

  test.each<[string, string, boolean]>([
    ['GET', '/v1/account', true],
    ['GET', '/v2/account', false],
    ['HEAD', '/v1/account', false],
    ['get', '/v1/account', false],
    ['DELETE', '/v1/rfq/12', true],
    ['DELETE', '/v1/quote', false],
    ['POST', '/v1/quote', true],
    ['POST', '/v1/quote/', false],
    ['GET', 'heartbeat', false],
  ])('the REST call %s %s: %s', (method, path, allowed) => {
    expect(permissions.allowsRest(method, path)).toBe(allowed);
  });

  test.each([
    '/v1/rfq/../account',
    '/v1/rfq/..',
    '/v1/./rfq',
    '/v1/rfq/..;/account',
    '/v1/rfq/.;x=1/account',
    '/v1/rfq%2f..%2faccount',
    '/v1/rfq/%2E%2e/account',
    '/v1/rfq/%252e%252E/account',
    '/v1/rfq/%25252f/account',
    '/v1/rfq%5C..',
    '/v1/rfq\\..\\account',
    '/v1/rfq%00',
    '/v1/account#/v1/rfq',
    '/v1/account?/v1/rfq',
    '/v1/rfq\t/x',
    '/v1/rfq x',
    '/v1/rfq/ä',
    '/v1/rfq/{id}',
    '/v1/rfq/"',
    '//v1/rfq',
    'v1/rfq',
    '',
  ])('the path %j is refused, as the venue might read it differently', (path) => {
    expect(permissions.allowsRest('GET', path)).toBe(false);
    expect(new Permissions(['* *']).allowsRest('GET', path)).toBe(false);
    expect(new Permissions(['* /*']).allowsRest('GET', path)).toBe(false);
  });

  test('what else may stand in a path does', () => {
    const path = "/v1/rfq/a.b..c/...x/-_~!$&'()*+,=:@%20%C3%A4";
    expect(permissions.allowsRest('GET', path)).toBe(true);
  });

  test('an entry for REST lets no JSON-RPC method through, nor the other way round', () => {
    expect(new Permissions(['*']).allowsRest('GET', '/v1/rfq')).toBe(false);
    expect(new Permissions(['* /*']).allowsCall('v1/rfq/list')).toBe(false);
    expect(new Permissions(['*']).allowsCall('v1/rfq/list')).toBe(true);
  });

  test('a path that is let through stays what it is when a URL is made of it', () => {
    const everything = new Permissions(['* /*']);
    const part = fc.constantFrom(
      '/',
      '.',
      '..',
      '%2e',
      '%2F',
      '%5c',
      '\\',
      '#',
      '?',
      ';',
      '%',
      '25',
      'v1',
      '\t',
      '"',
      '{',
      '|',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const path = `/${parts.join('')}`;
        if (everything.allowsRest('GET', path)) expect(new URL(`http://venue${path}`).pathname).toBe(path);
      }),
      { numRuns: 5_000 },
    );
  });

  test('another one may take its place at any time', () => {
    const changing = new Permissions(['heartbeat']);
    changing.replace(['v1/*']);
    expect([changing.allowsCall('heartbeat'), changing.allowsCall('v1/x')]).toEqual([false, true]);
    changing.replace(undefined);
    expect(changing.allowsCall('heartbeat')).toBe(true);
  });
});
