import { type Clock, wallAt } from '../protocol/clock.ts';
import type { FailureCode } from '../protocol/failure.ts';
import {
  channelGapCause,
  type GapRecord,
  isOfOneChannel,
  type LedgerMemory,
  type LedgerStore,
  type Reconciled,
} from '../protocol/ledger.ts';
import type { GapMessage } from '../protocol/local.ts';

export interface LedgerPorts {
  readonly store: LedgerStore;
  readonly clock: Clock;
  /** Venue clock minus ours in milliseconds, as far as it is known now. */
  readonly clockOffset: () => number | null;
  /** Makes a change of a gap known to every consumer. */
  readonly publish: (message: GapMessage) => void;
  /** Told of each gap that this run opens. */
  readonly onOpened: (gap: GapRecord) => void;
  /** Told of each gap once nothing about it changes any more. */
  readonly onSettled: (gap: GapRecord) => void;
}

/** What is known of a gap when it begins. */
type Beginning = Pick<GapRecord, 'cause' | 'since' | 'channels' | 'clockOffsetMs'>;

/** More than any run has of them; the oldest ones are given up first. */
const mostUnfetched = 1_000;

/**
 * Every time in which figd could not hear the venue, its own downtime included, or in which it did not hear one of the
 * channels. A gap is opened when it is noticed, from the last proof of hearing on; it ends when a session is live, or the
 * channel is confirmed, and is settled when it is known whether what it missed has been fetched.
 */
export class Ledger {
  readonly #ports: LedgerPorts;
  readonly #memory: LedgerMemory;
  #lastId: number;
  #total = 0;
  #blindMs = 0;
  /** Nothing is heard. */
  #blind: GapRecord | null = null;
  /** Channels that are not heard, whether others are or not; each has its own, oldest first. */
  #deaf: readonly GapRecord[] = [];
  /** When gaps began that this run has opened (monotonic), by their numbers, until they are settled. */
  readonly #begunAt = new Map<number, number>();
  /** When gaps that had begun in an earlier run ended in this one (monotonic), by their numbers. */
  readonly #adoptedEnds = new Map<number, number>();
  /** Gaps that are over and wait to be reconciled, oldest first. */
  #unsettled: readonly GapRecord[] = [];
  /** Gaps that this run has settled although the list could not be had: it is looked for in the next comparison. */
  #unfetched: readonly GapRecord[] = [];

  constructor(ports: LedgerPorts) {
    this.#ports = ports;
    this.#memory = ports.store.recall();
    this.#lastId = this.#memory.lastId;
  }

  /** What an earlier run left. */
  get memory(): LedgerMemory {
    return this.#memory;
  }

