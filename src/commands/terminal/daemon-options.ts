import type { Options } from 'yargs';
import { LocalSocketError } from '../../adapters/local-socket-errors.ts';
import { ConfigurationError } from '../../config/configuration-error.ts';
import { findJournalDirectory, findLocalDirectory } from '../../config/local-directory.ts';
import { RpcError } from '../../protocol/json-rpc.ts';
import { ExitError, exitCode } from '../command.ts';
import { accessAdvice } from './access-advice.ts';

/** How every command that talks to the daemon is told where it is. */
export interface DaemonOptions {
  readonly config: string | undefined;
  readonly 'local.directory': string | undefined;
}

/** {@link DaemonOptions} for yargs. */
export const daemonOptions = {
  config: { type: 'string', requiresArg: true, describe: 'Configuration of the daemon to talk to' },
  'local.directory': { type: 'string', requiresArg: true, describe: 'Directory of its sockets' },
} as const satisfies Record<string, Options>;

/**
 * The directory of the daemon's sockets, found the way `figd run` finds it.
 *
 * @throws {ExitError} when the configuration cannot be read
 */
export function localDirectory(options: DaemonOptions): Promise<string> {
  const { config: file, 'local.directory': flag } = options;
  return orConfigurationExit(findLocalDirectory({ file, flag, env: process.env }));
}

/** The directory of the daemon's journal and ledger, found and failing as {@link localDirectory}. */
export function journalDirectory(file: string | undefined, flag: string | undefined): Promise<string> {
  return orConfigurationExit(findJournalDirectory({ file, flag, env: process.env }));
}

async function orConfigurationExit<T>(found: Promise<T>): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof ConfigurationError) throw new ExitError(exitCode.configuration, error.message);
    throw error;
  }
}

/**
 * What a command does about a daemon that it cannot reach, or that answers with an error: it ends with the message.
 * Anything else is a fault of ours and stays as it is.
 */
export function asExit(error: unknown, code: number = exitCode.failed): unknown {
  if (error instanceof RpcError) return new ExitError(code, error.message);
  if (error instanceof LocalSocketError) return new ExitError(code, error.message + accessAdvice(error));
  return error;
}
