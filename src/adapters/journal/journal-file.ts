import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { firstLineSince, lastReceivedAt, receivedAtOf } from '../../log/line.ts';
import type { Lost, LostReason } from '../../protocol/local.ts';
import { inTransaction, isDamage, makeFile, numberOr, versionOf } from '../sqlite-file.ts';
import { blockIn, channelTest, checksum, type FileBlock, linesFrom, restOf } from './journal-block.ts';

export const journalFileName = 'journal.db';

/** Stands in `user_version` of the file. */
export const journalSchemaVersion = 1;

/** For how long and up to which size events are kept. */
export interface Retention {
  /** Milliseconds. */
  readonly retainFor: number;
  readonly retainBytes: number;
}

/** A range of numbers whose events were never written. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  readonly reason: LostReason;
}

/** What a reader gets. */
export interface FileBatch {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  readonly next: number;
  readonly lost: Lost | null;
}

/** How large the file is and how far it reaches back. */
export interface JournalFigures {
  readonly bytes: number;
  /** The oldest sequence number of the epoch in use; null where there is none. */
  readonly oldest: number | null;
}

// The lines stand last in a row, so that what looks for a number or a moment does not read them. SQLite itself would not
// notice if their bytes were others than those that were written, so their CRC-32 stands beside them.
const schema = `
  CREATE TABLE epochs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL REFERENCES epochs,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    crc INTEGER NOT NULL,
    lines BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX blocks_by_seq ON blocks (epoch, last_seq);
  CREATE INDEX blocks_by_time ON blocks (epoch, last_at, last_seq);
  CREATE TABLE holes (epoch INTEGER NOT NULL REFERENCES epochs, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL,
    reason TEXT NOT NULL, at REAL NOT NULL) STRICT;
  CREATE INDEX holes_by_seq ON holes (epoch, to_seq);
  CREATE VIEW events AS
    SELECT epochs.name AS epoch, line.value ->> '$.params.seq' AS seq, line.value ->> '$.params.channel' AS channel,
      line.value ->> '$.params.receivedAt' AS received_at, line.value ->> '$.params.session' AS session,
      line.value -> '$.params.message' AS message
    FROM blocks JOIN epochs ON epochs.id = blocks.epoch,
      json_each('[' || replace(rtrim(CAST(blocks.lines AS TEXT), char(10)), char(10), ',') || ']') AS line;
  PRAGMA user_version = ${journalSchemaVersion};
`;

const busyTimeoutMs = 2_000;
/** So many blocks go at a time: each step stays short, and is still twice what one entry brings. */
const prunedAtOnce = 128;
/** A reader whose filter passes little is given what was found after so much, and comes again. */
const scannedAtOnce = 4 * 1_048_576;
/** Free pages beyond these are given back, so many at a time. */
const sparePages = 4_096;
const vacuumedAtOnce = 512;
const walLimitBytes = 16 * 1_048_576;

/** The journal as an SQLite database, open for writing. Every method throws what SQLite throws. */
export class JournalFile {
  readonly #database: DatabaseSync;
  #retention: Retention;
  readonly #insert: StatementSync;
  readonly #insertHole: StatementSync;
  readonly #blockAt: StatementSync;
  readonly #holeAt: StatementSync;
  readonly #blockSince: StatementSync;
  readonly #oldest: StatementSync;
  readonly #lastBlock: StatementSync;
  readonly #lastHole: StatementSync;
  readonly #dropOld: StatementSync;
  readonly #dropOldest: StatementSync;
  readonly #sizes: readonly StatementSync[];
  readonly #epochIds = new Map<string, number>();

