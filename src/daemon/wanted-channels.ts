import { setNewest } from './newest.ts';

/** More than a gap is long in reloads. */
const droppedRemembered = 256;

/** The channels that are wanted, which a reload may change, and since when each is. */
export class WantedChannels {
  readonly #now: () => number;
  #since: ReadonlyMap<string, number> = new Map();
  /** Until when those were that are not wanted any more. */
  readonly #dropped = new Map<string, number>();

  /** @param now monotonic milliseconds */
  constructor(channels: readonly string[], now: () => number) {
    this.#now = now;
    this.change(channels);
  }

  get names(): readonly string[] {
    return [...this.#since.keys()];
  }

  /** By channel: since when it is wanted without a break (monotonic milliseconds). */
  get since(): ReadonlyMap<string, number> {
    return this.#since;
  }

  /** Those that were wanted at a moment (monotonic) or after it, whether they still are or not. */
  namesSince(moment: number): readonly string[] {
    const dropped = [...this.#dropped].filter(([channel, until]) => until >= moment && !this.#since.has(channel));
    return [...this.names, ...dropped.map(([channel]) => channel)];
  }

  change(channels: readonly string[]): void {
    const before = this.#since;
    const now = this.#now();
    this.#since = new Map(channels.map((channel) => [channel, before.get(channel) ?? now]));
    for (const channel of before.keys()) {
      if (this.#since.has(channel)) continue;
      this.#dropped.delete(channel);
      setNewest(this.#dropped, channel, now, droppedRemembered);
    }
  }
}
