import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Vault } from '../../src/adapters/vault.ts';
import { Secret } from '../../src/config/secret.ts';
import { vaultWith } from './support/venue.ts';

const id = 'client-0815';
const secret = 's3cr"t/+= \\ü';
const token = 'tok/en+1=&"x';

function filled(): Vault {
  const vault = vaultWith(id, secret);
  vault.keep({ value: token, generation: 1, expiresAt: Number.POSITIVE_INFINITY }, 'refresh&token');
  return vault;
}

const jsonForm = (text: string) => JSON.stringify(text).slice(1, -1);
const formForm = (text: string) => new URLSearchParams({ x: text }).toString().slice(2);

describe('looking for what opens a door', () => {
  it.each([secret, token, 'refresh&token'])('finds %j in JSON, in whatever escapes', (hidden) => {
    const vault = filled();
    const spellings = [
      JSON.stringify(hidden),
      JSON.stringify(hidden).replaceAll('/', '\\/'),
      JSON.stringify(JSON.stringify({ hidden })),
      `"${[...hidden].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`,
    ];
    for (const json of spellings) expect([json, vault.holdsKey(Buffer.from(`{"a":[${json}]}`))]).toEqual([json, true]);
    expect(vault.holdsKey(Buffer.from(JSON.stringify(hidden.slice(1))))).toBe(false);
  });

  it('knows what is new at once and what was before, and neither the client id nor what is not ours', () => {
    const vault = filled();
    const holds = (text: string) => vault.holdsKey(Buffer.from(text));
    expect(holds('next-token')).toBe(false);
    vault.adopt('next-token', 1);
    vault.replaceCredentials({ clientId: new Secret('another-client'), clientSecret: new Secret('another-secret') });
    expect(['next-token', 'refresh&token', 'another-secret'].map(holds)).toEqual([true, true, true]);
    expect([id, 'another-client', 'Bearer x.y', 'eyJhbGciOiJI.eyJzdWIiOiIx.c2ln'].map(holds)).toEqual(
      Array(4).fill(false),
    );
  });
});

