import { join, resolve } from 'node:path';
import { ConfigurationError, type Problem } from './configuration-error.ts';
import { defaultJournalDirectory, defaultLocalDirectory, findConfigurationFile } from './default-places.ts';
import { type FileLayer, fileLayer } from './file-layer.ts';
import { environmentLayer, flagLayer, type Layer, type Merged, merge } from './layers.ts';
import { isAcrossKeys, problemOf } from './problems.ts';
import { type CheckedConfiguration, settingsSchema } from './schema.ts';
import type { Settings } from './settings.ts';
import { fillVenue } from './venue-profiles.ts';

export { ConfigurationError, type Problem } from './configuration-error.ts';
export { type ConfigurationFlag, configurationFlags } from './keys.ts';

/** Where the configuration comes from. */
export interface ConfigurationSources {
  /** `--config`. Without it `$FIGD_CONFIG`, else `/etc/figd/figd.yaml` if it exists, else no file. */
  readonly file?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Options by dotted kebab name, `venue.rest-url`; see `configurationFlags`. */
  readonly flags: Readonly<Record<string, string>>;
  /** Stands in for `/etc/figd/figd.yaml` in tests. */
  readonly systemFile?: string;
}

/**
 * The configuration from its layers: defaults, under the file, under `FIGD_…` variables, under flags. Reads the YAML
 * file and nothing else; credentials that are in files are read by `loadCredentials`.
 *
 * @throws {ConfigurationError} with every problem there is, not just the first.
 */
export function loadSettings({ file, env, flags, systemFile }: ConfigurationSources): Settings {
  const found = findConfigurationFile(file, env, systemFile);
  const fromFile: FileLayer = found === undefined ? { entries: [], problems: [], complete: true } : fileLayer(found);
  const layers: readonly Layer[] = [fromFile, environmentLayer(env), flagLayer(flags)];
  const merged = merge(layers);
  const checked = settingsSchema.safeParse(merged.tree);
  const problems: Problem[] = layers.flatMap((layer) => layer.problems);
  if (!checked.success) {
    // A rule between keys cannot be judged when the file that may hold some of them could not be understood.
    const judged = checked.error.issues.filter((issue) => fromFile.complete || !isAcrossKeys(issue));
    throw new ConfigurationError([...problems, ...judged.map((issue) => problemOf(issue, merged))]);
  }
  const settings = complete(checked.data, merged, env);
  problems.push(...tooLongForSockets(settings.local.directory, merged));
  if (problems.length > 0) {
    throw new ConfigurationError(problems);
  }
  return settings;
}

/** Fills in what the venue's profile and the environment decide, and makes paths absolute. */
function complete(checked: CheckedConfiguration, { inForce }: Merged, env: NodeJS.ProcessEnv): Settings {
  const absolute = (key: string, path: string): string => resolve(inForce.get(key)?.base ?? '', path);
  const { network, credentials, local, journal, metrics, ...rest } = checked;
  const { clientId, clientSecret, clientIdFile, clientSecretFile } = credentials;
  return {
    ...rest,
    venue: fillVenue(checked.venue),
    network: {
      proxy: network.proxy,
      ...(network.caFile !== undefined && { caFile: absolute('network.caFile', network.caFile) }),
    },
    credentials: {
      ...(clientId !== undefined && { clientId }),
      ...(clientSecret !== undefined && { clientSecret }),
      ...(clientIdFile !== undefined && { clientIdFile: absolute('credentials.clientIdFile', clientIdFile) }),
      ...(clientSecretFile !== undefined && {
        clientSecretFile: absolute('credentials.clientSecretFile', clientSecretFile),
      }),
    },
    local: { ...local, directory: absolute('local.directory', local.directory ?? defaultLocalDirectory(env)) },
    journal: {
      ...journal,
      directory: absolute('journal.directory', journal.directory ?? defaultJournalDirectory(env)),
    },
    metrics: metrics.listen === 'off' ? 'off' : { listen: metrics.listen },
  };
}

/** `sun_path` of unix(7) has 108 bytes with its closing NUL: a longer path cannot be listened on. */
const longestSocketPath = 107;

function tooLongForSockets(directory: string, { inForce }: Merged): readonly Problem[] {
  const bytes = Buffer.byteLength(join(directory, 'control.sock'));
  if (bytes <= longestSocketPath) {
    return [];
  }
  const where = inForce.get('local.directory')?.where;
  return [
    {
      key: 'local.directory',
      problem: `makes a socket path of ${bytes} bytes, and a Unix socket can have ${longestSocketPath}`,
      ...(where !== undefined && { where }),
      advice: 'choose a shorter one',
    },
  ];
}
