import type { TokenRenewal } from '../adapters/gateway/forwarder.ts';
import type { Vault } from '../adapters/vault.ts';
import type { SupervisorFact } from '../machines/supervisor.events.ts';
import type { Clock } from '../protocol/clock.ts';

export interface ForcedRenewalPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  /** Asks for a new token now, if that can be of use. @returns whether one is on its way */
  readonly renew: () => boolean;
}

/**
 * A venue that refuses a REST call for another reason than the token, such as a wrong signature, says the same each time:
 * tokens are not the cure then, and are asked for ever more seldom, at twice the distance each time until one helps.
 */
const distanceMs = { min: 60_000, max: 900_000 };

/** Has the token replaced when the venue refuses it on a REST call: once for all who were refused, and not again and again. */
export class ForcedRenewal implements TokenRenewal {
  readonly #ports: ForcedRenewalPorts;
  readonly #waiting = new Set<() => void>();
  #forcedAt = Number.NEGATIVE_INFINITY;
  /** Forced renewals in a row that have helped no call. */
  #vain = 0;

  constructor(ports: ForcedRenewalPorts) {
    this.#ports = ports;
  }

  /** What the machines make known: whoever waits for a token learns that there is one, or that there is none. */
  learn({ type }: Pick<SupervisorFact, 'type'>): void {
    if (type !== 'token.granted' && type !== 'token.failed') return;
    for (const wake of this.#waiting) wake();
  }

  async beyond(generation: number, ms: number): Promise<boolean> {
    const { clock, renew } = this.#ports;
    if (this.#isBeyond(generation)) return true;
    if (this.#waiting.size === 0) {
      if (clock.monotonic() - this.#forcedAt < this.#distanceMs) return false;
      if (!renew()) return false;
      this.#forcedAt = clock.monotonic();
      this.#vain += 1;
    }
    await this.#next(ms);
    return this.#isBeyond(generation);
  }

  async present(ms: number): Promise<boolean> {
    if (this.#isBeyond(0)) return true;
    if (!this.#ports.renew()) return false;
    await this.#next(ms);
    return this.#isBeyond(0);
  }

  helped(): void {
    this.#vain = 0;
  }

  get #distanceMs(): number {
    const { min, max } = distanceMs;
    return Math.min(max, min * 2 ** Math.max(0, this.#vain - 1));
  }

  #isBeyond(generation: number): boolean {
    const { vault, clock } = this.#ports;
    return (vault.tokenAt(clock.monotonic())?.generation ?? 0) > generation;
  }

  #next(ms: number): Promise<void> {
    const { clock } = this.#ports;
    return new Promise((resolve) => {
      const wake = () => {
        clock.clearTimeout(deadline);
        this.#waiting.delete(wake);
        resolve();
      };
      const deadline = clock.setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }
}