describe('redacting', () => {
  it.each([
    ['as it is', (text: string) => text],
    ['in a URL', encodeURIComponent],
    ['in a form', formForm],
    ['in a form with lower-case escapes', (text: string) => formForm(text).replace(/%../g, (hex) => hex.toLowerCase())],
    ['in JSON', jsonForm],
    ['in JSON within JSON', (text: string) => jsonForm(jsonForm(text))],
    ['in JSON that escapes slashes', (text: string) => jsonForm(text).replaceAll('/', '\\/')],
  ])('blots out every secret %s', (_how, form) => {
    const vault = filled();
    for (const hidden of [id, secret, token, 'refresh&token']) {
      const text = `before ${form(hidden)} and ${form(hidden)} after`;
      expect(vault.redact(text)).toBe('before [secret] and [secret] after');
      expect(vault.isTold(text)).toBe(true);
    }
  });

  it('blots out tokens of before and secrets that were replaced', () => {
    const vault = filled();
    vault.keep({ value: 'second-token', generation: 2, expiresAt: Number.POSITIVE_INFINITY }, null);
    vault.adopt('third-token', 2);
    vault.replaceCredentials({ clientId: new Secret('another-client'), clientSecret: new Secret('another-secret') });
    const told = [token, 'refresh&token', 'second-token', 'third-token', secret, 'another-client', 'another-secret'];
    expect(vault.redact(told.join(' '))).toBe(told.map(() => '[secret]').join(' '));
  });

  it('knows a new secret at once, also when it has redacted before', () => {
    const vault = vaultWith();
    const hidden = (text: string) => vault.redact(text) === '[secret]';
    expect(hidden('next-token')).toBe(false);
    vault.keep({ value: 'next-token', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, null);
    expect([hidden('next-token'), hidden('adopted-token')]).toEqual([true, false]);
    vault.adopt('adopted-token', 1);
    expect([hidden('adopted-token'), hidden('other-client')]).toEqual([true, false]);
    vault.replaceCredentials({ clientId: new Secret('other-client'), clientSecret: new Secret('other-secret') });
    expect([hidden('other-client'), hidden('third-client')]).toEqual([true, false]);
    // Back and forth: now the old secret is remembered already.
    for (const id of ['other-client', 'third-client']) {
      vault.replaceCredentials({ clientId: new Secret(id), clientSecret: new Secret('other-secret') });
      expect(hidden(id)).toBe(true);
    }
  });

  it('blots out a token the venue gave too late to be used', () => {
    const vault = filled();
    vault.adopt('late-token-value', 7);
    expect([vault.accessToken?.value, vault.redact('late-token-value')]).toEqual([token, '[secret]']);
  });

  it('leaves nothing of a secret of which another one is the beginning or a part', () => {
    const vault = vaultWith('client-0815', 'secret-of-client-0815-tail');
    vault.keep({ value: 'toke', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, 'token-and-more');
    expect(vault.redact('<token-and-more> <toke> <secret-of-client-0815-tail>')).toBe(
      '<[secret]> <[secret]> <[secret]>',
    );
  });

  it('is not confused by a secret that stands in its own mark', () => {
    const vault = vaultWith('client-0815', 'secret');
    vault.keep({ value: 'ecre', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, null);
    expect(vault.redact('my secret and client-0815')).toBe('my [secret] and [secret]');
  });

  it('knows what looks like a token, whoever it belongs to', () => {
    const vault = vaultWith();
    const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';
    expect(vault.redact(`got ${jwt}, sent Authorization: Bearer abc.def-123`)).toBe(
      'got [secret], sent Authorization: Bearer [secret]',
    );
    expect(vault.isTold('bearer x.y')).toBe(true);
  });

  it.each([
    ['a query', 'a?token=<>&b'],
    ['JSON', '{"token":"<>"}'],
    ['a header', 'Token: <>,'],
    ['a word with a dash', 'access-token-<>'],
    ['a path', '/v1/<>/x'],
    ['its start', '<>'],
  ])('finds a token in %s', (_where, text) => {
    const written = text.replace('<>', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl');
    expect(vaultWith().redact(written)).toBe(text.replace('<>', '[secret]'));
  });

  it('finds what looks like a token wherever a plain search from each word does', () => {
    const plain = /\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g;
    const vault = vaultWith();
    const parts = fc.constantFrom('eyJ', 'abcdefgh', 'a', '-', '_', '.', ' ', '"');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 20 }), (chosen) => {
        const text = chosen.join('');
        expect(vault.redact(text)).toBe(text.replace(plain, '[secret]'));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['begins of tokens', '-eyJ'],
    ['tokens without an end', '.eyJ'],
    ['short tokens', '-eyJ.'],
    ['names of a scheme', 'Bearer '],
    ['blanks', ' '],
  ])('takes time in proportion to the text, also where it is all %s', (_what, piece) => {
    const text = piece.repeat(262_144 / piece.length);
    const beganAt = performance.now();
    vaultWith().redact(text);
    expect(performance.now() - beganAt).toBeLessThan(1_000);
  });

  it('leaves a line of JSON a line of JSON', () => {
    const vault = filled();
    const value = { msg: `a Bearer abc" and ${token} \\`, header: 'Bearer x', end: `Bearer "${secret}` };
    const parsed: unknown = JSON.parse(vault.redact(JSON.stringify(value)));
    expect(parsed).toEqual({
      msg: 'a Bearer [secret]" and [secret] \\',
      header: 'Bearer [secret]',
      end: expect.stringContaining('[secret]'),
    });
  });

  it('leaves other text alone, and words that are too short to be secrets', () => {
    const vault = vaultWith('demo', 'abc');
    vault.keep({ value: 'xyz', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, null);
    const text = 'a demo with abc and xyz, an eye and a bear';
    expect([vault.redact(text), vault.isTold(text)]).toEqual([text, false]);
  });

  it('lets no secret survive, wherever and however it stands', () => {
    const forms = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => encodeURIComponent(text),
      formForm,
      jsonForm,
    );
    // Longer than any word figd itself writes, so that finding it means that it leaked.
    const secrets = fc.string({ unit: 'grapheme', minLength: 8, maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(secrets, { minLength: 4, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat({ max: 3 }), forms, fc.string({ unit: 'binary', maxLength: 10 })), { maxLength: 6 }),
        ([one = '', two = '', three = '', four = ''], parts) => {
          const vault = vaultWith(one, two);
          vault.keep({ value: three, generation: 1, expiresAt: Number.POSITIVE_INFINITY }, four);
          const hidden = [one, two, three, four];
          const text = parts.map(([which, form, between]) => form(hidden[which] ?? '') + between).join('');
          const clean = vault.redact(text).replaceAll('[secret]', '\u{10ffff}');
          const survivors = hidden.filter((one) =>
            [one, jsonForm(one), formForm(one)].some((form) => clean.includes(form)),
          );
          expect(survivors).toEqual([]);
        },
      ),
      { numRuns: 250 },
    );
  });

  it('never throws, whatever the venue calls a token', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)) }),
        (value) => {
          const vault = vaultWith();
          vault.keep({ value, generation: 1, expiresAt: Number.POSITIVE_INFINITY }, value);
          vault.adopt(value, 1);
          vault.redact(`x${value}x`);
        },
      ),
      { examples: [['token\ud800']] },
    );
  });
});

