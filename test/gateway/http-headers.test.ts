import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headerOf, headersToCaller, headersToVenue } from '../../src/gateway/http-headers.ts';

const plain = fc.stringMatching(/^X-[A-Za-z]{1,8}$/);
const value = fc.stringMatching(/^[ -~]{0,12}$/);
const list = fc.array(fc.tuple(plain, value)).map((pairs) => pairs.flat());

test('what belongs to nobody on the way passes in its order, repeated names and all', () => {
  fc.assert(
    fc.property(list, (headers) => {
      expect([headersToVenue(headers), headersToCaller(headers)]).toEqual([headers, headers]);
    }),
  );
});

test('what Connection names goes no further, however it is written', () => {
  fc.assert(
    fc.property(list, plain, value, fc.boolean(), (headers, name, text, isLower) => {
      const others = headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== name.toLowerCase());
      const named = isLower ? name.toLowerCase() : name;
      const told = ['Connection', ` close ,${named}, keep-alive`, named, text];
      expect(headersToVenue([...told, ...others])).toEqual(others);
      expect(headersToCaller([...others, ...told])).toEqual(others);
    }),
  );
});

test.each(['Host', 'AUTHORIZATION', 'Content-Length', 'Expect', 'X-FIG-Signature', 'x-fig-timestamp'])(
  'figd says %s to the venue itself, and hands on what the venue says of it',
  (name) => {
    expect([headersToVenue([name, 'x']), headersToCaller([name, 'x'])]).toEqual([[], [name, 'x']]);
  },
);

test.each(['Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Proxy-Authenticate'])(
  '%s is of one connection',
  (name) => {
    expect([headersToVenue([name, 'x']), headersToCaller([name, 'x'])]).toEqual([[], []]);
  },
);

test('a header is found under whatever spelling, the first of its name', () => {
  expect(headerOf(['A', '1', 'Content-TYPE', 'text/plain', 'content-type', 'x'], 'content-type')).toBe('text/plain');
  expect(headerOf(['A', 'content-type'], 'content-type')).toBeUndefined();
});
