/** The channels that are wanted, which a reload may change, and since when each is. */
export class WantedChannels {
  readonly #now: () => number;
  #since: ReadonlyMap<string, number> = new Map();

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

  change(channels: readonly string[]): void {
    const before = this.#since;
    const now = this.#now();
    this.#since = new Map(channels.map((channel) => [channel, before.get(channel) ?? now]));
  }
}
