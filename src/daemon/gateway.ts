import { join } from 'node:path';
import { Agents } from '../adapters/agents.ts';
import { BytePool } from '../adapters/byte-pool.ts';
import { Forwarder } from '../adapters/gateway/forwarder.ts';
import { GatewayServer } from '../adapters/gateway/gateway-server.ts';
import { classOf, Refusal } from '../adapters/gateway/refusal.ts';
import { type RestAnswer, WholeAnswer } from '../adapters/gateway/whole-answer.ts';
import type { Vault } from '../adapters/vault.ts';
import type { Settings } from '../config/settings.ts';
import type { AccessRecord } from '../gateway/access-record.ts';
import type { LeavingCaller } from '../gateway/caller.ts';
import type { Permissions } from '../gateway/permissions.ts';
import type { Clock } from '../protocol/clock.ts';
import { RpcError } from '../protocol/json-rpc.ts';
import { gatewaySocketName } from '../protocol/local.ts';
import type { RestRequest } from '../protocol/local-requests.ts';
import { pathOf } from '../protocol/path.ts';
import type { StatusDocument } from '../protocol/status.ts';
import type { ForcedRenewal } from './forced-renewal.ts';
import { rpcCodeOf } from './rpc-code.ts';
import { proxyOf, type Venue } from './venue.ts';

export interface GatewayOptions {
  readonly settings: () => Settings;
  readonly venue: Venue;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly permissions: Permissions;
  readonly renewal: ForcedRenewal;
  /** A listening socket that this process was given. */
  readonly inherited?: number | undefined;
  readonly onAccess: (record: AccessRecord) => void;
  readonly onBug: (error: unknown) => void;
}

/** Apart from those for tokens, so that a flood of calls holds up none of them; more would only wait at the venue. */
const mostConnections = 64;
/** Memory for the bodies of all callers; four of the largest where `gateway.maxBody` is as it comes. */
const bodyBytes = 64 * 1_048_576;

/** The way of local programs to the venue's REST API: `gateway.sock`, and the method `rest` of the control socket. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #agents: Agents;
  readonly #forwarder: Forwarder;
  readonly #server: GatewayServer;

  constructor(options: GatewayOptions) {
    const { settings, venue, vault, clock, permissions, renewal, onAccess, onBug } = options;
    this.#options = options;
    this.#agents = new Agents(() => settings().session.connectTimeout, proxyOf(settings()), {
      connections: mostConnections,
    });
    this.#forwarder = new Forwarder({
      entrance: venue.entrance,
      dispatcher: () => this.#agents.current,
      vault,
      clock,
      budget: venue.budget,
      permissions,
      renewal,
      bodies: new BytePool(() => Math.max(bodyBytes, settings().gateway.maxBody)),
      settings: () => settings().gateway,
    });
    this.#server = new GatewayServer({
      forwarder: this.#forwarder,
      clock,
      timeout: () => settings().gateway.timeout,
      onAccess,
      onBug,
    });
  }

  /** As the status tells it. */
  status(): StatusDocument['gateway'] {
    const { limit, used, others, waiting, closedForMs } = this.#options.venue.budget.view();
    return {
      socket: this.#isOn ? this.#path : null,
      inFlight: this.#server.inFlight,
      limit: { requestsPerMinute: limit, used, usedByOthers: others, waiting, closedForMs: Math.round(closedForMs) },
    };
  }

  /** @throws {AlreadyRunningError | LocalPathError} */
  async start(): Promise<void> {
    if (this.#isOn) await this.#server.start(this.#path, this.#options.inherited);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await this.#agents.destroy();
  }

  /**
   * One REST call whose answer fits into a line.
   * @throws {RpcError} where figd answers in the venue's place
   */
  async rest({ method, path, data }: RestRequest, caller: LeavingCaller): Promise<RestAnswer> {
    const { clock, onAccess } = this.#options;
    const beganAt = clock.monotonic();
    using whole = new WholeAnswer(clock, caller.gone);
    let status = '';
    try {
      const headers = [
        'accept',
        'application/json',
        // A line holds text.
        'accept-encoding',
        'identity',
        ...(data === undefined ? [] : ['content-type', 'application/json']),
      ];
      const body = data === undefined ? null : Buffer.from(data);
      await this.#forwarder.forward({ caller: caller.id, method, path, headers, body, signal: whole.signal }, whole);
      const { answer } = whole;
      status = String(answer.status);
      return answer;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      status = caller.gone.aborted ? 'caller-gone' : error.code;
      const { code, sent } = error;
      throw new RpcError(rpcCodeOf(code), error.message, { class: classOf(code), code, sent });
    } finally {
      const ms = clock.monotonic() - beganAt;
      onAccess({ door: 'rest', caller: caller.id, method, path: pathOf(path), status, ms });
    }
  }

  /** Whoever passes the socket wants it to be served. */
  get #isOn(): boolean {
    const { settings, inherited } = this.#options;
    return settings().gateway.http || inherited !== undefined;
  }

  get #path(): string {
    return join(this.#options.settings().local.directory, gatewaySocketName);
  }
}
