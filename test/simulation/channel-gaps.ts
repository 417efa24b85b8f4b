import { type GapRecord, isOfOneChannel } from '../../src/protocol/ledger.ts';

/** A gap in true milliseconds. */
export interface TrueGap {
  readonly id: number;
  readonly channels: readonly string[];
  readonly since: number;
  until: number;
  /** Of one channel, that was not wanted for a while: when figd learns of that, and ends the gap, nobody else knows. */
  wasUnwanted?: boolean;
}

/** The gaps of single channels, from when figd notices them: a reader may learn of them when the clock has been set. */
export class ChannelGaps {
  readonly #now: () => number;
  readonly #gaps = new Map<number, TrueGap>();
  /** Null where all are. */
  #wanted: readonly string[] | null = null;

  /** @param now true milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  get(id: number): TrueGap | undefined {
    return this.#gaps.get(id);
  }

  /** figd has noticed a gap. @param offset what is taken off its moments to make them true */
  opened(gap: GapRecord, offset: number): void {
    const { id, channels, since } = gap;
    if (!isOfOneChannel(gap) || this.#gaps.has(id)) return;
    const found: TrueGap = { id, channels, since: since - offset, until: Number.POSITIVE_INFINITY };
    // It may be noticed in the moment in which its channel is given up.
    found.wasUnwanted = this.#wanted !== null && !isAmong(found, this.#wanted);
    this.#gaps.set(id, found);
  }

  /** The venue has confirmed channels. */
  onConfirmed(confirmed: readonly string[]): void {
    for (const gap of this.#open()) if (isAmong(gap, confirmed)) gap.until = this.#now();
  }

  /** Other channels are wanted. */
  onWish(wanted: readonly string[]): void {
    this.#wanted = wanted;
    for (const gap of this.#open()) gap.wasUnwanted ||= !isAmong(gap, wanted);
  }

  #open(): IterableIterator<TrueGap> {
    return this.#gaps.values().filter(({ until }) => until === Number.POSITIVE_INFINITY);
  }
}

const isAmong = ({ channels }: TrueGap, names: readonly string[]) => channels.every((name) => names.includes(name));
