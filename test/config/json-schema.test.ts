import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configurationJsonSchema, configurationJsonSchemaText, jsonSchemaFile } from '../../src/config/json-schema.ts';
import { configurationKeys } from '../../src/config/keys.ts';

test('the shipped file is what the schema gives', () => {
  expect(
    readFileSync(jsonSchemaFile, 'utf8') === configurationJsonSchemaText(),
    'deploy/figd.schema.json has drifted; run: node src/config/json-schema.ts --write',
  ).toBe(true);
});

test('is written the way it is read', () => {
  expect(JSON.parse(configurationJsonSchemaText())).toEqual(JSON.parse(JSON.stringify(configurationJsonSchema())));
});

test.each(configurationKeys)('describes $key', ({ path, description }) => {
  let node: unknown = configurationJsonSchema();
  for (const name of path) {
    const block = property(node, 'anyOf', 0) ?? node;
    expect(property(block, 'additionalProperties')).toBe(false);
    node = property(block, 'properties', name);
  }
  expect(property(node, 'description')).toBe(description);
});

test('has metrics as a block or as the word off', () => {
  expect(property(configurationJsonSchema(), 'properties', 'metrics', 'anyOf', 1)).toEqual({ enum: ['off', false] });
});

function property(node: unknown, ...names: readonly (string | number)[]): unknown {
  return names.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    node,
  );
}
