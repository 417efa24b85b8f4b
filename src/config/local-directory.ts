import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigurationError } from './configuration-error.ts';
import { defaultLocalDirectory, findConfigurationFile, given } from './default-places.ts';

/** Where a command that talks to the daemon looks for `local.directory`. */
export interface LocalDirectorySources {
  /** `--config`. */
  readonly file?: string | undefined;
  /** `--local.directory`. */
  readonly flag?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Stands in for `/etc/figd/figd.yaml` in tests. */
  readonly systemFile?: string;
}

/**
 * The absolute path of the directory of the daemon's sockets, by the rules of `loadSettings`: flag, else
 * `FIGD_LOCAL__DIRECTORY`, else the file's `local.directory`, else the default. It checks nothing else, so that
 * `figd status` answers while the file has errors, and loads the YAML parser only when there is a file to read.
 *
 * @throws {ConfigurationError} when the file has to be read and cannot be, or its `local.directory` is no text.
 */
export async function findLocalDirectory({ file, flag, env, systemFile }: LocalDirectorySources): Promise<string> {
  const own = flag ?? given(env['FIGD_LOCAL__DIRECTORY']);
  if (own !== undefined) {
    return resolve(own);
  }
  const found = findConfigurationFile(file, env, systemFile);
  return (found && (await directoryInFile(found))) ?? resolve(defaultLocalDirectory(env));
}

async function directoryInFile(path: string): Promise<string | undefined> {
  const text = readText(path);
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { logLevel: 'silent' });
  const directory = lookUp(lookUp(contentOf(document), 'local'), 'directory');
  if (directory === undefined || directory === null) {
    return undefined;
  }
  if (typeof directory !== 'string' || directory === '') {
    throw new ConfigurationError([{ key: 'local.directory', problem: 'is not a path', where: path }]);
  }
  return resolve(dirname(resolve(path)), directory);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new ConfigurationError([
      {
        key: path,
        problem: `cannot be read (${code})`,
        advice: 'name the directory of the sockets with --local.directory',
      },
    ]);
  }
}

/** The file as maps; nothing when it is so broken that no value can be had. */
function contentOf(document: { toJS(options: { mapAsMap: boolean }): unknown }): unknown {
  try {
    return document.toJS({ mapAsMap: true });
  } catch {
    return undefined;
  }
}

function lookUp(value: unknown, key: string): unknown {
  return value instanceof Map ? value.get(key) : undefined;
}
