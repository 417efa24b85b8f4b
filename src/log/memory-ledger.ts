import type { GapRecord, HeardMark, LedgerMemory, LedgerStore, Paced } from '../protocol/ledger.ts';

/** All that a ledger holds, as it is read from a file and given to a {@link MemoryLedger}. */
export interface LedgerContents extends Omit<LedgerMemory, 'unfinished'> {
  /** Oldest first. */
  readonly gaps: readonly GapRecord[];
}

export function contentsOf(ledger: LedgerStore): LedgerContents {
  const { unfinished: _, ...memory } = ledger.recall();
  return { ...memory, gaps: ledger.gapsSince(Number.NEGATIVE_INFINITY) };
}

/** Bounds memory, and the answer to `outages`: ten gaps a minute for sixteen hours, or one an hour for a year. */
export const maxGaps = 10_000;

/** As many as may be made in a minute: what is older cannot hold up the next one. */
const pacesKept: Readonly<Record<Paced, number>> = { dial: 10, token: 12 };

/** Whether nothing more will be learned of a gap. */
export function isFinished({ until, reconciled }: GapRecord): boolean {
  return until !== null && reconciled !== null;
}

/** The ledger of a daemon without a journal, and of simulations. Gaps are ordered by their numbers. */
export class MemoryLedger implements LedgerStore {
  readonly #gaps = new Map<number, GapRecord>();
  readonly #paces: Record<Paced, readonly number[]> = { dial: [], token: [] };
  #beganAt: number;
  #lastId = 0;
  #heard: HeardMark | null = null;

  /** @param beganAt unix milliseconds */
  constructor(beganAt: number) {
    this.#beganAt = beganAt;
  }

  /** A ledger that goes on where another one ended. */
  static from({ beganAt, lastId, gaps, heard, paces }: LedgerContents): MemoryLedger {
    const ledger = new MemoryLedger(beganAt);
    for (const gap of gaps) ledger.save(gap);
    ledger.#lastId = Math.max(lastId, ledger.#lastId);
    ledger.markHeard(heard);
    for (const what of ['dial', 'token'] as const) ledger.#paces[what] = paces[what].slice(-pacesKept[what]);
    return ledger;
  }

  get beganAt(): number {
    return this.#beganAt;
  }

  get heard(): HeardMark | null {
    return this.#heard;
  }

  get paces(): Readonly<Record<Paced, readonly number[]>> {
    return this.#paces;
  }

  recall(): LedgerMemory {
    return {
      beganAt: this.#beganAt,
      lastId: this.#lastId,
      unfinished: this.#ordered().filter((gap) => !isFinished(gap)),
      heard: this.#heard,
      paces: { ...this.#paces },
    };
  }

  save(gap: GapRecord, heard?: HeardMark | null): void {
    this.#gaps.set(gap.id, gap);
    this.#lastId = Math.max(this.#lastId, gap.id);
    if (this.#gaps.size > maxGaps) this.#dropOldest();
    if (heard !== undefined) this.markHeard(heard);
  }

  /** The gap of that number, unless it was dropped. */
  gap(id: number): GapRecord | undefined {
    return this.#gaps.get(id);
  }

  gapsSince(since: number): readonly GapRecord[] {
    return this.#ordered().filter(({ until }) => until === null || until > since);
  }

  markHeard(heard: HeardMark | null): void {
    // Before the first session there was nothing to be missed, and no time in which figd was live.
    if (heard !== null && this.#lastId === 0 && this.#heard === null) this.#beganAt = Math.max(this.#beganAt, heard.at);
    this.#heard = heard;
  }

  pace(what: Paced, at: number): void {
    this.#paces[what] = [...this.#paces[what], at].slice(-pacesKept[what]);
  }

  #ordered(): GapRecord[] {
    return [...this.#gaps.values()].sort((a, b) => a.id - b.id);
  }

  /** The ledger is complete only from the end of what it dropped, so that is where it begins from now on. */
  #dropOldest(): void {
    const [first] = this.#gaps.values();
    const oldest = this.#gaps.values().find(isFinished) ?? first;
    if (oldest === undefined) return;
    this.#gaps.delete(oldest.id);
    this.#beganAt = Math.max(this.#beganAt, oldest.until ?? oldest.since);
  }
}
