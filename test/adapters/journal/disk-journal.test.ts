import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { DirectoryTakenError, DiskJournal } from '../../../src/adapters/journal/disk-journal.ts';
import type { Block } from '../../../src/log/journal.ts';
import { line } from '../../log/support.ts';
import { until } from '../../support/until.ts';
import { gap } from '../support/ledger.ts';

/** A directory with the journals that were opened in it. */
class Place implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'figd-disk-'));
  readonly directory = join(this.root, 'state');
  readonly told: (string | null)[] = [];
  readonly #opened: DiskJournal[] = [];

  now = 0;

  async open(): Promise<DiskJournal> {
    const journal = await DiskJournal.open({
      directory: this.directory,
      retainFor: 1e15,
      retainBytes: 1e15,
      now: () => this.now + performance.now(),
      onTrouble: (message) => this.told.push(message),
    });
    this.#opened.push(journal);
    return journal;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map((journal) => journal.close(0)));
    rmSync(this.root, { recursive: true });
  }
}

function block(first: number, last: number): Block {
  const lines = Array.from({ length: last - first + 1 }, (_, index) => line(first + index, 'rfq.maker', '{}')).join('');
  const shared = new SharedArrayBuffer(lines.length + 7);
  Buffer.from(shared, 7).write(lines);
  return { first, last, bytes: Buffer.from(shared, 7, lines.length) };
}

const all = (epoch: string, from: number) => ({ epoch, from, channels: ['*'], maxBytes: 1e6 });

it.concurrent('has the memory of what was read given back at once when it is not read any more', async () => {
  await using place = new Place();
  const journal = await place.open();
  const { epoch } = journal.numbers;
  journal.numbers.raise(1);
  await journal.write({ epoch, hole: null, blocks: [block(1, 5), block(6, 9)] });
  const batch = await journal.read(all(epoch, 3));
  const lines = Buffer.concat(batch?.chunks ?? []).toString();
  batch?.release?.();
  expect(lines).toBe(block(3, 9).bytes.toString());
  expect(batch?.chunks.map(({ buffer }) => (buffer as ArrayBuffer).detached)).toEqual([true, true]);
  batch?.release?.();
});

it.concurrent('gives back in the next run what was written in this one, and goes on right behind it', async () => {
  await using place = new Place();
  const first = await place.open();
  const { epoch } = first.numbers;
  expect(first.numbers.raise(1).epoch).toBe(epoch);
  expect(await first.write({ epoch, hole: null, blocks: [block(1, 5), block(6, 9)] })).toBe(true);
  expect([first.oldest(epoch), first.oldest('other'), first.bytes > 0]).toEqual([1, null, true]);
  await first.close(9);
  expect(readdirSync(place.directory).sort()).toEqual(['journal.db', 'ledger.db', 'lock', 'sequence']);
  const second = await place.open();
  expect([second.numbers.epoch, second.numbers.first, second.numbers.isContinuous]).toEqual([epoch, 10, true]);
  const batch = await second.read(all(epoch, 4));
  expect(Buffer.concat(batch?.chunks ?? []).toString()).toBe(block(4, 9).bytes.toString());
  expect([second.oldest(epoch), await second.read(all(epoch, 10))]).toEqual([1, null]);
  expect(place.told).toEqual([]);
});

/** A run that gave nine numbers, and wrote five events. @returns its epoch */
async function leaveUnwritten(place: Place): Promise<string> {
  const first = await place.open();
  const { epoch } = first.numbers;
  await first.write({ epoch, hole: null, blocks: [block(1, 5)] });
  await first.close(9);
  return epoch;
}

it.concurrent('writes down what a clean stop left unwritten, and says so to those who ask', async () => {
  await using place = new Place();
  const epoch = await leaveUnwritten(place);
  const second = await place.open();
  expect(await second.read(all(epoch, 6))).toMatchObject({ lost: { from: 6, to: 9, reason: 'unwritten' }, next: 10 });
});

it.concurrent('writes what the run before left under the epoch of that run, though another one is in use by then', async () => {
  await using place = new Place();
  const epoch = await leaveUnwritten(place);
  const holder = new DatabaseSync(place.path('journal.db'));
  holder.exec('BEGIN IMMEDIATE');
  const second = await place.open();
  holder.close();
  vi.spyOn(second.numbers, 'epoch', 'get').mockReturnValue('later');
  expect(await second.write({ epoch: 'later', hole: null, blocks: [block(1, 5)] })).toBe(true);
  expect(Buffer.concat((await second.read(all('later', 1)))?.chunks ?? [])).toEqual(block(1, 5).bytes);
  expect(await second.read(all(epoch, 6))).toMatchObject({ lost: { from: 6, to: 9, reason: 'unwritten' }, next: 10 });
});

