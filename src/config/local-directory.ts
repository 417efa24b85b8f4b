import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigurationError } from './configuration-error.ts';
import { defaultJournalDirectory, defaultLocalDirectory, findConfigurationFile, given } from './default-places.ts';

/** Where a command that talks to the daemon looks for one of its directories. */
export interface DirectorySources {
  /** `--config`. */
  readonly file?: string | undefined;
  /** `--local.directory` or `--journal.directory`. */
  readonly flag?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Stands in for `/etc/figd/figd.yaml` in tests. */
  readonly systemFile?: string;
}

type Block = 'local' | 'journal';

/**
 * The absolute path of the directory of the daemon's sockets, by the rules of `loadSettings`: flag, else
 * `FIGD_LOCAL__DIRECTORY`, else the file's `local.directory`, else the default. It checks nothing else, so that
 * `figd status` answers while the file has errors, and loads the YAML parser only when there is a file to read.
 *
 * @throws {ConfigurationError} when the file has to be read and cannot be, or its `local.directory` is no text.
 */
export async function findLocalDirectory(sources: DirectorySources): Promise<string> {
  return (await findDirectory('local', sources)) ?? resolve(defaultLocalDirectory(sources.env));
}

/** The absolute path of `journal.directory`, found as {@link findLocalDirectory} finds the sockets; it throws the same. */
export async function findJournalDirectory(sources: DirectorySources): Promise<string> {
  return (await findDirectory('journal', sources)) ?? resolve(defaultJournalDirectory(sources.env));
}

async function findDirectory(
  block: Block,
  { file, flag, env, systemFile }: DirectorySources,
): Promise<string | undefined> {
  const own = flag ?? given(env[`FIGD_${block.toUpperCase()}__DIRECTORY`]);
  if (own !== undefined) {
    return resolve(own);
  }
  const found = findConfigurationFile(file, env, systemFile);
  return found && (await directoryInFile(block, found));
}

async function directoryInFile(block: Block, path: string): Promise<string | undefined> {
  const text = readText(block, path);
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { logLevel: 'silent' });
  const directory = lookUp(lookUp(contentOf(document), block), 'directory');
  if (directory === undefined || directory === null) {
    return undefined;
  }
  if (typeof directory !== 'string' || directory === '') {
    throw new ConfigurationError([{ key: `${block}.directory`, problem: 'is not a path', where: path }]);
  }
  return resolve(dirname(resolve(path)), directory);
}

const contents: Readonly<Record<Block, string>> = { local: 'the sockets', journal: 'the ledger' };

function readText(block: Block, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new ConfigurationError([
      {
        key: path,
        problem: `cannot be read (${code})`,
        advice: `name the directory of ${contents[block]} with --${block}.directory`,
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