  /** The gaps that a comparison is to look into: those that are over, and those of channels that are not heard. */
  get outstanding(): readonly GapRecord[] {
    return [...this.#unfetched, ...this.#unsettled, ...this.#deaf];
  }

  /** Whether nothing is heard. */
  get isBlind(): boolean {
    return this.#blind !== null;
  }

  /**
   * Takes over what an earlier run could not finish, and the time since that run ended.
   * @param isTold whether the numbering goes on, and holds all that the earlier run told
   */
  adopt(channels: readonly string[], isTold = false): void {
    const { unfinished, heard } = this.#memory;
    for (const gap of unfinished) {
      if (isTold) this.#total += 1;
      else this.#announce(gap);
      if (gap.until === null) this.#resume(gap);
      else this.#unsettled = [...this.#unsettled, gap];
    }
    if (heard !== null && this.#blind === null) {
      const { at: since, clockOffsetMs } = heard;
      // What was written last may be older than the last change of the channels.
      const missed = [...new Set([...heard.channels, ...channels])];
      this.#goBlind({ cause: 'daemon-died', since, channels: missed, clockOffsetMs });
    }
    this.forgetUnwanted(channels);
  }

  /** How far the venue's clock is from ours is known now, and so when it was by that clock that gaps began. */
  date(): void {
    const { store, clock, clockOffset } = this.#ports;
    const offset = clockOffset();
    if (offset === null) return;
    const dated = (gap: GapRecord): GapRecord => {
      const begunAt = this.#begunAt.get(gap.id);
      if (gap.clockOffsetMs !== null || begunAt === undefined) return gap;
      const record = { ...gap, clockOffsetMs: wallAt(clock, begunAt) + offset - gap.since };
      store.save(record);
      return record;
    };
    this.#blind = this.#blind === null ? null : dated(this.#blind);
    this.#deaf = this.#deaf.map(dated);
    this.#unsettled = this.#unsettled.map(dated);
  }

  /** Opens a gap, unless figd is blind already. @param since monotonic */
  open(cause: FailureCode, since: number, channels: readonly string[]): void {
    if (this.#blind === null) this.#goBlind({ cause, ...this.#beginning(since), channels }, since);
  }

  /**
   * The venue is heard again, since a moment (monotonic). What was missed can be fetched now.
   * @param channels those that are wanted
   */
  end(at: number, channels: readonly string[]): void {
    const { store, clock, clockOffset } = this.#ports;
    const heard = { at: clock.wall(), clockOffsetMs: clockOffset(), channels };
    const gap = this.#blind;
    this.#blind = null;
    if (gap === null) store.markHeard(heard);
    else store.save(this.#ended(gap, at), heard);
  }

  /**
   * Channels are not heard. Opens a gap for each that no open gap names.
   * @param missing by channel: since when it is not heard (monotonic)
   */
  miss(missing: ReadonlyMap<string, number>): void {
    for (const [channel, since] of missing) {
      const open = this.#blind === null ? this.#deaf : [this.#blind, ...this.#deaf];
      if (open.some(({ channels }) => channels.includes(channel))) continue;
      const gap = this.#begun({ cause: channelGapCause, ...this.#beginning(since), channels: [channel] }, since);
      this.#resume(gap);
      this.#ports.store.save(gap);
      this.#announce(gap);
    }
  }

  /** Channels are confirmed on the live session. @returns whether a gap has ended */
  hear(confirmed: readonly string[]): boolean {
    return this.#endDeaf((channel) => confirmed.includes(channel));
  }

  /** What the venue's list tells of the channels that are not heard has been published, up to a moment of the venue's. */
  compared(gaps: readonly number[], until: number): void {
    this.#deaf = this.#deaf.map((gap) => (gaps.includes(gap.id) ? { ...gap, comparedUntil: until } : gap));
    for (const gap of this.#deaf) if (gaps.includes(gap.id)) this.#ports.store.save(gap);
  }

  /** What nobody wants any more is not missed. @returns whether a gap has ended */
  forgetUnwanted(wanted: readonly string[]): boolean {
    return this.#endDeaf((channel) => !wanted.includes(channel));
  }

  /** It is known what became of all gaps that are over. */
  settle(reconciled: Exclude<Reconciled, null>): void {
    const { store, publish, onSettled } = this.#ports;
    const gaps = this.#unsettled;
    this.#unsettled = [];
    this.#unfetched = reconciled === false ? [...this.#unfetched, ...gaps].slice(-mostUnfetched) : [];
    for (const gap of gaps) {
      const blindMs = this.#lengthOf(gap);
      const settled: GapRecord = { ...gap, blindMs, reconciled };
      // Only what ended in this run was counted.
      if (this.#adoptedEnds.delete(gap.id) && !isOfOneChannel(gap)) this.#blindMs += blindMs - lengthByOurClock(gap);
      this.#begunAt.delete(gap.id);
      store.save(settled);
      publish({ phase: 'closed', id: gap.id, until: gap.until ?? 0, blindMs, reconciled });
      onSettled(settled);
    }
  }

  /**
   * As the status tells it: of this run, with what it took over. Blind is figd when it hears nothing; a gap that is open
   * counts up to now.
   */
  summary(): { readonly open: number; readonly total: number; readonly blindMsTotal: number } {
    const gap = this.#blind;
    const { clock } = this.#ports;
    const begunAt = this.#begunAt.get(gap?.id ?? 0);
    const running = gap === null ? 0 : begunAt === undefined ? clock.wall() - gap.since : clock.monotonic() - begunAt;
    return {
      open: (gap === null ? 0 : 1) + this.#deaf.length + this.#unsettled.length,
      total: this.#total,
      blindMsTotal: this.#blindMs + Math.max(0, running),
    };
  }

  /**
   * What began in an earlier run than it ended in can be measured by the venue's clock alone, once we know how far off
   * ours is. The run in which it ended may itself have been over before it knew.
   */
  #lengthOf(gap: GapRecord): number {
    const { id, since, until, blindMs, clockOffsetMs } = gap;
    const offset = this.#ports.clockOffset();
    if (blindMs !== null || until === null || clockOffsetMs === null || offset === null) return lengthByOurClock(gap);
    const endedAt = this.#adoptedEnds.get(id);
    const end = endedAt === undefined ? until : wallAt(this.#ports.clock, endedAt);
    return Math.max(0, end + offset - (since + clockOffsetMs));
  }

  #beginning(since: number): Pick<GapRecord, 'since' | 'clockOffsetMs'> {
    const { clock, clockOffset } = this.#ports;
    return { since: wallAt(clock, since), clockOffsetMs: clockOffset() };
  }

  /** @param at when it began (monotonic), where that was in this run */
  #goBlind(beginning: Beginning, at?: number): void {
    const gap = this.#begun(beginning, at);
    this.#resume(gap);
    // From now on the gap itself says since when.
    this.#ports.store.save(gap, null);
    this.#announce(gap);
  }

  #begun(beginning: Beginning, at?: number): GapRecord {
    this.#lastId += 1;
    if (at !== undefined) this.#begunAt.set(this.#lastId, at);
    return { id: this.#lastId, ...beginning, until: null, blindMs: null, reconciled: null };
  }

  /** It is open, from now on or still. */
  #resume(gap: GapRecord): void {
    if (isOfOneChannel(gap)) this.#deaf = [...this.#deaf, gap];
    else if (this.#blind === null) this.#blind = gap;
    // Only a ledger that was out of reach for a while has two: the older one stands for both from now on.
    else this.#ports.store.save(this.#ended(gap, this.#ports.clock.monotonic()));
  }

  #endDeaf(isOver: (channel: string) => boolean): boolean {
    const over = this.#deaf.filter(({ channels }) => channels.every(isOver));
    this.#deaf = this.#deaf.filter((gap) => !over.includes(gap));
    for (const gap of over) this.#ports.store.save(this.#ended(gap, this.#ports.clock.monotonic()));
    return over.length > 0;
  }

  /** The record of a gap that is over since a moment (monotonic), and waits to be settled from now on. */
  #ended(gap: GapRecord, at: number): GapRecord {
    const begunAt = this.#begunAt.get(gap.id);
    // Heard on one session after another one was heard again: then there was nothing between.
    const end = Math.max(at, begunAt ?? at);
    const until = wallAt(this.#ports.clock, end);
    const isUndated = begunAt === undefined && gap.clockOffsetMs !== null;
    const length = begunAt === undefined ? until - gap.since : end - begunAt;
    const ended: GapRecord = { ...gap, until, blindMs: isUndated ? null : Math.max(0, length) };
    if (begunAt === undefined) this.#adoptedEnds.set(gap.id, end);
    if (!isOfOneChannel(ended)) this.#blindMs += lengthByOurClock(ended);
    this.#unsettled = [...this.#unsettled, ended];
    return ended;
  }

  #announce(gap: GapRecord): void {
    const { id, cause, since, channels } = gap;
    this.#total += 1;
    this.#ports.publish({ phase: 'open', id, cause, since, channels });
    this.#ports.onOpened(gap);
  }
}

/** As far as it can be told by the clock of this host alone, which may have been set meanwhile. */
function lengthByOurClock({ since, until, blindMs }: GapRecord): number {
  return blindMs ?? Math.max(0, (until ?? since) - since);
}
