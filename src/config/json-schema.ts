import { readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { metricsSchema, settingsSchema } from './schema.ts';

/** The JSON Schema that ships with the package, for editors that check `figd.yaml` while it is written. */
export const jsonSchemaFile = new URL('../../deploy/figd.schema.json', import.meta.url);

/** The JSON Schema (draft 2020-12) of `figd.yaml`: what may be written, before defaults. */
export function configurationJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(settingsSchema, { io: 'input', override: allowMetricsOff });
  return { $schema, title: 'Configuration of figd (figd.yaml)', ...schema };
}

/** Text of {@link jsonSchemaFile} as it should be. */
export function configurationJsonSchemaText(): string {
  return write(configurationJsonSchema(), '') + '\n';
}

/** JSON as the project's formatter has it: blocks one key a line, lists without blocks in them on one line. */
function write(value: unknown, indent: string): string {
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    return value.some(isBlock)
      ? `[\n${value.map((item) => deeper + write(item, deeper)).join(',\n')}\n${indent}]`
      : `[${value.map((item) => write(item, deeper)).join(', ')}]`;
  }
  if (!isBlock(value) || Object.keys(value).length === 0) {
    return JSON.stringify(value);
  }
  const lines = Object.entries(value).map(
    ([name, inner]) => `${deeper}${JSON.stringify(name)}: ${write(inner, deeper)}`,
  );
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

function isBlock(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `metrics: off` stands for `metrics: { listen: off }`; YAML 1.1 tools write that word as false. */
function allowMetricsOff({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: unknown;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  if (zodSchema !== metricsSchema) {
    return;
  }
  const block = { ...jsonSchema };
  for (const name of Object.keys(jsonSchema)) {
    delete jsonSchema[name];
  }
  jsonSchema.anyOf = [block, { enum: ['off', false] }];
}

if (import.meta.main) {
  const written = configurationJsonSchemaText();
  if (process.argv.includes('--write')) {
    writeFileSync(jsonSchemaFile, written);
  } else if (readFileSync(jsonSchemaFile, 'utf8') === written) {
    process.stdout.write('deploy/figd.schema.json is up to date\n');
  } else {
    process.stderr.write('deploy/figd.schema.json has drifted; run: node src/config/json-schema.ts --write\n');
    process.exitCode = 1;
  }
}
