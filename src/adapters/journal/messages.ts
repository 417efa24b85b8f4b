import type { LedgerContents } from '../../log/memory-ledger.ts';
import type { GapRecord, HeardMark, Paced } from '../../protocol/ledger.ts';
import type { FileBatch, Hole, JournalFigures, Retention } from './journal-file.ts';

/** What the journal's thread is started with. */
export interface ThreadStart extends Retention {
  readonly directory: string;
}

/** Lines in memory that both threads see. */
export interface SharedBlock {
  readonly first: number;
  readonly last: number;
  readonly memory: ArrayBufferLike;
  readonly offset: number;
  readonly length: number;
}

/** A change of the ledger, as the method of `LedgerStore` takes it. */
export type LedgerChange =
  | { readonly change: 'save'; readonly gap: GapRecord; readonly heard: HeardMark | null | undefined }
  | { readonly change: 'heard'; readonly heard: HeardMark | null }
  | { readonly change: 'pace'; readonly what: Paced; readonly at: number };

/** All of a ledger, for a thread that goes on for one that has ended: some of it may not be in the file. */
export interface LedgerRepeated {
  readonly change: 'ledger';
  readonly ledger: LedgerContents;
}

/** Questions are answered in their order, each once. */
export type Question =
  | { readonly ask: 'last'; readonly epoch: string }
  | {
      readonly ask: 'write';
      readonly epoch: string;
      readonly hole: Hole | null;
      readonly blocks: readonly SharedBlock[];
    }
  | {
      readonly ask: 'read';
      readonly epoch: string;
      readonly from: number;
      readonly channels: readonly string[];
      readonly maxBytes: number;
    }
  | { readonly ask: 'since'; readonly epoch: string; readonly since: number }
  | { readonly ask: 'close' };

export interface Answers {
  /** Null where what the journal had is not known. */
  readonly last: number | null;
  readonly write: boolean;
  readonly read: FileBatch | null;
  readonly since: number | null;
  readonly close: true;
}

export interface RetentionChange {
  readonly change: 'retention';
  readonly retention: Retention;
}

export type ToThread =
  | { readonly id: number; readonly question: Question }
  | LedgerChange
  | LedgerRepeated
  | RetentionChange;

export type FromThread =
  | {
      readonly tell: 'opened';
      /** Another figd has the directory. */
      readonly isTaken: boolean;
      /** This one has it, and nobody else can. */
      readonly isOurs: boolean;
      /** Whether the journal was found damaged and set aside. */
      readonly wasDamaged: boolean;
      readonly ledger: LedgerContents;
    }
  /** Whether the directory, which may have been removed meanwhile, is this daemon's alone. */
  | { readonly tell: 'claimed'; readonly isOurs: boolean }
  | { readonly tell: 'trouble'; readonly of: 'journal' | 'ledger'; readonly message: string | null }
  | ({ readonly tell: 'figures'; readonly epoch: string } & JournalFigures)
  | { readonly tell: 'answer'; readonly id: number; readonly answer: Answers[keyof Answers] };