describe('quoting the venue', () => {
  it('removes what steers a terminal or breaks a line', () => {
    const vault = vaultWith();
    expect(vault.quote('\u001b[31mred\u0000\r\n alert\u009b \u007f')).toBe('[31mred  alert');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
        expect(vault.quote(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });

  it('redacts, and cuts after 200 characters but never into a secret', () => {
    const vault = filled();
    expect(vault.quote(`no such token: ${token}`)).toBe('no such token: [secret]');
    expect(vault.quote('x'.repeat(200))).toBe('x'.repeat(200));
    expect(vault.quote('x'.repeat(201))).toBe(`${'x'.repeat(199)}…`);
    expect(vault.quote(`${'x'.repeat(195)}${token}`)).toBe(`${'x'.repeat(195)}[sec…`);
  });
});

describe('keeping tokens', () => {
  it('knows those in use as secrets, however many the venue gives', () => {
    const vault = filled();
    for (let reply = 0; reply < 20; reply += 1) vault.adopt(`stray-token-${reply}`, 9);
    for (const inUse of [token, 'refresh&token']) {
      expect([vault.isTold(`no: ${inUse}`), vault.holdsKey(Buffer.from(`"${inUse}"`))]).toEqual([true, true]);
    }
    vault.dropRefreshToken();
    vault.forget(1);
    for (const past of [token, 'refresh&token']) expect(vault.isTold(`no: ${past}`)).toBe(true);
  });

  it('adopts a token of an auth reply only for the generation it was given for', () => {
    const vault = filled();
    vault.adopt('newer', 1);
    expect(vault.accessToken).toEqual({ value: 'newer', generation: 1, expiresAt: Number.POSITIVE_INFINITY });
    vault.adopt('stray', 2);
    expect(vault.accessToken).toEqual({ value: 'newer', generation: 1, expiresAt: Number.POSITIVE_INFINITY });
  });

  it('drops the refresh token with the credentials it belongs to, or when told', () => {
    const vault = filled();
    expect(vault.refreshToken).toBe('refresh&token');
    vault.dropRefreshToken();
    expect([vault.refreshToken, vault.accessToken?.value]).toEqual([null, token]);
    vault.keep({ value: token, generation: 1, expiresAt: Number.POSITIVE_INFINITY }, 'again');
    vault.replaceCredentials({ clientId: new Secret('c'), clientSecret: new Secret('s') });
    expect([vault.refreshToken, vault.clientId, vault.clientSecret]).toEqual([null, 'c', 's']);
  });

  it('shows nothing to whoever prints it', () => {
    const vault = filled();
    const shown = [JSON.stringify(vault), String(vault), inspect(vault, { depth: 9, showHidden: true })].join();
    for (const hidden of [id, secret, token, 'refresh&token']) expect(shown).not.toContain(hidden);
  });
});
