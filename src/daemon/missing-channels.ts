import type { SupervisorFact } from '../machines/supervisor.events.ts';
import type { WantedChannels } from './wanted-channels.ts';

/** The channels that are wanted and not heard although a session is live, as the machines tell of them. */
export class MissingChannels {
  readonly #wanted: Pick<WantedChannels, 'since'>;
  readonly #now: () => number;
  #missing: ReadonlySet<string> = new Set();
  /** Since when there is a live session, without a break (monotonic). */
  #liveSince = Number.NEGATIVE_INFINITY;

  /** @param now monotonic milliseconds */
  constructor(wanted: Pick<WantedChannels, 'since'>, now: () => number) {
    this.#wanted = wanted;
    this.#now = now;
  }

  /** @returns whether the fact says something of the channels of a live session */
  learn(fact: SupervisorFact): boolean {
    switch (fact.type) {
      case 'session.live':
        this.#liveSince = this.#now();
        this.#missing = new Set(fact.refused);
        return true;
      case 'session.resubscribed':
      case 'session.rotated':
        this.#missing = new Set([...this.#missing, ...fact.refused]).difference(new Set(fact.confirmed));
        return true;
      case 'session.channels-failed':
        // Whether the venue sends them nobody knows: a request that is not answered may have been heard.
        this.#missing = new Set([...this.#missing, ...fact.missing]);
        return true;
      default:
        return false;
    }
  }

  /** By channel: since when it would have been heard (monotonic), had the venue confirmed it. */
  get since(): ReadonlyMap<string, number> {
    const wanted = [...this.#wanted.since].filter(([channel]) => this.#missing.has(channel));
    return new Map(wanted.map(([channel, since]) => [channel, Math.max(since, this.#liveSince)]));
  }
}
