import type { Argv } from 'yargs';
import type { ConfigurationError } from '../config/configuration-error.ts';
import type { ConfigurationSource } from '../config/configuration-source.ts';
import type { ConfigurationSources } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { ExitError, exitCode } from './command.ts';

/** What yargs knows of a command that reads the whole configuration. */
export interface ConfigurationArguments {
  readonly config?: string | undefined;
  readonly [key: string]: unknown;
}

const group = 'Configuration (any key of figd.yaml, see docs/configuration.md; all of them: --help --show-hidden):';
const shownFlags = [
  'venue.rest-url',
  'credentials.client-id-file',
  'credentials.client-secret-file',
  'local.directory',
  'log.level',
];

/** Adds `--config` and an option for each key of the configuration. */
export async function withConfiguration<T>(yargs: Argv<T>): Promise<Argv<T & ConfigurationArguments>> {
  const { configurationFlags } = await import('../config/load.ts');
  const flags = configurationFlags.map(({ flag, description }) => [
    flag,
    { type: 'string' as const, description, hidden: !shownFlags.includes(flag), group, requiresArg: true },
  ]);
  return yargs
    .option('config', { type: 'string', description: 'the configuration file', requiresArg: true })
    .options(Object.fromEntries(flags)) as unknown as Argv<T & ConfigurationArguments>;
}

/**
 * Loads the configuration from all its layers.
 * @throws {ExitError} 78, naming each problem with its key
 */
export async function settingsFrom(argv: ConfigurationArguments): Promise<Settings> {
  const { loadSettings } = await import('../config/load.ts');
  const sources = await sourcesFrom(argv);
  return orExit(() => loadSettings(sources));
}

/** Where the configuration is read from, as often as it is. */
export async function configurationSource(argv: ConfigurationArguments): Promise<ConfigurationSource> {
  const { ConfigurationSource } = await import('../config/configuration-source.ts');
  return new ConfigurationSource(await sourcesFrom(argv));
}

async function sourcesFrom(argv: ConfigurationArguments): Promise<ConfigurationSources> {
  const { configurationFlags } = await import('../config/load.ts');
  const flags: Record<string, string> = {};
  for (const { flag } of configurationFlags) {
    const value = argv[flag];
    if (typeof value === 'string') flags[flag] = value;
  }
  return { file: argv.config, env: process.env, flags };
}

/** Runs `load`; a problem with the configuration ends the command with exit code 78. */
export async function orExit<T>(load: () => T): Promise<T> {
  const { ConfigurationError } = await import('../config/load.ts');
  try {
    return load();
  } catch (error) {
    if (error instanceof ConfigurationError) throw configurationExit(error);
    throw error;
  }
}

/**
 * Has TLS trust what the configuration says, before anything is connected to.
 * @throws {ExitError} 78 where that cannot be done
 */
export async function trustAsSet({ network: { caFile } }: Settings): Promise<void> {
  if (caFile === undefined) return;
  const { trustAlso, TrustError } = await import('../adapters/trust.ts');
  const { ConfigurationError } = await import('../config/load.ts');
  await orExit(() => {
    try {
      trustAlso(caFile);
    } catch (error) {
      if (!(error instanceof TrustError)) throw error;
      const advice = 'name a file of CA certificates in PEM form, or leave the key out';
      throw new ConfigurationError([{ key: 'network.caFile', problem: error.message, where: caFile, advice }]);
    }
  });
}

/** Ends a command because of its configuration. */
export function configurationExit(error: ConfigurationError): ExitError {
  return new ExitError(exitCode.configuration, error.explanation);
}
