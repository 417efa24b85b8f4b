import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { LedgerUnreadableError, readLedger } from '../../src/adapters/sqlite-ledger.ts';
import { dayMs, gap, LedgerPlace, openGap, range, start } from './support/ledger.ts';

const channels = ['rfq.maker'];

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const ids = (gaps: readonly { readonly id: number }[]) => gaps.map(({ id }) => id);

/** Something in the file that no prepared statement of figd's has written. */
function inside(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

describe('a ledger in a file', () => {
  it('survives a process that ends without a word', () => {
    using place = new LedgerPlace();
    const first = place.open();
    first.save(gap(1));
    first.save(openGap(2));
    first.markHeard({ at: start + 5, clockOffsetMs: null, channels });
    first.pace('dial', start + 1);
    first.pace('token', start + 2);
    place.now += 1_000;
    const second = place.open();
    expect(second.recall()).toEqual(first.recall());
    expect(second.gapsSince(0)).toEqual([gap(1), openGap(2)]);
    second.save(gap(2));
    second.markHeard(null);
    expect(place.open().recall()).toMatchObject({ beganAt: start, lastId: 2, unfinished: [], heard: null });
    expect(place.told).toEqual([]);
  });

  it('takes over all of another one in one write', () => {
    using place = new LedgerPlace();
    const ledger = place.open();
    ledger.save(openGap(1), null);
    ledger.save(gap(2));
    const heard = { at: start + 9, clockOffsetMs: 1, channels };
    const reader = place.open();
    ledger.complete({ ...reader.recall(), gaps: [gap(1), gap(2, { reconciled: null }), gap(3)], heard, lastId: 3 });
    const written = place.open();
    expect(written.gapsSince(0)).toEqual([gap(1), gap(2), gap(3)]);
    expect(written.recall().heard).toEqual(heard);
  });

  it('goes on from one of a figd that knew less', () => {
    using place = new LedgerPlace();
    const first = place.open();
    first.markHeard({ at: start + 5, clockOffsetMs: null, channels });
    first.close();
    inside(place.path, 'DROP TABLE heard_channels; ALTER TABLE gaps DROP COLUMN compared_until');
    expect(readLedger(place.directory, 0, start)?.gaps).toMatchObject([{ cause: 'daemon-died', channels: [] }]);
    const second = place.open();
    expect(second.recall().heard).toEqual({ at: start + 5, clockOffsetMs: null, channels: [] });
    second.markHeard({ at: start + 6, clockOffsetMs: null, channels });
    second.save({ ...openGap(1), comparedUntil: start + 0.5 });
    const third = place.open();
    expect([third.recall().heard?.channels, third.gapsSince(0), place.told]).toEqual([
      channels,
      [{ ...openGap(1), comparedUntil: start + 0.5 }],
      [],
    ]);
  });

  it('is closed to others, and whole in one file when it is closed', () => {
    using place = new LedgerPlace('a/b');
    const ledger = place.open();
    ledger.save(gap(1));
    expect([mode(place.directory), mode(place.path), mode(`${place.path}-wal`)]).toEqual(['750', '640', '640']);
    ledger.close();
    expect(readdirSync(place.directory)).toEqual(['ledger.db']);
    ledger.save(gap(2));
    expect(ids(ledger.gapsSince(0))).toEqual([1, 2]);
    expect(ids(place.open().gapsSince(0))).toEqual([1]);
  });

  it('forgets finished gaps that are too old, but not their numbers, and begins where the last of them ended', () => {
    using place = new LedgerPlace();
    const ledger = place.open();
    for (const id of [1, 2]) ledger.save(gap(id));
    ledger.save(gap(3, { reconciled: null }));
    ledger.save(openGap(4));
    ledger.save(gap(5));
    ledger.close();
    place.now = start + dayMs;
    expect(ids(place.open(dayMs).gapsSince(0))).toEqual([1, 2, 3, 4, 5]);
    place.now = (gap(2).until ?? 0) + dayMs + 1;
    const reopened = place.open(dayMs);
    expect(ids(reopened.gapsSince(0))).toEqual([3, 4, 5]);
    expect(reopened.recall().beganAt).toBe(gap(2).until);
    place.now += dayMs;
    place.open(dayMs).close();
    expect(place.open(dayMs).recall()).toMatchObject({ lastId: 5, beganAt: gap(5).until });
  });

  it('leaves out what somebody else wrote in a form it does not know', () => {
    using place = new LedgerPlace();
    const ledger = place.open();
    ledger.save(gap(1));
    ledger.pace('dial', start);
    ledger.close();
    inside(place.path, "UPDATE gaps SET channels = '[1, \"a\"]', reconciled = '?'; UPDATE paces SET moments = '{'");
    const reopened = place.open();
    expect(reopened.gapsSince(0)).toEqual([gap(1, { channels: ['a'], reconciled: null })]);
    expect(reopened.recall().paces.dial).toEqual([]);
  });
});

describe('while its file cannot be written', () => {
  it('goes on in memory, says so once, and writes what is missing at the first write after ten seconds', () => {
    using place = new LedgerPlace();
    const ledger = place.open();
    ledger.save(openGap(1));
    const other = new DatabaseSync(place.path);
    other.exec('BEGIN IMMEDIATE');
    ledger.save(gap(1));
    ledger.markHeard({ at: start + 1, clockOffsetMs: null, channels });
    ledger.pace('dial', start + 2);
    place.now += 10_000;
    ledger.save(gap(2));
    const locked = `${place.path} cannot be written: database is locked; the ledger goes on in memory`;
    expect(place.told).toEqual([locked]);
    expect(ledger.trouble).toBe(locked);
    expect(ids(ledger.gapsSince(0))).toEqual([1, 2]);
    other.close();
    place.now += 9_999;
    ledger.save(gap(3));
    expect(ids(readLedger(place.directory, 0, place.now)?.gaps ?? [])).toEqual([1]);
    place.now += 1;
    ledger.pace('token', start + 3);
    expect(place.told).toEqual([locked, null]);
    expect(ledger.trouble).toBeNull();
    const written = place.open();
    expect(written.gapsSince(0)).toEqual([gap(1), gap(2), gap(3)]);
    expect(written.recall()).toEqual(ledger.recall());
  });

  it('begins in memory, and writes all of it when the place is free', () => {
    using place = new LedgerPlace();
    writeFileSync(place.directory, 'a file where a directory should be');
    const ledger = place.open();
    expect(place.told).toEqual([
      expect.stringMatching(/^\S+ cannot be written: EEXIST.*the ledger goes on in memory$/),
    ]);
    ledger.save(gap(1));
    ledger.pace('dial', start);
    rmSync(place.directory);
    place.now += 10_000;
    ledger.markHeard({ at: start + 7, clockOffsetMs: null, channels });
    expect(place.told.slice(1)).toEqual([null]);
    const written = place.open();
    expect(written.recall()).toEqual({ ...ledger.recall(), beganAt: start });
    expect(written.gapsSince(0)).toEqual([gap(1)]);
  });

  it('tries once more when it is closed', () => {
    using place = new LedgerPlace();
    writeFileSync(place.directory, '');
    const ledger = place.open();
    ledger.save(gap(1));
    rmSync(place.directory);
    ledger.close();
    expect(place.told.at(-1)).toBeNull();
    expect(place.open().gapsSince(0)).toEqual([gap(1)]);
  });

  it('knows what the file says where it can still be read', () => {
    using place = new LedgerPlace();
    place.open().save(gap(1));
    const other = new DatabaseSync(place.path);
    other.exec('BEGIN IMMEDIATE');
    const ledger = place.open();
    expect(ledger.trouble).toContain('database is locked');
    expect(ledger.recall().lastId).toBe(1);
    ledger.save(gap(2));
    other.close();
    place.now += 10_000;
    ledger.save(gap(3));
    expect(ids(place.open().gapsSince(0))).toEqual([1, 2, 3]);
  });

  it('overwrites nothing of a file that it could not even read at the start', () => {
    using place = new LedgerPlace();
    for (const id of [1, 2]) place.open().save(gap(id));
    renameSync(place.directory, `${place.directory}-away`);
    writeFileSync(place.directory, '');
    const ledger = place.open();
    ledger.save(gap(1, { cause: 'connection-lost' }));
    rmSync(place.directory);
    renameSync(`${place.directory}-away`, place.directory);
    place.now += 10_000;
    ledger.save(gap(2, { cause: 'connection-lost' }));
    expect(ids(ledger.gapsSince(0))).toEqual([1, 2]);
    expect(
      place
        .open()
        .gapsSince(0)
        .map(({ id, cause }) => [id, cause]),
    ).toEqual([
      [1, 'half-open'],
      [2, 'half-open'],
      [3, 'connection-lost'],
      [4, 'connection-lost'],
    ]);
  });

  it('keeps all gaps, and the file whole, when there is no room', () => {
    using place = new LedgerPlace();
    const gaps = 3_000;
    const support = new URL('support/ledger-without-room.ts', import.meta.url).pathname;
    // RLIMIT_FSIZE: above 256 KiB a write fails as on a full disk.
    const run = ['-c', 'ulimit -f 256 && exec "$0" "$@"', process.execPath, support, place.directory, String(gaps)];
    const { told, kept } = JSON.parse(execFileSync('bash', run, { encoding: 'utf8' }));
    expect(told[0]).toMatch(/cannot be written: .*; the ledger goes on in memory$/);
    expect(kept).toBe(gaps);
    const ledger = place.open();
    const written = ledger.gapsSince(0);
    expect(place.told).toEqual([]);
    expect(written.length).toBeGreaterThan(0);
    expect(written).toEqual(range(written.length).map((id) => gap(id)));
  });

  it('begins a new file with all it knows when somebody moves it away', () => {
    using place = new LedgerPlace();
    const ledger = place.open();
    ledger.save(gap(1));
    ledger.pace('dial', start);
    rmSync(place.directory, { recursive: true });
    ledger.save(gap(2));
    expect(place.told).toEqual([]);
    const written = place.open();
    expect(written.gapsSince(0)).toEqual([gap(1), gap(2)]);
    expect(written.recall()).toEqual(ledger.recall());
  });
});

describe('a damaged file', () => {
  it('is set aside when it is opened, and a new one begun', () => {
    using place = new LedgerPlace();
    mkdirSync(place.directory);
    const rubbish = 'this was never a database. '.repeat(500);
    for (const seconds of [0, 1]) {
      writeFileSync(place.path, rubbish);
      const ledger = place.open();
      const aside = `${place.path}.corrupt-${start / 1_000 + seconds}`;
      expect(readFileSync(aside, 'utf8')).toBe(rubbish);
      expect(place.told).toEqual([
        `${place.path} is damaged (file is not a database): it is now ${aside}, and a new one is begun`,
        null,
      ]);
      place.told.length = 0;
      ledger.save(gap(1));
      ledger.close();
      const written = place.open();
      expect(written.gapsSince(0)).toEqual([gap(1)]);
      written.close();
    }
  });

  it('is found damaged by what is missing of it', () => {
    using place = new LedgerPlace();
    const ledger = place.open();
    for (const id of range(500)) ledger.save(gap(id));
    ledger.close();
    writeFileSync(place.path, readFileSync(place.path).subarray(0, 20_000));
    expect(place.open().trouble).toBeNull();
    expect(place.told).toEqual([expect.stringContaining('is damaged'), null]);
  });

  it('is set aside when it turns out at a write, and the new one has everything', () => {
    using place = new LedgerPlace();
    const ledger = place.open();
    for (const id of range(100)) ledger.save(gap(id));
    ledger.markHeard({ at: start, clockOffsetMs: null, channels });
    // Closing the last connection but one moves everything from the log of SQLite into the file itself.
    inside(place.path, 'PRAGMA wal_checkpoint(TRUNCATE)');
    writeFileSync(place.path, Buffer.alloc(statSync(place.path).size, 'x'), { flag: 'r+' });
    ledger.save(gap(101));
    place.now += 10_000;
    ledger.save(gap(102));
    expect(ledger.trouble).toBeNull();
    expect(place.told).toEqual([expect.stringContaining('is damaged'), null]);
    const written = place.open();
    expect(ids(written.gapsSince(0))).toEqual(range(102));
    expect(written.recall()).toEqual(ledger.recall());
    expect(readdirSync(place.directory)).toContain(`ledger.db.corrupt-${start / 1_000}`);
  });
});

it('leaves a file of a newer figd as it is', () => {
  using place = new LedgerPlace();
  place.open().close();
  inside(place.path, 'PRAGMA user_version = 2; PRAGMA wal_checkpoint(TRUNCATE)');
  const before = readFileSync(place.path);
  const ledger = place.open();
  ledger.save(gap(1));
  place.now += 10_000;
  ledger.save(gap(2));
  const why = 'a newer figd wrote it (schema 2, this one knows 1)';
  expect(place.told).toEqual([`${place.path} is left alone: ${why}; the ledger goes on in memory`]);
  expect(ids(ledger.gapsSince(0))).toEqual([1, 2]);
  expect(readFileSync(place.path)).toEqual(before);
  const unreadable = new LedgerUnreadableError(`${place.path} cannot be read: ${why}`);
  expect(() => readLedger(place.directory, 0, start)).toThrow(unreadable);
});

describe('without a daemon', () => {
  it('is read without writing anything', () => {
    using place = new LedgerPlace();
    expect(readLedger(place.directory, 0, start)).toBeNull();
    const ledger = place.open();
    ledger.save(gap(1));
    ledger.save(openGap(2));
    const report = { now: start + dayMs, beganAt: start, gaps: [gap(1), openGap(2)] };
    expect(readLedger(place.directory, 0, start + dayMs)).toEqual(report);
    ledger.close();
    expect(readLedger(place.directory, 0, start + dayMs)).toEqual(report);
    expect(readdirSync(place.directory)).toEqual(['ledger.db']);
  });

  it('tells the gap that is open since the daemon died', () => {
    using place = new LedgerPlace();
    const ledger = place.open();
    ledger.save(gap(1));
    ledger.markHeard({ at: start + 500_000, clockOffsetMs: 40.5, channels });
    const died = { ...openGap(2), cause: 'daemon-died', since: start + 500_000, clockOffsetMs: 40.5, channels };
    expect(readLedger(place.directory, start + dayMs, start + 2 * dayMs)?.gaps).toEqual([died]);
    expect(ledger.recall().lastId).toBe(1);
  });

  it('says why it cannot be read', () => {
    using place = new LedgerPlace();
    mkdirSync(place.path, { recursive: true });
    expect(() => readLedger(place.directory, 0, start)).toThrow(/ledger\.db cannot be read: /);
  });
});
