import type { Clock } from '../protocol/clock.ts';
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
  /** Gaps that began in an earlier run. */
  readonly #adopted = new Set<number>();
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

  /** The oldest gap of which it is not known whether it can be reconciled, or null. */
  get oldestUnsettled(): GapRecord | null {
    return this.#unsettled[0] ?? null;
  }

  /** Takes over what an earlier run could not finish, and the time since that run ended. */
  adopt(channels: readonly string[]): void {
    const { unfinished, heardAt, heardClockOffsetMs } = this.#memory;
    for (const gap of unfinished) {
      this.#announce(gap);
      this.#adopted.add(gap.id);
      if (gap.until === null) this.#blind ??= { ...gap, until: null, sinceMonotonic: null };
      else this.#unsettled = [...this.#unsettled, gap];
    }
    if (heardAt === null || this.#blind !== null) return;
    this.#begin('daemon-died', heardAt, null, channels, heardClockOffsetMs);
  }

  /** Opens a gap, unless figd is blind already. @param since monotonic */
  open(cause: FailureCode, since: number, channels: readonly string[]): void {
    if (this.#blind !== null) return;
    const { clock, clockOffset } = this.#ports;
    this.#begin(cause, clock.wall() - (clock.monotonic() - since), since, channels, clockOffset());
  }

  /** The venue is heard again, since a moment (monotonic). What was missed can be fetched now. */
  end(at: number): void {
    const gap = this.#blind;
    if (gap === null) return;
    const { clock, store } = this.#ports;
    const until = clock.wall() - (clock.monotonic() - at);
    const length = gap.sinceMonotonic === null ? until - gap.since : at - gap.sinceMonotonic;
    const { sinceMonotonic: _, ...record } = gap;
    const ended: GapRecord = { ...record, until, blindMs: Math.max(0, length) };
    this.#blind = null;
    this.#blindMs += ended.blindMs ?? 0;
    this.#unsettled = [...this.#unsettled, ended];
    store.save(ended);
  }

  /** It is known what became of all gaps that are over. */
  settle(reconciled: Exclude<Reconciled, null>): void {
    const { store, publish, onSettled } = this.#ports;
    const gaps = this.#unsettled;
    this.#unsettled = [];
    for (const gap of gaps) {
      const settled: GapRecord = { ...gap, blindMs: this.#lengthOf(gap), reconciled };
      store.save(settled);
      publish({ phase: 'closed', id: gap.id, until: gap.until ?? 0, blindMs: settled.blindMs ?? 0, reconciled });
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

  /** What began in an earlier run can be measured by the venue's clock alone, once we know how far off ours is. */
  #lengthOf(gap: GapRecord): number {
    const now = this.#ports.clockOffset();
    const isMeasured = !this.#adopted.has(gap.id) || gap.clockOffsetMs === null || now === null;
    if (isMeasured) return gap.blindMs ?? 0;
    return Math.max(0, (gap.until ?? 0) + now - (gap.since + (gap.clockOffsetMs ?? 0)));
  }

  #begin(
    cause: FailureCode,
    since: number,
    sinceMonotonic: number | null,
    channels: readonly string[],
    clockOffsetMs: number | null,
  ): void {
    this.#lastId += 1;
    if (sinceMonotonic === null) this.#adopted.add(this.#lastId);
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
