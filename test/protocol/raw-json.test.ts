import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elementBytes, memberBytes } from '../../src/protocol/raw-json.ts';

const elements = (json: string): readonly string[] => elementBytes(Buffer.from(json)).map(String);
const member = (json: string, name: string): string | undefined => memberBytes(Buffer.from(json), name)?.toString();

/** JSON text of a value with blanks wherever JSON allows them. */
function spaced(value: unknown, blank: string): string {
  if (Array.isArray(value))
    return `[${blank}${value.map((each) => spaced(each, blank)).join(`${blank},${blank}`)}${blank}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, each]) => `${JSON.stringify(key)}${blank}:${blank}${spaced(each, blank)}`,
  );
  return `{${blank}${members.join(`${blank},${blank}`)}${blank}}`;
}

describe('the elements of an array', () => {
  test.each<[string, readonly string[]]>([
    ['[]', []],
    [' [ \n] ', []],
    ['[1]', ['1']],
    ['[1.50,"a,b]",null,true]', ['1.50', '"a,b]"', 'null', 'true']],
    ['[ {"a":[1,2]} ,\t[3,[4]] , [] , {} ]', ['{"a":[1,2]}', '[3,[4]]', '[]', '{}']],
    ['["\\"]","\\\\",",[{"]', ['"\\"]"', '"\\\\"', '",[{"']],
    ['[{"price": 0.0500, "x" :1e3}]', ['{"price": 0.0500, "x" :1e3}']],
  ])('of %s are as they stand there', (json, expected) => {
    expect(elements(json)).toEqual(expected);
  });

  test('are those that JSON.parse finds, with their bytes untouched', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), fc.constantFrom('', ' ', '\n\t '), (values, blank) => {
        const json = spaced(values, blank);
        const found = elements(json);
        expect(found).toEqual(values.map((value) => spaced(value, blank)));
        expect(found.map((each) => JSON.parse(each))).toEqual(JSON.parse(json));
      }),
    );
  });

  test('share the memory of the array: nothing is copied', () => {
    const json = Buffer.from('[1,22]');
    expect(
      elementBytes(json).map(({ buffer, byteOffset }) => [buffer === json.buffer, byteOffset - json.byteOffset]),
    ).toEqual([
      [true, 1],
      [true, 3],
    ]);
  });
});

describe('a member of an object', () => {
  test.each<[string, string | undefined]>([
    ['{"results":[1, 2]}', '[1, 2]'],
    ['{"a":{"results":0},"results": {"b":1.0} }', '{"b":1.0}'],
    ['{"a":"results","results":"x\\"}"}', '"x\\"}"'],
    ['{"totalResults":2,"cursor":null,"results":[]}', '[]'],
    ['{"a":[{"results":1}]}', undefined],
    ['{"results":1,"results":2.0}', '2.0'],
    ['{"results":1,"r\\u0065sults":{"a":"}"}}', '{"a":"}"}'],
    ['{"results\\u0000":1}', undefined],
    ['{}', undefined],
  ])('of %s is as it stands there', (json, expected) => {
    expect(member(json, 'results')).toBe(expected);
  });

  test('is the one that JSON.parse finds, with its bytes untouched', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue(), { maxKeys: 6 }),
        fc.constantFrom('', ' ', '\n\t '),
        (object, blank) => {
          const json = spaced(object, blank);
          for (const [name, value] of Object.entries(object)) expect(member(json, name)).toBe(spaced(value, blank));
        },
      ),
    );
  });

  test('is the one that JSON.parse takes, where a name stands there several times or is spelled with escapes', () => {
    const key = fc.constantFrom('"id"', '"i\\u0064"', '"\\u0069d"', '"ID"', '"i\\\\d"');
    const value = fc.constantFrom('1.50', '"id"', '{"id":3}', '[",",{"id":4}]', ' "\\"id\\":5" ', 'null');
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 5 }), (members) => {
        const json = `{${members.map((each) => each.join(':')).join(',')}}`;
        const parsed = JSON.parse(json);
        const found = member(json, 'id');
        expect(found !== undefined).toBe(Object.hasOwn(parsed, 'id'));
        if (found !== undefined) expect(JSON.parse(found)).toEqual(parsed['id']);
      }),
    );
  });
});
