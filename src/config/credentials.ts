import { existsSync, readFileSync, statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { ConfigurationError, type Problem } from './configuration-error.ts';
import { given } from './default-places.ts';
import { openToOthers } from './file-mode.ts';
import { Secret } from './secret.ts';
import type { CredentialSettings } from './settings.ts';

/** Where a credential came from: the key that gave it, or systemd's credentials directory. */
export type CredentialSource =
  | { readonly from: 'configuration'; readonly key: string }
  | { readonly from: 'file'; readonly key: string; readonly file: string }
  | { readonly from: 'credentials directory'; readonly file: string };

/** The API key, ready for use. It prints as `[secret]`. */
export interface Credentials {
  readonly clientId: Secret;
  readonly clientSecret: Secret;
  readonly source: { readonly clientId: CredentialSource; readonly clientSecret: CredentialSource };
  /** The files it was read from, absolute: when one of them changes, load again. */
  readonly files: readonly string[];
}

type Name = 'clientId' | 'clientSecret';

interface Found {
  readonly secret: Secret;
  readonly source: CredentialSource;
}

/** File names in `$CREDENTIALS_DIRECTORY`, for `LoadCredential=client-secret:…` in a unit. */
const fileNames: Readonly<Record<Name, string>> = { clientId: 'client-id', clientSecret: 'client-secret' };

/**
 * Reads the credentials: from `settings` itself, from the files it names, else from the files `client-id` and
 * `client-secret` in `$CREDENTIALS_DIRECTORY` (systemd.exec(5)). One line break at the end of a file is dropped.
 *
 * @throws {ConfigurationError} with every problem there is: both ways at once, none at all, a file that is missing,
 *   empty, has several lines, or is a secret that every user of the host can read. No error holds a credential.
 */
export function loadCredentials(settings: CredentialSettings, env: NodeJS.ProcessEnv): Credentials {
  const directory = given(env['CREDENTIALS_DIRECTORY']);
  const clientId = find('clientId', settings, directory);
  const clientSecret = find('clientSecret', settings, directory);
  if ('problem' in clientId || 'problem' in clientSecret) {
    throw new ConfigurationError([clientId, clientSecret].filter((outcome) => 'problem' in outcome));
  }
  const source = { clientId: clientId.source, clientSecret: clientSecret.source };
  const files = Object.values(source).flatMap((from) => (from.from === 'configuration' ? [] : [from.file]));
  return { clientId: clientId.secret, clientSecret: clientSecret.secret, source, files };
}

function find(name: Name, settings: CredentialSettings, directory: string | undefined): Found | Problem {
  const key = `credentials.${name}`;
  const fileKey = `${key}File`;
  const inline = settings[name];
  const file = settings[`${name}File`];
  if (inline !== undefined && file !== undefined) {
    return { key, problem: `is set, and so is ${fileKey}`, advice: 'keep one of the two' };
  }
  if (inline !== undefined) {
    return { secret: inline, source: { from: 'configuration', key } };
  }
  if (file !== undefined) {
    const source = { from: 'file', key: fileKey, file } as const;
    return readSecret(fileKey, source, name === 'clientSecret' && !isBelow(file, directory));
  }
  const provided = directory === undefined ? undefined : resolve(directory, fileNames[name]);
  return provided !== undefined && existsSync(provided)
    ? readSecret(key, { from: 'credentials directory', file: provided }, false)
    : missing(name, directory);
}

/** systemd gives files of the credentials directory mode 0440 or 0400, and shows the directory to one unit only. */
function isBelow(file: string, directory: string | undefined): boolean {
  return directory !== undefined && !/^\.\.(\/|$)/.test(relative(resolve(directory), file));
}

function readSecret(
  key: string,
  source: Exclude<CredentialSource, { from: 'configuration' }>,
  mustBePrivate: boolean,
): Found | Problem {
  const { file } = source;
  try {
    const fault = mustBePrivate ? openToOthers(file, statSync(file).mode) : undefined;
    if (fault !== undefined) {
      return { key, ...fault };
    }
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    const content = faultOfContent(text);
    return content === undefined
      ? { secret: new Secret(text), source }
      : { key, problem: `${file} ${content}`, advice: 'put the credential alone into it, on one line' };
  } catch (error) {
    return {
      key,
      problem: `${file} cannot be read (${codeOf(error)})`,
      advice: 'check that it exists and who may read it',
    };
  }
}

function faultOfContent(text: string): string | undefined {
  if (text.trim() === '') {
    return 'is empty';
  }
  return /[\r\n]/.test(text) ? 'has more than one line' : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

function missing(name: Name, directory: string | undefined): Problem {
  const variable = name === 'clientId' ? 'FIGD_CREDENTIALS__CLIENT_ID' : 'FIGD_CREDENTIALS__CLIENT_SECRET';
  const inDirectory = `a file ${fileNames[name]} in $CREDENTIALS_DIRECTORY (systemd: LoadCredential=${fileNames[name]}:PATH)`;
  return {
    key: `credentials.${name}`,
    problem: directory === undefined ? 'is missing' : `is missing, also in ${directory}`,
    advice: `give credentials.${name}File, or ${inDirectory}, or ${variable}, or the key itself in a file of mode 600`,
  };
}
