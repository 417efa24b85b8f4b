import type { Lost } from '../protocol/local.ts';

/** Runs of whole lines, in order, to be written to a consumer as they are. */
export interface Batch {
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
  /** The position after this batch. */
  readonly next: number;
  /** What can never be delivered; it stands in front of the lines. */
  readonly lost: Lost | null;
  /** Gives back memory that only this reader has, once nobody reads the lines any more. */
  readonly release?: () => void;
}

/** Neighbouring lines on their way to the journal. Their bytes are the ring's own. */
export interface Block {
  readonly first: number;
  readonly last: number;
  readonly bytes: Buffer;
}

/** What the journal is to keep, in one piece: all of it or nothing. */
export interface JournalEntry {
  readonly epoch: string;
  /** Numbers whose events left the memory before they could be written. */
  readonly hole: { readonly from: number; readonly to: number } | null;
  readonly blocks: readonly Block[];
}

export interface JournalQuery {
  readonly epoch: string;
  /** The first sequence number wanted. */
  readonly from: number;
  /** Patterns of channels. */
  readonly channels: readonly string[];
  /** At least one line is given where there is one. */
  readonly maxBytes: number;
}

/** The log's memory on disk. No method throws or rejects: what is wrong with the disk costs history, never an event. */
export interface Journal {
  /** The oldest sequence number of an epoch that can be read; null while there is none. */
  oldest(epoch: string): number | null;
  /** Resolves with whether it is on disk now, so that it survives the end of this process. */
  write(entry: JournalEntry): Promise<boolean>;
  /** What comes at `from` or after it; null where the journal holds nothing there. */
  read(query: JournalQuery): Promise<Batch | null>;
  /** The first event received at a moment (unix milliseconds) or later; null where the journal holds none. */
  firstSince(epoch: string, since: number): Promise<number | null>;
}
