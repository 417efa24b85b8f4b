import { systemClock } from '../../../src/adapters/system-clock.ts';
import { ForcedRenewal } from '../../../src/daemon/forced-renewal.ts';
import { Gateway } from '../../../src/daemon/gateway.ts';
import { reachVenue } from '../../../src/daemon/venue.ts';
import type { AccessRecord } from '../../../src/gateway/access-record.ts';
import { Permissions } from '../../../src/gateway/permissions.ts';
import type { Clock } from '../../../src/protocol/clock.ts';
import { clientId, clientSecret, vaultWith } from '../../adapters/support/venue.ts';
import { loadWithoutFile } from '../../config/workspace.ts';

export interface RestSetup {
  readonly flags?: Record<string, string>;
  readonly clock?: Clock;
}

/** The method `rest`, without the control socket before it. */
export class RestStage implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly accesses: AccessRecord[] = [];
  readonly bugs: unknown[] = [];
  readonly #close: () => Promise<void>;

  constructor(restUrl: string, { flags = {}, clock = systemClock() }: RestSetup = {}) {
    const env = { FIGD_CREDENTIALS__CLIENT_ID: clientId, FIGD_CREDENTIALS__CLIENT_SECRET: clientSecret };
    const loaded = loadWithoutFile(env, { 'venue.rest-url': restUrl, ...flags });
    const settings = () => loaded;
    const vault = vaultWith();
    vault.keep({ value: 'access-token', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, null);
    const venue = reachVenue({ settings, vault, clock });
    this.gateway = new Gateway({
      settings,
      venue,
      vault,
      clock,
      permissions: new Permissions(undefined),
      renewal: new ForcedRenewal({ vault, clock, renew: () => false }),
      onAccess: (record) => this.accesses.push(record),
      onBug: (error) => this.bugs.push(error),
    });
    this.#close = () => venue.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.stop();
    await this.#close();
  }
}
