import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

// No zod, no yaml: `figd status` loads this to find the sockets.

/** The configuration file read when none is named, if it exists. */
export const systemConfigurationFile = '/etc/figd/figd.yaml';

/**
 * The configuration file to read: `--config`, else `$FIGD_CONFIG`, else {@link systemConfigurationFile} if it exists,
 * else nothing. One that was asked for is given whether it exists or not.
 *
 * @param systemFile stands in for {@link systemConfigurationFile} in tests.
 */
export function findConfigurationFile(
  flag: string | undefined,
  env: NodeJS.ProcessEnv,
  systemFile = systemConfigurationFile,
): string | undefined {
  return flag ?? given(env['FIGD_CONFIG']) ?? (existsSync(systemFile) ? systemFile : undefined);
}

/**
 * Where the local sockets are unless `local.directory` says otherwise: `$RUNTIME_DIRECTORY` (set by systemd for a unit
 * with `RuntimeDirectory=`; the first of a colon list), else `$XDG_RUNTIME_DIR/figd`, else `/tmp/figd-<uid>`.
 */
export function defaultLocalDirectory(env: NodeJS.ProcessEnv): string {
  const runtime = firstOf(env['RUNTIME_DIRECTORY']) ?? xdgDirectory(env['XDG_RUNTIME_DIR']);
  return runtime ?? `/tmp/figd-${process.getuid?.() ?? 0}`;
}

/**
 * Where the journal is unless `journal.directory` says otherwise: `$STATE_DIRECTORY` (set by systemd for a unit with
 * `StateDirectory=`; the first of a colon list), else `$XDG_STATE_HOME/figd`, else `~/.local/state/figd`.
 */
export function defaultJournalDirectory(env: NodeJS.ProcessEnv): string {
  const state = firstOf(env['STATE_DIRECTORY']) ?? xdgDirectory(env['XDG_STATE_HOME']);
  return state ?? join(given(env['HOME']) ?? homedir(), '.local', 'state', 'figd');
}

/** An environment variable's value; an empty one counts as not set, as most shells and Compose files mean it. */
export function given(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

function firstOf(list: string | undefined): string | undefined {
  return given(list?.split(':')[0]);
}

/** The XDG Base Directory specification has relative paths ignored. */
function xdgDirectory(base: string | undefined): string | undefined {
  return base !== undefined && isAbsolute(base) ? join(base, 'figd') : undefined;
}
