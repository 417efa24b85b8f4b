import { existsSync, statSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { LedgerContents } from '../log/memory-ledger.ts';
import { parseJson } from '../protocol/json-rpc.ts';
import type { GapRecord, HeardMark, Paced, Reconciled } from '../protocol/ledger.ts';
import { DamagedFileError, inTransaction, makeFile, numberOr, versionOf } from './sqlite-file.ts';

/** Stands in `user_version` of the file. */
export const schemaVersion = 1;

// AUTOINCREMENT, so that SQLite remembers the highest number given when the gap itself is deleted.
const schema = `
  CREATE TABLE gaps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cause TEXT NOT NULL,
    since REAL NOT NULL,
    until REAL,
    blind_ms REAL,
    channels TEXT NOT NULL,
    clock_offset_ms REAL,
    reconciled TEXT,
    compared_until REAL
  ) STRICT;
  CREATE TABLE moments (name TEXT PRIMARY KEY, at REAL) STRICT, WITHOUT ROWID;
  CREATE TABLE paces (what TEXT PRIMARY KEY, moments TEXT NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${schemaVersion};
`;

const heardChannelsTable = `
  CREATE TABLE IF NOT EXISTS heard_channels (id INTEGER PRIMARY KEY CHECK (id = 1), channels TEXT NOT NULL) STRICT;
`;

/** The event loop stands still while another process holds the lock, so it is not waited for long. */
const busyTimeoutMs = 200;

/** The ledger as an SQLite database, open for writing. Every method throws what SQLite throws. */
export class LedgerFile {
  /** Whether it was made just now. */
  readonly isNew: boolean;
  readonly #database: DatabaseSync;
  readonly #saveGap: StatementSync;
  readonly #saveHeard: StatementSync;
  readonly #saveHeardChannels: StatementSync;
  readonly #savePaces: StatementSync;
  /** The list that was written last. */
  #heardChannels = '';

  private constructor(database: DatabaseSync, isNew: boolean) {
    this.isNew = isNew;
    this.#database = database;
    this.#saveGap = database.prepare(
      `INSERT INTO gaps (id, cause, since, until, blind_ms, channels, clock_offset_ms, reconciled, compared_until)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET cause = excluded.cause, since = excluded.since, until = excluded.until,
         blind_ms = excluded.blind_ms, channels = excluded.channels, clock_offset_ms = excluded.clock_offset_ms,
         reconciled = excluded.reconciled, compared_until = excluded.compared_until`,
    );
    this.#saveHeard = database.prepare(
      "INSERT OR REPLACE INTO moments (name, at) VALUES ('heard_at', ?), ('heard_clock_offset_ms', ?), ('began_at', ?)",
    );
    this.#saveHeardChannels = database.prepare('INSERT OR REPLACE INTO heard_channels (id, channels) VALUES (1, ?)');
    this.#savePaces = database.prepare('INSERT OR REPLACE INTO paces (what, moments) VALUES (?, ?)');
  }

  /**
   * Opens the file and makes what is missing: directory, file and tables.
   *
   * @param beganAt unix milliseconds, for a new file
   * @throws {NewerSchemaError} for a file of a later figd; what SQLite or the file system throws; for a damaged file
   * what `isDamage` knows
   */
  static open(path: string, beganAt: number): LedgerFile {
    makeFile(path);
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    try {
      const version = versionOf(database, schemaVersion);
      checkIntegrity(database);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      if (version === 0) inTransaction(database, () => makeTables(database, beganAt));
      addWhatIsNew(database);
      return new LedgerFile(database, version === 0);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  contents(): LedgerContents {
    return contentsOf(this.#database);
  }

  /** Does several writes or none. */
  together(write: () => void): void {
    inTransaction(this.#database, write);
  }

  save({ id, cause, since, until, blindMs, channels, clockOffsetMs, reconciled, comparedUntil }: GapRecord): void {
    const list = JSON.stringify(channels);
    const values = [id, cause, since, until, blindMs, list, clockOffsetMs, textOf(reconciled), comparedUntil ?? null];
    this.#saveGap.run(...values);
  }

  /** @param beganAt since when the ledger is complete, which the first time may move */
  markHeard(heard: HeardMark | null, beganAt: number): void {
    this.#saveHeard.run(heard?.at ?? null, heard?.clockOffsetMs ?? null, beganAt);
    if (heard === null) return;
    const channels = JSON.stringify(heard.channels);
    // Once a second, and the same each time.
    if (channels === this.#heardChannels) return;
    this.#saveHeardChannels.run(channels);
    this.#heardChannels = channels;
  }

  keepPaces(what: Paced, moments: readonly number[]): void {
    this.#savePaces.run(what, JSON.stringify(moments));
  }

  /**
   * Deletes the finished gaps that ended before a moment. The ledger is complete only from the end of the last of them,
   * so that is where it begins from then on.
   */
  prune(before: number): void {
    this.together(() => {
      const old = this.#database
        .prepare('DELETE FROM gaps WHERE until < ? AND reconciled IS NOT NULL RETURNING until')
        .all(before);
      const ends = old.map(({ until }) => numberOr(until, 0));
      if (ends.length === 0) return;
      this.#database
        .prepare("UPDATE moments SET at = max(at, ?) WHERE name = 'began_at'")
        .run(ends.reduce((a, b) => Math.max(a, b)));
    });
  }

  close(): void {
    this.#database.close();
  }
}

/**
 * Reads a ledger without writing to it, also while a daemon writes.
 *
 * @returns null where there is no file, or nothing in it yet
 * @throws {NewerSchemaError}, or what SQLite throws
 */
export function readLedgerFile(path: string): LedgerContents | null {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return null;
  const location = pathToFileURL(path);
  // Without a write-ahead log nobody writes. SQLite would make one even to read, which the directory may forbid.
  if (!existsSync(`${path}-wal`)) location.searchParams.set('immutable', '1');
  const database = new DatabaseSync(location, { readOnly: true, timeout: busyTimeoutMs });
  try {
    const version = versionOf(database, schemaVersion);
    return version === 0 ? null : contentsOf(database);
  } finally {
    database.close();
  }
}

function makeTables(database: DatabaseSync, beganAt: number): void {
  database.exec(schema);
  database.prepare("INSERT INTO moments (name, at) VALUES ('began_at', ?)").run(beganAt);
}

/** Earlier figds of this version of the schema had neither, and do not mind them. */
function addWhatIsNew(database: DatabaseSync): void {
  database.exec(heardChannelsTable);
  const columns = database.prepare('PRAGMA table_info(gaps)').all();
  if (columns.every(({ name }) => name !== 'compared_until')) {
    database.exec('ALTER TABLE gaps ADD COLUMN compared_until REAL');
  }
}

function checkIntegrity(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') throw new DamagedFileError(String(found));
}

function contentsOf(database: DatabaseSync): LedgerContents {
  const moments = new Map(
    database
      .prepare('SELECT name, at FROM moments')
      .all()
      .map(({ name, at }) => [name, at]),
  );
  const highest = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'gaps'").get()?.['seq'];
  const at = numberOr(moments.get('heard_at'), null);
  const clockOffsetMs = numberOr(moments.get('heard_clock_offset_ms'), null);
  return {
    beganAt: numberOr(moments.get('began_at'), 0),
    lastId: numberOr(highest, 0),
    gaps: database.prepare('SELECT * FROM gaps ORDER BY id').all().map(gapOf),
    heard: at === null ? null : { at, clockOffsetMs, channels: heardChannelsOf(database) },
    paces: { dial: pacesOf(database, 'dial'), token: pacesOf(database, 'token') },
  };
}

function heardChannelsOf(database: DatabaseSync): readonly string[] {
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'heard_channels'").get();
  if (table === undefined) return [];
  return listIn(database.prepare('SELECT channels FROM heard_channels').get()?.['channels'], 'string');
}

function pacesOf(database: DatabaseSync, what: Paced): readonly number[] {
  return listIn(database.prepare('SELECT moments FROM paces WHERE what = ?').get(what)?.['moments'], 'number');
}

function gapOf(row: Record<string, SQLOutputValue>): GapRecord {
  const { id, cause, since, until, blind_ms: blindMs, clock_offset_ms: clockOffsetMs, channels, reconciled } = row;
  const comparedUntil = numberOr(row['compared_until'], null);
  return {
    id: numberOr(id, 0),
    cause: String(cause),
    since: numberOr(since, 0),
    until: numberOr(until, null),
    blindMs: numberOr(blindMs, null),
    channels: listIn(channels, 'string'),
    clockOffsetMs: numberOr(clockOffsetMs, null),
    reconciled: reconciledOf(reconciled),
    ...(comparedUntil === null ? {} : { comparedUntil }),
  };
}

function textOf(reconciled: Reconciled): string | null {
  return typeof reconciled === 'boolean' ? (reconciled ? 'yes' : 'no') : reconciled;
}

function reconciledOf(text: SQLOutputValue | undefined): Reconciled {
  if (text === 'yes' || text === 'no') return text === 'yes';
  return text === 'not-attempted' ? text : null;
}

interface Kinds {
  readonly number: number;
  readonly string: string;
}

/** A JSON array of one kind; what else somebody may have written into it is left out. */
function listIn<Kind extends keyof Kinds>(text: SQLOutputValue | undefined, kind: Kind): readonly Kinds[Kind][] {
  const list = typeof text === 'string' ? parseJson(text) : null;
  if (!Array.isArray(list)) return [];
  return list.filter((item: unknown): item is Kinds[Kind] => typeof item === kind);
}