  private constructor(database: DatabaseSync, retention: Retention) {
    this.#database = database;
    this.#retention = retention;
    const prepare = (sql: string) => database.prepare(sql);
    this.#insert = prepare(
      'INSERT INTO blocks (epoch, first_seq, last_seq, first_at, last_at, crc, lines) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#insertHole = prepare('INSERT INTO holes (epoch, from_seq, to_seq, reason, at) VALUES (?, ?, ?, ?, ?)');
    this.#blockAt = prepare(
      'SELECT first_seq, last_seq, crc, lines FROM blocks WHERE epoch = ? AND last_seq >= ? ORDER BY last_seq LIMIT 1',
    );
    this.#holeAt = prepare(
      'SELECT from_seq, to_seq, reason FROM holes WHERE epoch = ? AND to_seq >= ? ORDER BY to_seq LIMIT 1',
    );
    this.#blockSince = prepare(
      `SELECT first_seq, last_seq, crc, lines FROM blocks WHERE epoch = :epoch AND last_seq =
         (SELECT min(last_seq) FROM blocks WHERE epoch = :epoch AND last_at >= :since)`,
    );
    this.#oldest = prepare('SELECT first_seq FROM blocks WHERE epoch = ? ORDER BY last_seq LIMIT 1');
    this.#lastBlock = prepare('SELECT max(last_seq) AS seq FROM blocks WHERE epoch = ?');
    this.#lastHole = prepare('SELECT max(to_seq) AS seq FROM holes WHERE epoch = ?');
    const drop = `DELETE FROM blocks WHERE id IN (SELECT id FROM blocks ORDER BY id LIMIT ${prunedAtOnce})`;
    this.#dropOld = prepare(`${drop} AND last_at < ?`);
    this.#dropOldest = prepare(`DELETE FROM blocks WHERE id IN (SELECT id FROM blocks ORDER BY id LIMIT ?)`);
    this.#sizes = ['page_count', 'freelist_count', 'page_size'].map((name) => prepare(`PRAGMA ${name}`));
  }

  /** Keeps events for so long, and so many, from now on. */
  retain(retention: Retention): void {
    this.#retention = retention;
  }

  /** Opens the file and makes what is missing of it. @throws {NewerSchemaError} for a file of a later figd */
  static open(path: string, retention: Retention): JournalFile {
    makeFile(path);
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    try {
      const version = versionOf(database, journalSchemaVersion);
      if (version === 0) database.exec('PRAGMA auto_vacuum = INCREMENTAL');
      database.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${walLimitBytes}`,
      );
      if (version === 0) inTransaction(database, () => database.exec(schema));
      return new JournalFile(database, retention);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** The highest sequence number of an epoch that is accounted for; 0 where there is none. */
  last(epoch: string): number {
    return this.#highest(this.#idOf(epoch));
  }

  /**
   * Writes all of it or nothing, and lets go of what is older or more than is kept. What was written before is left out:
   * it may be that only the answer was lost.
   * @param now unix milliseconds
   */
  write(epoch: string, hole: Hole | null, blocks: readonly FileBlock[], now: number): void {
    inTransaction(this.#database, () => {
      const id = this.#idOf(epoch) ?? this.#addEpoch(epoch);
      const before = this.#highest(id);
      if (hole !== null && hole.to > before) this.#insertHole.run(id, hole.from, hole.to, hole.reason, now);
      for (const block of blocks) {
        if (block.last > before) this.#insertBlock(id, block.first > before ? block : restOf(block, before + 1));
      }
      this.#prune(now);
    });
    this.#shrink();
  }

  #insertBlock(epoch: number, { first, last, lines }: FileBlock): void {
    this.#insert.run(epoch, first, last, receivedAtOf(lines, 0), lastReceivedAt(lines), checksum(lines), lines);
  }

  /** What comes at `from` or after it; null where there is nothing. */
  read(epoch: string, from: number, channels: readonly string[], maxBytes: number): FileBatch | null {
    const id = this.#idOf(epoch);
    const passes = channelTest(channels);
    const chunks: Uint8Array[] = [];
    let lost: Lost | null = null;
    let next = from;
    let bytes = 0;
    for (let scanned = 0; bytes < maxBytes && scanned < scannedAtOnce; ) {
      const block = blockIn(this.#blockAt.get(id, next));
      if (block === null || block.first > next) {
        const missing = this.#missing(id, next, block?.first ?? null);
        if (missing === null) break;
        // It stands in front of the lines, so whatever is missing behind some is for the next read.
        if (next > from) return { chunks, bytes, next, lost };
        lost = missing;
        next = missing.to + 1;
        if (block === null) return { chunks, bytes, next, lost };
        continue;
      }
      const found = linesFrom(block, next, passes, maxBytes - bytes);
      chunks.push(...found.chunks);
      bytes += found.bytes;
      scanned += block.lines.length;
      next = found.next;
    }
    return next === from ? null : { chunks, bytes, next, lost };
  }

  /** The first event received at a moment (unix milliseconds) or later. */
  firstSince(epoch: string, since: number): number | null {
    const block = blockIn(this.#blockSince.get({ epoch: this.#idOf(epoch), since }));
    const index = block === null ? null : firstLineSince(block.lines, since);
    return block === null || index === null ? null : block.first + index;
  }

  figures(epoch: string | null): JournalFigures {
    const [pages = 0, free = 0, pageBytes = 0] = this.#pages();
    const oldest = epoch === null ? null : this.#oldest.get(this.#idOf(epoch))?.['first_seq'];
    return { bytes: (pages - free) * pageBytes, oldest: numberOr(oldest, null) };
  }

  /** Lets go of what is too old, also when nothing comes. @param now unix milliseconds */
  tidy(now: number): void {
    inTransaction(this.#database, () => this.#prune(now));
    this.#shrink();
  }

  close(): void {
    this.#database.close();
  }

  /** What lies between a number and the block behind it, if anything is known of it. */
  #missing(epoch: number | null, from: number, blockFirst: number | null): Lost | null {
    const hole = this.#holeAt.get(epoch, from);
    const start = numberOr(hole?.['from_seq'], null);
    if (start !== null && start <= from) {
      return { from, to: numberOr(hole?.['to_seq'], from), reason: hole?.['reason'] as LostReason };
    }
    const ends = [start, blockFirst].filter((seq) => seq !== null);
    return ends.length === 0 ? null : { from, to: Math.min(...ends) - 1, reason: 'expired' };
  }

  #prune(now: number): void {
    const { retainFor, retainBytes } = this.#retention;
    let dropped = Number(this.#dropOld.run(now - retainFor).changes);
    const [pages = 0, free = 0, pageBytes = 0] = this.#pages();
    if ((pages - free) * pageBytes > retainBytes) dropped += Number(this.#dropOldest.run(prunedAtOnce).changes);
    if (dropped > 0) {
      this.#database.exec(
        `DELETE FROM holes WHERE to_seq <
           (SELECT first_seq FROM blocks WHERE epoch = holes.epoch ORDER BY last_seq LIMIT 1)`,
      );
    }
  }

  /** What was written stays written if this fails, as it may on a full disk: the next one may do better. */
  #shrink(): void {
    const [, free = 0] = this.#pages();
    if (free <= sparePages) return;
    try {
      this.#database.exec(`PRAGMA incremental_vacuum(${vacuumedAtOnce})`);
    } catch (error) {
      if (isDamage(error)) throw error;
    }
  }

  #highest(epoch: number | null): number {
    const highest = [this.#lastBlock, this.#lastHole].map((statement) => numberOr(statement.get(epoch)?.['seq'], 0));
    return Math.max(...highest);
  }

  #pages(): readonly number[] {
    return this.#sizes.map((statement) => numberOr(Object.values(statement.get() ?? {})[0], 0));
  }

  /** Null for an epoch of which nothing was written, which as a parameter finds nothing. */
  #idOf(name: string): number | null {
    const known = this.#epochIds.get(name);
    if (known !== undefined) return known;
    const id = numberOr(this.#database.prepare('SELECT id FROM epochs WHERE name = ?').get(name)?.['id'], null);
    // Within a transaction it may have to be taken back.
    if (id !== null && !this.#database.isTransaction) this.#epochIds.set(name, id);
    return id;
  }

  #addEpoch(name: string): number {
    return Number(this.#database.prepare('INSERT INTO epochs (name) VALUES (?)').run(name).lastInsertRowid);
  }
}