it('outlives its thread: what was written can be read, what comes is written, and the ledger is complete', async () => {
  await using place = new Place();
  const workers: Worker[] = [];
  const note = (worker: Worker) => workers.push(worker);
  process.on('worker', note);
  const first = await place.open();
  const { epoch } = first.numbers;
  await first.write({ epoch, hole: null, blocks: [block(1, 5)] });
  first.ledger.save(gap(1));
  place.now += 60_000;
  await workers[0]?.terminate();
  first.ledger.save(gap(2));
  first.ledger.pace('dial', 5);
  first.ledger.markHeard({ at: 7, clockOffsetMs: null, channels: [] });
  const batch = await first.read(all(epoch, 1));
  expect(Buffer.concat(batch?.chunks ?? []).toString()).toBe(block(1, 5).bytes.toString());
  expect(await first.write({ epoch, hole: null, blocks: [block(1, 9)] })).toBe(true);
  expect(place.told).toEqual([expect.stringContaining("the journal's thread ended"), null]);
  await expect(place.open()).rejects.toThrow(DirectoryTakenError);
  await first.close(9);
  process.off('worker', note);
  const second = await place.open();
  expect([second.numbers.epoch, second.numbers.first, second.numbers.isContinuous]).toEqual([epoch, 10, true]);
  expect((await second.read(all(epoch, 1)))?.next).toBe(10);
  expect(second.ledger.gapsSince(0)).toEqual([gap(1), gap(2)]);
  expect(second.ledger.recall()).toMatchObject({ heard: { at: 7 }, paces: { dial: [5], token: [] } });
});

it.concurrent('lets nobody else use its directory while it does', async () => {
  await using place = new Place();
  const first = await place.open();
  await expect(place.open()).rejects.toThrow(DirectoryTakenError);
  await first.close(0);
  await place.open();
});

it.concurrent('takes a directory whose lock was overwritten, and keeps others out of it', async () => {
  await using place = new Place();
  mkdirSync(place.directory);
  writeFileSync(place.path('lock'), 'x'.repeat(5_000));
  await place.open();
  await expect(place.open()).rejects.toThrow(DirectoryTakenError);
});

it.concurrent('begins a new epoch where the journal was found damaged, and keeps the damaged one', async () => {
  await using place = new Place();
  const first = await place.open();
  await first.close(0);
  writeFileSync(place.path('journal.db'), 'x'.repeat(50_000));
  const second = await place.open();
  expect(second.numbers.epoch).not.toBe(first.numbers.epoch);
  expect(readdirSync(place.directory)).toContainEqual(expect.stringMatching(/^journal\.db\.corrupt-\d+$/));
  expect(await second.write({ epoch: second.numbers.epoch, hole: null, blocks: [block(1, 1)] })).toBe(true);
  expect(second.trouble).toBeNull();
});

it.concurrent('keeps its trouble until something is written: what can be read does not end it', async () => {
  await using place = new Place();
  mkdirSync(place.path('journal.db'), { recursive: true });
  const journal = await place.open();
  const { epoch } = journal.numbers;
  expect(await journal.write({ epoch, hole: null, blocks: [block(1, 1)] })).toBe(false);
  expect(await journal.read(all(epoch, 1))).toBeNull();
  expect(journal.trouble).toMatch(/journal\.db cannot be used/);
  rmSync(place.path('journal.db'), { recursive: true });
  expect(await journal.read(all(epoch, 1))).toBeNull();
  expect(journal.trouble).toMatch(/journal\.db cannot be used/);
  expect(await journal.write({ epoch, hole: null, blocks: [block(1, 1)] })).toBe(true);
  expect([journal.trouble, place.told.length]).toEqual([null, 2]);
});

it.concurrent('begins a new file where another one was put in its place, and makes the sequence file again with its directory', async () => {
  await using place = new Place();
  const journal = await place.open();
  const { epoch } = journal.numbers;
  await journal.write({ epoch, hole: null, blocks: [block(1, 1)] });
  writeFileSync(place.path('another'), '');
  renameSync(place.path('another'), place.path('journal.db'));
  expect(await journal.write({ epoch, hole: null, blocks: [block(2, 2)] })).toBe(true);
  expect(journal.oldest(epoch)).toBe(2);
  rmSync(place.directory, { recursive: true });
  expect(await journal.write({ epoch, hole: null, blocks: [block(3, 3)] })).toBe(true);
  await until('the sequence file', () => readdirSync(place.directory).includes('sequence'));
  await expect(place.open()).rejects.toThrow(DirectoryTakenError);
  await journal.close(3);
  const next = await place.open();
  expect([next.numbers.epoch, next.numbers.first]).toEqual([epoch, 4]);
});

it.concurrent('keeps no more than it is told to while it runs, over a file that has to be begun anew as well', async () => {
  await using place = new Place();
  const journal = await place.open();
  const { epoch } = journal.numbers;
  journal.numbers.raise(1);
  await journal.write({ epoch, hole: null, blocks: [block(1, 5)] });
  expect(journal.oldest(epoch)).toBe(1);
  journal.retain({ retainFor: 1e15, retainBytes: 1 });
  await journal.write({ epoch, hole: null, blocks: [block(6, 9)] });
  expect(journal.oldest(epoch)).toBeNull();
  renameSync(place.path('journal.db'), place.path('moved'));
  await journal.write({ epoch, hole: null, blocks: [block(10, 12)] });
  await journal.write({ epoch, hole: null, blocks: [block(13, 14)] });
  expect(journal.oldest(epoch)).toBeNull();
});
