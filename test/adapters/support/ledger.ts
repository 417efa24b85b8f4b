import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenLedger, openLedger } from '../../../src/adapters/sqlite-ledger.ts';
import type { GapRecord } from '../../../src/protocol/ledger.ts';

/** The moment the clock of the tests begins with. */
export const start = 1_795_334_400_000;
export const dayMs = 86_400_000;

/** A directory for ledgers with a clock that tests set, gone with all that was opened in it. */
export class LedgerPlace implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'figd-ledger-'));
  readonly directory: string;
  /** What was told of troubles, in order. */
  readonly told: (string | null)[] = [];
  now = start;
  readonly #opened: OpenLedger[] = [];

  constructor(name = 'state') {
    this.directory = join(this.root, name);
  }

  get path(): string {
    return join(this.directory, 'ledger.db');
  }

  open(retainFor = 7 * dayMs): OpenLedger {
    const onTrouble = (message: string | null) => this.told.push(message);
    const ledger = openLedger(this.directory, { now: () => this.now, retainFor, onTrouble });
    this.#opened.push(ledger);
    return ledger;
  }

  [Symbol.dispose](): void {
    for (const ledger of this.#opened) ledger.close();
    rmSync(this.root, { recursive: true });
  }
}

/** A gap of three seconds that is over and done with, unless said otherwise. */
export function gap(id: number, others: Partial<GapRecord> = {}): GapRecord {
  const since = start + id * 60_000.25;
  return {
    id,
    cause: 'half-open',
    since,
    until: since + 3_000,
    blindMs: 3_000,
    channels: ['rfq.maker', 'rfq.taker'],
    clockOffsetMs: -2.5,
    reconciled: true,
    ...others,
  };
}

/** A gap in which figd is still blind. */
export function openGap(id: number): GapRecord {
  return gap(id, { until: null, blindMs: null, reconciled: null });
}

export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
