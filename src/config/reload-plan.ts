import { isDeepStrictEqual } from 'node:util';
import type { Configuration } from './configuration-source.ts';
import { configurationKeys } from './keys.ts';
import { addressKeys, reloadRules } from './reload-rules.ts';
import { Secret } from './secret.ts';
import type { Settings } from './settings.ts';

/** What becomes of a new configuration while figd runs. */
export interface ReloadPlan {
  /** The changed keys that take effect, in the order of the documentation. */
  readonly applied: readonly string[];
  /** Those that are not what figd runs with, and will be once it is started again. */
  readonly needsRestart: readonly string[];
  /** What figd runs with from now on. */
  readonly inForce: Configuration;
  /** Whether client id or secret are others than before. */
  readonly hasOtherCredentials: boolean;
}

const isOfCredentials = (key: string): boolean => key.startsWith('credentials.');

/** Tells what of a wanted configuration takes effect now, and what has to wait. */
export function planReload(before: Configuration, wanted: Configuration): ReloadPlan {
  const changed = configurationKeys
    .filter(({ key, path }) => !isSame(valueAt(before, key, path), valueAt(wanted, key, path)))
    .map(({ key }) => key);
  const mustWait = (key: string): boolean => reloadRules[key] === 'restart';
  const isOtherVenue = changed.some((key) => mustWait(key) && addressKeys.includes(key));
  const waits = (key: string): boolean => mustWait(key) || (isOtherVenue && isOfCredentials(key));
  const applied = changed.filter((key) => !waits(key));
  return {
    applied,
    needsRestart: changed.filter(waits),
    inForce: {
      settings: settingsInForce(before.settings, wanted.settings, waits),
      credentials: isOtherVenue ? before.credentials : wanted.credentials,
    },
    hasOtherCredentials: applied.some((key) => key === 'credentials.clientId' || key === 'credentials.clientSecret'),
  };
}

/** Client id and secret are compared as they were read, wherever that was; everything else as it is written. */
function valueAt({ settings, credentials }: Configuration, key: string, path: readonly string[]): unknown {
  if (key === 'credentials.clientId') return credentials.clientId;
  if (key === 'credentials.clientSecret') return credentials.clientSecret;
  return at(settings, path);
}

/** A block that is off as a whole has keys that are off. */
function at(settings: Settings, path: readonly string[]): unknown {
  return path.reduce<unknown>((block, name) => (isBlock(block) ? block[name] : block), settings);
}

function isSame(a: unknown, b: unknown): boolean {
  return a instanceof Secret && b instanceof Secret ? a.equals(b) : isDeepStrictEqual(a, b);
}

function settingsInForce(before: Settings, wanted: Settings, waits: (key: string) => boolean): Settings {
  const settings = copyOf(wanted) as Block;
  for (const { key, path } of configurationKeys) if (waits(key)) put(settings, path, at(before, path));
  return { ...(settings as unknown as Settings), metrics: waits('metrics.listen') ? before.metrics : wanted.metrics };
}

type Block = Record<string, unknown>;

function isBlock(value: unknown): value is Block {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Blocks are copied, values are not. */
function copyOf(value: unknown): unknown {
  if (!isBlock(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copyOf(inner)]));
}

function put(block: Block, [name = '', ...rest]: readonly string[], value: unknown): void {
  const inner = block[name];
  if (rest.length === 0) {
    if (value === undefined) delete block[name];
    else block[name] = value;
  } else if (isBlock(inner)) put(inner, rest, value);
}
