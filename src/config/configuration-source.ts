import { type Credentials, loadCredentials } from './credentials.ts';
import { findConfigurationFile } from './default-places.ts';
import { type ConfigurationSources, loadSettings } from './load.ts';
import type { CredentialSettings, Settings } from './settings.ts';

/** All that figd is configured with, checked. */
export interface Configuration {
  readonly settings: Settings;
  readonly credentials: Credentials;
}

/** Where a running daemon has its configuration from, to be read as often as somebody asks. */
export class ConfigurationSource {
  readonly #sources: ConfigurationSources;
  /** The file once there was one: it must not be taken for none because somebody is about to replace it. */
  #file: string | undefined;

  constructor(sources: ConfigurationSources) {
    this.#sources = sources;
  }

  /** @throws {ConfigurationError} with every problem there is */
  read(): Configuration {
    const { file, env, systemFile } = this.#sources;
    const found = this.#file ?? findConfigurationFile(file, env, systemFile);
    const settings = loadSettings({ ...this.#sources, file: found });
    const credentials = this.#load(settings.credentials, found);
    this.#file = found;
    return { settings, credentials };
  }

  /**
   * Reads the credentials alone: from the files that are in force, or, where the secret stands in the configuration
   * itself, with all of that.
   * @throws {ConfigurationError} with every problem there is
   */
  readCredentials({ settings, credentials }: Configuration): Credentials {
    if (isInline(credentials)) return this.read().credentials;
    return this.#load(settings.credentials, this.#file);
  }

  #load(settings: CredentialSettings, file: string | undefined): Credentials {
    const credentials = loadCredentials(settings, this.#sources.env);
    if (file === undefined || !isInline(credentials)) return credentials;
    return { ...credentials, files: [...credentials.files, file] };
  }
}

/** Whether the secret is in the configuration itself. */
function isInline({ source }: Credentials): boolean {
  return source.clientSecret.from === 'configuration';
}
