import { DiskJournal, type DiskJournalOptions, newEpoch } from '../adapters/journal/disk-journal.ts';
import type { Retention } from '../adapters/journal/journal-file.ts';
import type { Settings } from '../config/settings.ts';
import type { Journal } from '../log/journal.ts';
import { MemoryLedger } from '../log/memory-ledger.ts';
import { type Numbers, passingNumbers } from '../log/numbers.ts';
import type { LedgerStore } from '../protocol/ledger.ts';

/** What outlives the daemon. */
export interface Storage {
  readonly numbers: Numbers;
  readonly ledger: LedgerStore;
  /** Null where no events are kept. */
  readonly journal: Journal | null;
  /** Why something cannot be kept at present, or null. */
  readonly trouble: () => string | null;
  /** Keeps events for so long, and so many, from now on. */
  readonly retain: (retention: Retention) => void;
  /** Bytes on disk. */
  readonly bytes: () => number;
  /** Releases everything. @param head the last sequence number that was given */
  readonly close: (head: number) => Promise<void>;
}

/**
 * Opens what the settings ask for.
 * @throws {DirectoryTakenError} where another daemon uses the directory
 */
export async function openStorage(
  { journal }: Settings,
  ports: Pick<DiskJournalOptions, 'now' | 'onTrouble'>,
): Promise<Storage> {
  if (!journal.enabled) return passingStorage();
  const disk = await DiskJournal.open({ ...journal, ...ports });
  return {
    numbers: disk.numbers,
    ledger: disk.ledger,
    journal: disk,
    trouble: () => disk.trouble,
    retain: (retention) => disk.retain(retention),
    bytes: () => disk.bytes,
    close: (head) => disk.close(head),
  };
}

/** Without a journal everything ends with the process. */
export function passingStorage(): Storage {
  return {
    numbers: passingNumbers(newEpoch()),
    ledger: new MemoryLedger(Date.now()),
    journal: null,
    trouble: () => null,
    retain: () => undefined,
    bytes: () => 0,
    close: async () => undefined,
  };
}
