import type * as z from 'zod';
import { settingsSchema } from './schema.ts';

/** One key of the configuration that holds a value, with its name in each layer. */
export interface ConfigurationKey {
  /** As in the YAML file, dotted: `venue.restUrl`. */
  readonly key: string;
  readonly path: readonly string[];
  /** As a flag, without the dashes in front: `venue.rest-url`. */
  readonly flag: string;
  /** As an environment variable: `FIGD_VENUE__REST_URL`. */
  readonly variable: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'list';
  readonly description: string;
  /** The default as it would be written in a flag; none when a profile or the environment decides, or there is none. */
  readonly default?: string;
  readonly example?: string;
}

/** One option for the command line of a command that takes the configuration. */
export interface ConfigurationFlag {
  readonly flag: string;
  readonly key: string;
  readonly description: string;
  readonly default?: string;
  readonly example?: string;
  /** Not to be shown in `--help`: it exists to be refused with a reason. */
  readonly hidden: boolean;
}

/** The key that is refused on the command line, where `ps` shows it to every user of the host. */
export const refusedAsFlag = 'credentials.clientSecret';

interface Walked {
  readonly keys: readonly ConfigurationKey[];
  readonly sections: readonly string[];
}

const walked = walk(settingsSchema, []);

/** Every key that holds a value, in the order of the schema. */
export const configurationKeys: readonly ConfigurationKey[] = walked.keys;

/** The dotted names of the blocks that hold keys: `venue`, `venue.methods`, … */
export const configurationSections: ReadonlySet<string> = new Set(walked.sections);

/** {@link configurationKeys} by dotted key. */
export const keysByName: ReadonlyMap<string, ConfigurationKey> = new Map(walked.keys.map((key) => [key.key, key]));

/** The options that override the file and the environment, `--venue.rest-url URL` and so on. */
export const configurationFlags: readonly ConfigurationFlag[] = configurationKeys.map((known) => ({
  flag: known.flag,
  key: known.key,
  description: known.description,
  ...(known.default !== undefined && { default: known.default }),
  ...(known.example !== undefined && { example: known.example }),
  hidden: known.key === refusedAsFlag,
}));

function walk(section: z.ZodObject, parents: readonly string[]): Walked {
  const keys: ConfigurationKey[] = [];
  const sections: string[] = [];
  for (const [name, field] of Object.entries(section.shape)) {
    const path = [...parents, name];
    const layers = unwrap(field as z.core.$ZodTypes);
    const bare = layers.at(-1);
    if (bare?._zod.def.type === 'object') {
      const inner = walk(bare as z.ZodObject, path);
      sections.push(path.join('.'), ...inner.sections);
      keys.push(...inner.keys);
    } else {
      keys.push(describeKey(path, layers));
    }
  }
  return { keys, sections };
}

/** The schema and what it wraps, from the outside in: default, optional, and what a transform starts from. */
function unwrap(schema: z.core.$ZodTypes): z.core.$ZodTypes[] {
  const { def } = schema._zod;
  switch (def.type) {
    case 'prefault':
    case 'optional':
      return [schema, ...unwrap(def.innerType as z.core.$ZodTypes)];
    case 'pipe':
      return [schema, ...unwrap(def.in as z.core.$ZodTypes)];
    default:
      return [schema];
  }
}

function describeKey(path: readonly string[], layers: readonly z.core.$ZodTypes[]): ConfigurationKey {
  const metas = layers.map((layer) => (layer as unknown as z.ZodType).meta() ?? {});
  const example: unknown = metas.flatMap((meta) => (Array.isArray(meta['examples']) ? meta['examples'] : []))[0];
  const written = layers.map(defaultOf).find((value) => value !== undefined);
  return {
    key: path.join('.'),
    path,
    flag: path.map((segment) => words(segment).join('-')).join('.'),
    variable: `FIGD_${path.map((segment) => words(segment).join('_').toUpperCase()).join('__')}`,
    kind: kindOf(layers),
    description: metas.map((meta) => meta.description).find((text) => text !== undefined) ?? '',
    ...(written !== undefined && { default: String(written) }),
    ...(example !== undefined && { example: String(example) }),
  };
}

function defaultOf({ _zod: { def } }: z.core.$ZodTypes): unknown {
  return def.type === 'prefault' ? def.defaultValue : undefined;
}

function kindOf(layers: readonly z.core.$ZodTypes[]): ConfigurationKey['kind'] {
  switch (layers.at(-1)?._zod.def.type) {
    case 'array':
      return 'list';
    case 'boolean':
      return 'boolean';
    case 'number':
      return 'number';
    default:
      return 'text';
  }
}

/** `clientIdFile` → client, id, file. */
function words(camelCase: string): string[] {
  return camelCase.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
}
