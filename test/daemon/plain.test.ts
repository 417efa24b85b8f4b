import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { plain } from '../../src/daemon/plain.ts';

const secret = 'hush hush';
const redact = (text: string) => text.replaceAll(secret, '[secret]');

it('leaves plain values of modest size as they are', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      fc.pre(!JSON.stringify(value).includes('__proto__'));
      expect(plain(value, redact)).toEqual(value);
    }),
  );
});

it('leaves out what has a life of its own, and shows no secret', () => {
  const value = {
    run: () => undefined,
    clock: new Date(),
    actor: new (class Actor {
      send() {}
    })(),
    undefined: undefined,
    credentials: { clientSecret: new Secret(secret) },
    [`of ${secret}`]: [`it is ${secret}`],
    never: Number.POSITIVE_INFINITY,
  };
  expect(plain(value, redact)).toEqual({
    credentials: { clientSecret: '[secret]' },
    'of [secret]': ['it is [secret]'],
    never: 'Infinity',
  });
});

it('has bounds, and says what is beyond them', () => {
  const many = Array.from({ length: 100 }, (_, index) => index);
  expect(plain(many, redact)).toEqual([...many.slice(0, 32), '… 68 more']);
  const members = Object.fromEntries(many.map((index) => [`m${index}`, index]));
  expect(Object.entries(plain(members, redact) as object).at(-1)).toEqual(['…', '… 36 more']);
  expect(plain('x'.repeat(1_000), redact)).toBe(`${'x'.repeat(499)}…`);
  // Were it cut first, half of the secret would be shown.
  expect(plain('x'.repeat(495) + secret, redact)).not.toContain('hush');
  const loop: { self?: object } = {};
  loop.self = loop;
  expect(JSON.stringify(plain(loop, redact)).length).toBeLessThan(200);
});
