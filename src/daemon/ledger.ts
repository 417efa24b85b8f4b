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

interface OpenGap extends GapRecord {
  readonly until: null;
  /** Monotonic moment of `since`, or null where the gap began in an earlier run. */
  readonly sinceMonotonic: number | null;
}

/** What is known of a gap when it begins. */
type Beginning = Pick<OpenGap, 'cause' | 'since' | 'sinceMonotonic' | 'channels' | 'clockOffsetMs'>;

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
  #blind: OpenGap | null = null;
  /** Channels that are not heard, whether others are or not; each has its own, oldest first. */
  #deaf: readonly OpenGap[] = [];
  /** When gaps that had begun in an earlier run ended in this one (monotonic), by their numbers. */
  readonly #adoptedEnds = new Map<number, number>();
  /** Gaps that are over and wait to be reconciled, oldest first. */
  #unsettled: readonly GapRecord[] = [];

  constructor(ports: LedgerPorts) {
    this.#ports = ports;
    this.#memory = ports.store.recall();
    this.#lastId = this.#memory.lastId;
  }

  /** What an earlier run left. */
  get memory(): LedgerMemory {
    return this.#memory;
  }

  /** The gaps of which it is not known whether they can be reconciled, oldest first. */
  get unsettled(): readonly GapRecord[] {
    return this.#unsettled;
  }

  /** The gaps that a comparison is to look into: those that are over, and those of channels that are not heard. */
  get outstanding(): readonly GapRecord[] {
    return [...this.#unsettled, ...this.#deaf];
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
      if (gap.until === null) this.#resume({ ...gap, until: null, sinceMonotonic: null });
      else this.#unsettled = [...this.#unsettled, gap];
    }
    if (heard !== null && this.#blind === null) {
      const { at: since, clockOffsetMs } = heard;
      const missed = heard.channels.length > 0 ? heard.channels : channels;
      this.#goBlind({ cause: 'daemon-died', since, sinceMonotonic: null, channels: missed, clockOffsetMs });
    }
    this.forgetUnwanted(channels);
  }

  /** Opens a gap, unless figd is blind already. @param since monotonic */
  open(cause: FailureCode, since: number, channels: readonly string[]): void {
    if (this.#blind === null) this.#goBlind({ cause, ...this.#beginning(since), channels });
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
   * A session is live; all channels are heard but some. Opens a gap for each of those, unless there is one, and ends
   * those of the others.
   * @param missing by channel: since when it is not heard (monotonic)
   * @returns whether a gap has ended
   */
  hearAllBut(missing: ReadonlyMap<string, number>): boolean {
    const hasEnded = this.#endDeaf((channel) => !missing.has(channel));
    for (const [channel, since] of missing) {
      if (this.#deaf.some(({ channels }) => channels.includes(channel))) continue;
      const gap = this.#begun({ cause: channelGapCause, ...this.#beginning(since), channels: [channel] });
      this.#resume(gap);
      this.#ports.store.save(recordOf(gap));
      this.#announce(gap);
    }
    return hasEnded;
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
    for (const gap of gaps) {
      const blindMs = this.#lengthOf(gap);
      const settled: GapRecord = { ...gap, blindMs, reconciled };
      // Only what ended in this run was counted.
      if (this.#adoptedEnds.delete(gap.id) && !isOfOneChannel(gap)) this.#blindMs += blindMs - lengthByOurClock(gap);
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
    const begun = gap?.sinceMonotonic ?? null;
    const running = gap === null ? 0 : begun === null ? clock.wall() - gap.since : clock.monotonic() - begun;
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

  #beginning(since: number): Pick<OpenGap, 'since' | 'sinceMonotonic' | 'clockOffsetMs'> {
    const { clock, clockOffset } = this.#ports;
    return { since: wallAt(clock, since), sinceMonotonic: since, clockOffsetMs: clockOffset() };
  }

  #goBlind(beginning: Beginning): void {
    const gap = this.#begun(beginning);
    this.#resume(gap);
    // From now on the gap itself says since when.
    this.#ports.store.save(recordOf(gap), null);
    this.#announce(gap);
  }

  #begun(beginning: Beginning): OpenGap {
    this.#lastId += 1;
    return { id: this.#lastId, ...beginning, until: null, blindMs: null, reconciled: null };
  }

  /** It is open, from now on or still. */
  #resume(gap: OpenGap): void {
    if (isOfOneChannel(gap)) this.#deaf = [...this.#deaf, gap];
    else this.#blind ??= gap;
  }

  #endDeaf(isOver: (channel: string) => boolean): boolean {
    const over = this.#deaf.filter(({ channels }) => channels.every(isOver));
    this.#deaf = this.#deaf.filter((gap) => !over.includes(gap));
    for (const gap of over) this.#ports.store.save(this.#ended(gap, this.#ports.clock.monotonic()));
    return over.length > 0;
  }

  /** The record of a gap that is over since a moment (monotonic), and waits to be settled from now on. */
  #ended({ sinceMonotonic, ...record }: OpenGap, at: number): GapRecord {
    // Heard on one session after another one was heard again: then there was nothing between.
    const end = Math.max(at, sinceMonotonic ?? at);
    const until = wallAt(this.#ports.clock, end);
    const isUndated = sinceMonotonic === null && record.clockOffsetMs !== null;
    const length = sinceMonotonic === null ? until - record.since : end - sinceMonotonic;
    const ended: GapRecord = { ...record, until, blindMs: isUndated ? null : Math.max(0, length) };
    if (sinceMonotonic === null) this.#adoptedEnds.set(record.id, end);
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

const recordOf = ({ sinceMonotonic: _, ...record }: OpenGap): GapRecord => record;

/** As far as it can be told by the clock of this host alone, which may have been set meanwhile. */
function lengthByOurClock({ since, until, blindMs }: GapRecord): number {
  return blindMs ?? Math.max(0, (until ?? since) - since);
}
