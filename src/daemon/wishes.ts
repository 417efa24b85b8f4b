import type { Logger } from '../adapters/logger.ts';
import { RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import type { Core } from './core.ts';
import type { LiveConfiguration } from './live-configuration.ts';

export interface WishesPorts {
  readonly core: Core;
  readonly configuration: LiveConfiguration;
  readonly logger: Logger;
}

/** What an operator may want of the session. Each returns what happens now, in words. */
export class Wishes {
  readonly #ports: WishesPorts;

  constructor(ports: WishesPorts) {
    this.#ports = ports;
  }

  /** Reads the credentials anew and asks for a token with them. */
  refresh(): string {
    const { core, configuration, logger } = this.#ports;
    let detail = 'asking for a new token';
    try {
      configuration.rereadCredentials();
    } catch (error) {
      detail += ' with the credentials figd has: the new ones cannot be read, see the log';
      logger.error({ err: error }, 'the credentials cannot be read anew');
    }
    core.machines.refresh();
    return detail;
  }

  reconnect(): string {
    const { core } = this.#ports;
    const before = core.machines.view().session;
    core.machines.reconnect();
    return before === null ? 'dialling now' : `session ${before.context.id} is closed and a new one is dialled`;
  }

  /** @throws {RpcError} where no session is live */
  rotate(): string {
    const { core } = this.#ports;
    const { session } = core.machines.view();
    if (session?.state !== 'live')
      throw new RpcError(rpcErrorCode.notLive, 'there is no live session to take over from');
    core.machines.rotate();
    return `a second session is dialled to take over from session ${session.context.id}`;
  }
}
