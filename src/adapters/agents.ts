import { connectorThrough } from './proxy-tunnel.ts';
import { Agent } from './undici.ts';

/** Connections to the venue over HTTP, each made within the time that is allowed when it is asked for. */
export class Agents {
  readonly #connectTimeout: () => number;
  readonly #proxy: URL | null;
  readonly #options: Omit<Agent.Options, 'connect'>;
  /** One for each time that has been in force; an earlier one is left to what still uses it. */
  readonly #agents = new Map<number, Agent>();

  /** @param connectTimeout milliseconds for TCP and TLS, and as many for what a proxy does before */
  constructor(connectTimeout: () => number, proxy: URL | null, options: Omit<Agent.Options, 'connect'>) {
    this.#connectTimeout = connectTimeout;
    this.#proxy = proxy;
    this.#options = options;
  }

  get current(): Agent {
    const timeout = this.#connectTimeout();
    const known = this.#agents.get(timeout);
    if (known !== undefined) return known;
    const connect = this.#proxy === null ? { timeout } : connectorThrough(this.#proxy, timeout);
    const agent = new Agent({ ...this.#options, connect });
    this.#agents.set(timeout, agent);
    return agent;
  }

  /** Closes every connection, idle or not. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }
}
