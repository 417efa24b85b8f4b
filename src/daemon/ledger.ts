import { type Clock, wallAt } from '../protocol/clock.ts';
import type { FailureCode } from '../protocol/failure.ts';
import type { GapRecord, LedgerMemory, LedgerStore, Reconciled } from '../protocol/ledger.ts';
import type { GapMessage } from '../protocol/local.ts';

export interface LedgerPorts {
  readonly store: LedgerStore;
  readonly clock: Clock;
  /** Venue clock minus ours in milliseconds, as far as it is known now. */
  readonly clockOffset: () => number | null;
  /** Makes a change of a gap known to every consumer. */
  readonly publish: (message: GapMessage) => void;
  /** Told of each gap once nothing about it changes any more. */
  readonly onSettled: (gap: GapRecord) => void;
}

interface BlindGap extends GapRecord {
  readonly until: null;
  /** Monotonic moment of `since`, or null where the gap began in an earlier run. */
  readonly sinceMonotonic: number | null;
}

/**
 * Every time in which figd could not hear the venue, its own downtime included. A gap is opened when it is noticed,
 * from the last proof of hearing on; it ends when a session is live, and is settled when it is known whether what it
 * missed has been fetched.
 */
export class Ledger {
  readonly #ports: LedgerPorts;
  readonly #memory: LedgerMemory;
  #lastId: number;
  #total = 0;
  #blindMs = 0;
  #blind: BlindGap | null = null;
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

  /**
   * Takes over what an earlier run could not finish, and the time since that run ended.
   * @param isTold whether the numbering goes on, and holds all that the earlier run told
   */
  adopt(channels: readonly string[], isTold = false): void {
    const { unfinished, heardAt, heardClockOffsetMs } = this.#memory;
    for (const gap of unfinished) {
      if (isTold) this.#total += 1;
      else this.#announce(gap);
      if (gap.until === null) this.#blind ??= { ...gap, until: null, sinceMonotonic: null };
      else this.#unsettled = [...this.#unsettled, gap];
    }
    if (heardAt === null || this.#blind !== null) return;
    this.#begin('daemon-died', heardAt, null, channels, heardClockOffsetMs);
  }

  /** Opens a gap, unless figd is blind already. @param since monotonic */
  open(cause: FailureCode, since: number, channels: readonly string[]): void {
    if (this.#blind !== null) return;
    this.#begin(cause, wallAt(this.#ports.clock, since), since, channels, this.#ports.clockOffset());
  }

  /** The venue is heard again, since a moment (monotonic). What was missed can be fetched now. */
  end(at: number): void {
    const gap = this.#blind;
    if (gap === null) return;
    const { sinceMonotonic, ...record } = gap;
    // Heard on one session after another one was heard again: then there was nothing between.
    const end = Math.max(at, sinceMonotonic ?? at);
    const until = wallAt(this.#ports.clock, end);
    const isUndated = sinceMonotonic === null && gap.clockOffsetMs !== null;
    const length = sinceMonotonic === null ? until - gap.since : end - sinceMonotonic;
    const ended: GapRecord = { ...record, until, blindMs: isUndated ? null : Math.max(0, length) };
    if (sinceMonotonic === null) this.#adoptedEnds.set(gap.id, end);
    this.#blind = null;
    this.#blindMs += lengthByOurClock(ended);
    this.#unsettled = [...this.#unsettled, ended];
    this.#ports.store.save(ended);
  }

  /** It is known what became of all gaps that are over. */
  settle(reconciled: Exclude<Reconciled, null>): void {
    const { store, publish, onSettled } = this.#ports;
    const gaps = this.#unsettled;
    this.#unsettled = [];
    for (const gap of gaps) {
      const blindMs = this.#lengthOf(gap);
      const settled: GapRecord = { ...gap, blindMs, reconciled };
      this.#blindMs += blindMs - lengthByOurClock(gap);
      store.save(settled);
      publish({ phase: 'closed', id: gap.id, until: gap.until ?? 0, blindMs, reconciled });
      onSettled(settled);
    }
  }

  /** As the status tells it: of this run, with what it took over; a gap that is open counts up to now. */
  summary(): { readonly open: number; readonly total: number; readonly blindMsTotal: number } {
    const gap = this.#blind;
    const { clock } = this.#ports;
    const begun = gap?.sinceMonotonic ?? null;
    const running = gap === null ? 0 : begun === null ? clock.wall() - gap.since : clock.monotonic() - begun;
    return {
      open: (gap === null ? 0 : 1) + this.#unsettled.length,
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

  #begin(
    cause: FailureCode,
    since: number,
    sinceMonotonic: number | null,
    channels: readonly string[],
    clockOffsetMs: number | null,
  ): void {
    this.#lastId += 1;
    const gap = {
      id: this.#lastId,
      cause,
      since,
      until: null,
      blindMs: null,
      channels,
      clockOffsetMs,
      reconciled: null,
    };
    this.#blind = { ...gap, sinceMonotonic };
    this.#ports.store.save(gap);
    // From now on the gap itself says since when.
    this.#ports.store.markHeard(null, null);
    this.#announce(gap);
  }

  #announce({ id, cause, since, channels }: GapRecord): void {
    this.#total += 1;
    this.#ports.publish({ phase: 'open', id, cause, since, channels });
  }
}

/** As far as it can be told by the clock of this host alone, which may have been set meanwhile. */
function lengthByOurClock({ since, until, blindMs }: GapRecord): number {
  return blindMs ?? Math.max(0, (until ?? since) - since);
}
