import type { Logger } from '../adapters/logger.ts';
import type { Vault } from '../adapters/vault.ts';
import { ConfigurationError } from '../config/configuration-error.ts';
import type { Configuration, ConfigurationSource } from '../config/configuration-source.ts';
import { planReload } from '../config/reload-plan.ts';
import type { Settings } from '../config/settings.ts';
import { RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';

export interface LiveConfigurationPorts {
  /** What figd was started with. */
  readonly configuration: Configuration;
  readonly source: Pick<ConfigurationSource, 'read' | 'readCredentials'>;
  readonly vault: Vault;
  readonly logger: Logger;
  /** Other settings are in force: whatever does not ask for them each time has to be told. */
  readonly apply: (settings: Settings) => void;
  /** Told when the credentials have just been read. */
  readonly onCredentialsRead: () => void;
  /** Asks for a token. */
  readonly refresh: () => void;
  /** Whether the venue refuses the credentials, so that figd asks rarely. */
  readonly isRefused: () => boolean;
}

/** What came of a reload. */
export interface ReloadAnswer {
  readonly accepted: true;
  /** In one sentence. */
  readonly detail: string;
  /** Keys whose change is in force. */
  readonly applied: readonly string[];
  /** Keys that are not what figd runs with, until it is started again. */
  readonly needsRestart: readonly string[];
}

/** The configuration that is in force, and how it becomes another one while figd runs. */
export class LiveConfiguration {
  readonly #ports: LiveConfigurationPorts;
  #inForce: Configuration;

  constructor(ports: LiveConfigurationPorts) {
    this.#ports = ports;
    this.#inForce = ports.configuration;
  }

  get settings(): Settings {
    return this.#inForce.settings;
  }

  /** The files that the credentials come from. */
  get credentialFiles(): readonly string[] {
    return this.#inForce.credentials.files;
  }

  /**
   * Reads the configuration anew and applies what is different. One that cannot be used changes nothing.
   * @throws {RpcError} with every problem there is
   */
  reload(): ReloadAnswer {
    const { vault, logger, apply, refresh, isRefused, onCredentialsRead } = this.#ports;
    const { applied, needsRestart, inForce, hasOtherCredentials } = planReload(this.#inForce, this.#read());
    // Who replaced a key at the venue, and has figd reload, wants it to ask now.
    const asks = hasOtherCredentials || isRefused();
    const detail = told(applied, needsRestart) + (asks ? '; asking for a new token' : '');
    // Before a level is in force that would hide it.
    logger[needsRestart.length > 0 ? 'warn' : 'info']({ applied, needsRestart }, `configuration reloaded: ${detail}`);
    this.#inForce = inForce;
    onCredentialsRead();
    if (hasOtherCredentials) vault.replaceCredentials(inForce.credentials);
    if (applied.length > 0) apply(inForce.settings);
    if (asks) refresh();
    return { accepted: true, detail, applied, needsRestart };
  }

  /** Reads the credentials alone. @throws {ConfigurationError} what is wrong with them */
  rereadCredentials(): void {
    const { source, vault, onCredentialsRead } = this.#ports;
    const credentials = source.readCredentials(this.#inForce);
    this.#inForce = { ...this.#inForce, credentials };
    onCredentialsRead();
    vault.replaceCredentials(credentials);
  }

  #read(): Configuration {
    try {
      return this.#ports.source.read();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const { problems } = error;
      this.#ports.logger.error({ problems }, 'the configuration cannot be used, so nothing has changed');
      throw new RpcError(rpcErrorCode.badConfiguration, `nothing has changed: ${error.explanation}`, { problems });
    }
  }
}

function told(applied: readonly string[], needsRestart: readonly string[]): string {
  if (applied.length + needsRestart.length === 0) return 'nothing has changed';
  const now = applied.length === 0 ? 'nothing is applied' : `applied ${applied.join(', ')}`;
  if (needsRestart.length === 0) return now;
  return `${now}; ${needsRestart.join(', ')} ${needsRestart.length === 1 ? 'waits' : 'wait'} for a restart`;
}
