import type { MachineView } from '../../src/daemon/snapshot.ts';

/** So long after figd has learned of a wish the channel is heard, or known to be missed. */
const noticedWithinMs = 3_000;

interface Span {
  from: number;
  to: number;
}

/**
 * When the events of each channel are due (true milliseconds), or the channel is missed: from the moment at which figd says
 * that the venue has confirmed it, and at the latest from three seconds after it has learned of the wish, until it is not
 * wanted any more.
 */
export class Wishes {
  readonly #now: () => number;
  readonly #spans = new Map<string, Span[]>();
  #wanted: readonly string[];

  /** What is wanted from the start is due from the start: before figd was live nothing is. */
  constructor(channels: readonly string[], now: () => number) {
    this.#now = now;
    this.#wanted = channels;
    for (const channel of channels) this.#begin(channel, Number.NEGATIVE_INFINITY);
  }

  isDue(channel: string, at: number): boolean {
    return (this.#spans.get(channel) ?? []).some(({ from, to }) => at >= from && at <= to);
  }

  /** Other channels are wanted from now on. */
  onWish(channels: readonly string[]): void {
    for (const channel of this.#wanted) {
      const span = this.#open(channel);
      if (span !== undefined && !channels.includes(channel)) span.to = this.#now();
    }
    this.#wanted = channels;
  }

  /** figd has read what is wanted. */
  onLearned(): void {
    for (const channel of this.#wanted) {
      if (this.#open(channel) === undefined) this.#begin(channel, this.#now() + noticedWithinMs);
    }
  }

  /** figd says that these are confirmed. */
  onConfirmed(channels: readonly string[]): void {
    for (const channel of this.#wanted.filter((name) => channels.includes(name))) {
      const span = this.#open(channel);
      if (span === undefined) this.#begin(channel, this.#now());
      else span.from = Math.min(span.from, this.#now());
    }
  }

  /** A wish that is taken back before anything was done about it makes no news. */
  check(session: MachineView['session']): void {
    if (session?.state !== 'live') return;
    const { settings, confirmed } = session.context;
    this.onConfirmed(confirmed.filter((channel) => settings.channels.includes(channel)));
  }

  #open(channel: string): Span | undefined {
    return this.#spans.get(channel)?.find(({ to }) => to === Number.POSITIVE_INFINITY);
  }

  #begin(channel: string, from: number): void {
    const spans = this.#spans.get(channel) ?? [];
    spans.push({ from, to: Number.POSITIVE_INFINITY });
    this.#spans.set(channel, spans);
  }
}
