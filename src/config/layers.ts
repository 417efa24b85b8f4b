import type { Problem } from './configuration-error.ts';
import { given } from './default-places.ts';
import { type ConfigurationKey, configurationKeys, refusedAsFlag } from './keys.ts';
import { nearest } from './nearest.ts';

/** One value as one layer gives it. */
export interface Entry {
  /** The segments of a key. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** Where it was written, for errors. */
  readonly where: string;
  /** What a relative path in it starts from; not given means the working directory. */
  readonly base?: string;
}

/** What one layer contributes, and what is wrong with its names. */
export interface Layer {
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
}

/** Variables that begin with `FIGD_` and hold no key: they say where the configuration is. */
const otherVariables: readonly string[] = ['FIGD_CONFIG'];

/**
 * Kubernetes sets `FIGD_SERVICE_HOST`, `FIGD_PORT`, `FIGD_PORT_9464_TCP` and more in every pod beside a service that
 * is named figd. They are not ours.
 */
const kubernetesVariable = /^FIGD_(SERVICE_(HOST|PORT)|PORT(_[0-9]+_|$))/;

/** The `FIGD_…` variables. Empty ones count as not set; no other variable is looked at. */
export function environmentLayer(env: NodeJS.ProcessEnv): Layer {
  const entries: Entry[] = [];
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('FIGD_') || otherVariables.includes(name) || kubernetesVariable.test(name)) {
      continue;
    }
    const known = variables.get(name);
    const value = given(text);
    if (known === undefined) {
      problems.push(unknownName(name, 'variable', [...variables.keys(), ...otherVariables]));
    } else if (value !== undefined) {
      entries.push(entryOf(known, value, name));
    }
  }
  return { entries, problems };
}

/** The flags, by their dotted kebab names without dashes in front: `venue.rest-url`. */
export function flagLayer(values: Readonly<Record<string, string>>): Layer {
  const entries: Entry[] = [];
  const problems: Problem[] = [];
  for (const [flag, text] of Object.entries(values)) {
    const known = flags.get(flag);
    if (known === undefined) {
      problems.push(
        unknownName(
          `--${flag}`,
          'option',
          [...flags.keys()].map((name) => `--${name}`),
        ),
      );
    } else if (known.key === refusedAsFlag) {
      problems.push({
        key: known.key,
        problem: 'a secret on the command line is visible to every user of the host (ps)',
        advice: 'put it in a file of mode 600 and name that in credentials.clientSecretFile',
      });
    } else {
      entries.push(entryOf(known, text, `--${flag}`));
    }
  }
  return { entries, problems };
}

const variables = new Map(configurationKeys.map((known) => [known.variable, known]));
const flags = new Map(configurationKeys.map((known) => [known.flag, known]));

function entryOf(known: ConfigurationKey, text: string, where: string): Entry {
  return { path: known.path, value: fromText(known, text), where };
}

/** Text stays text where it is not what the key wants, so that the error can show it. */
function fromText({ kind }: ConfigurationKey, text: string): unknown {
  if (kind === 'list') {
    return text.split(',').map((item) => item.trim());
  }
  if (kind === 'boolean' && (text === 'true' || text === 'false')) {
    return text === 'true';
  }
  return kind === 'number' && /^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : text;
}

function unknownName(name: string, noun: string, known: readonly string[]): Problem {
  const meant = nearest(name, known);
  return {
    key: name,
    problem: `no such ${noun}`,
    advice: meant === undefined ? `every key has its ${noun} in docs/configuration.md` : `did you mean ${meant}?`,
  };
}

/** A tree of the values of all layers, and for each key where the value in force was written. */
export interface Merged {
  readonly tree: unknown;
  /** Entries in force, by dotted key. */
  readonly inForce: ReadonlyMap<string, Entry>;
}

/** Lays the layers over each other, later ones over earlier ones, key by key. A list replaces a list. */
export function merge(layers: readonly Layer[]): Merged {
  const inForce = new Map<string, Entry>();
  for (const entry of layers.flatMap((layer) => layer.entries)) {
    inForce.set(entry.path.join('.'), entry);
  }
  const tree: Branch = new Map();
  for (const { path, value } of inForce.values()) {
    grow(tree, path, value);
  }
  return { tree: plain(tree), inForce };
}

/** Nested blocks, as maps so that no name can reach an object's prototype. */
type Branch = Map<string, unknown>;

function grow(branch: Branch, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    branch.set(name, value);
    return;
  }
  const below = branch.get(name);
  const block: Branch = below instanceof Map ? below : new Map();
  branch.set(name, block);
  grow(block, rest, value);
}

function plain(value: unknown): unknown {
  return value instanceof Map
    ? Object.fromEntries([...value].map(([name, inner]: [string, unknown]) => [name, plain(inner)]))
    : value;
}
