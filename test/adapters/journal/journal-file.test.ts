import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type FileBatch, JournalFile, type Retention } from '../../../src/adapters/journal/journal-file.ts';
import { DamagedFileError } from '../../../src/adapters/sqlite-file.ts';
import { patternTest } from '../../../src/log/patterns.ts';
import { line } from '../../log/support.ts';

const forever: Retention = { retainFor: 1e15, retainBytes: 1e15 };
const now = 1_795_334_400_000;

/** A journal in a directory of its own. */
class Place implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'figd-journal-'));
  readonly path = join(this.root, 'journal.db');
  readonly #opened: JournalFile[] = [];

  open(retention: Partial<Retention> = {}): JournalFile {
    const file = JournalFile.open(this.path, { ...forever, ...retention });
    this.#opened.push(file);
    return file;
  }

  inside(sql: string): void {
    const database = new DatabaseSync(this.path);
    database.exec(sql);
    database.close();
  }

  [Symbol.dispose](): void {
    for (const file of this.#opened) file.close();
    rmSync(this.root, { recursive: true });
  }
}

/** Neighbouring lines, each received so many milliseconds after `now` as its number says. */
function block(first: number, last: number, { channel = 'rfq.maker', size = 10 } = {}) {
  const lines = Array.from({ length: last - first + 1 }, (_, index) =>
    line(first + index, channel, JSON.stringify('x'.repeat(size)), `${now + first + index}.000`),
  );
  return { first, last, lines: Buffer.from(lines.join('')) };
}

const textOf = (batch: FileBatch | null) => Buffer.concat(batch?.chunks ?? []).toString('utf8');
const seqsOf = (batch: FileBatch | null) =>
  textOf(batch)
    .split('\n')
    .slice(0, -1)
    .map((text): number => JSON.parse(text).params.seq);

it('gives back what was written, byte for byte, from any number on', () => {
  using place = new Place();
  const file = place.open();
  const blocks = [block(1, 3), block(4, 4), block(5, 9)];
  file.write('e1', null, blocks, now);
  expect(textOf(file.read('e1', 1, ['*'], 1e6))).toBe(blocks.map(({ lines }) => lines).join(''));
  expect(file.read('e1', 6, ['*'], 1)).toMatchObject({ next: 10, lost: null });
  expect(seqsOf(file.read('e1', 6, ['*'], 1))).toEqual([6, 7, 8, 9]);
  expect(seqsOf(file.read('e1', 1, ['*'], 1))).toEqual([1, 2, 3]);
  expect([file.read('e1', 10, ['*'], 1), file.read('e2', 1, ['*'], 1)]).toEqual([null, null]);
  expect([file.last('e1'), file.last('e2'), file.figures('e1').oldest]).toEqual([9, 0, 1]);
});

it('leaves out what it has already, as where the answer to a write was lost', () => {
  using place = new Place();
  const file = place.open();
  file.write('e1', null, [block(1, 3), block(4, 6)], now);
  file.write('e1', { from: 1, to: 3, reason: 'unwritten' }, [block(4, 8)], now);
  file.write('e1', null, [block(2, 7)], now);
  file.write('e1', { from: 9, to: 11, reason: 'unwritten' }, [block(12, 12)], now);
  expect(seqsOf(file.read('e1', 1, ['*'], 1e6))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(file.read('e1', 9, ['*'], 1e6)).toMatchObject({ lost: { from: 9, to: 11, reason: 'unwritten' }, next: 13 });
});

it('finds bytes that somebody changed, which SQLite does not', () => {
  using place = new Place();
  place.open().write('e1', null, [block(1, 3), block(4, 6)], now);
  place.inside(`UPDATE blocks SET lines = CAST(replace(CAST(lines AS TEXT), 'xx', 'xy') AS BLOB) WHERE last_seq = 6`);
  const file = place.open();
  expect(seqsOf(file.read('e1', 1, ['*'], 1))).toEqual([1, 2, 3]);
  expect(() => file.read('e1', 4, ['*'], 1)).toThrow(
    new DamagedFileError('the block that ends with event 6 has been changed'),
  );
});

it('finds the first event of a moment', () => {
  using place = new Place();
  const file = place.open();
  file.write('e1', null, [block(1, 3), block(4, 8)], now);
  expect([0, now + 1, now + 2.5, now + 4, now + 8, now + 8.5].map((since) => file.firstSince('e1', since))).toEqual([
    1,
    1,
    3,
    4,
    8,
    null,
  ]);
});

it('lets the oldest go by age and by size, in steps, and tells those who ask for them', () => {
  using place = new Place();
  const aged = place.open({ retainFor: 1_000 });
  aged.write('e1', null, [block(1, 3), block(4, 8)], now);
  aged.tidy(now + 1_003.5);
  expect([aged.figures('e1').oldest, aged.last('e1')]).toEqual([4, 8]);
  expect(aged.read('e1', 2, ['*'], 1)).toMatchObject({ lost: { from: 2, to: 3, reason: 'expired' }, next: 9 });
  aged.tidy(now + 2_000);
  expect([aged.figures('e1').oldest, aged.read('e1', 2, ['*'], 1)]).toEqual([null, null]);

  const retainBytes = 2_000_000;
  const sized = place.open({ retainBytes });
  let most = 0;
  for (let seq = 1; seq <= 400; seq += 1) {
    sized.write('e2', null, [block(seq, seq, { size: 20_000 })], now);
    most = Math.max(most, sized.figures('e2').bytes);
  }
  expect(most).toBeLessThan(1.1 * retainBytes);
  expect(sized.last('e2')).toBe(400);
  expect(sized.figures('e2').oldest).toBeGreaterThan(1);
});

it('keeps as much as it is told to, also when it is told later', () => {
  using place = new Place();
  const file = place.open();
  file.write('e1', null, [block(1, 3), block(4, 8)], now);
  file.retain({ ...forever, retainFor: 1_000 });
  file.tidy(now + 1_003.5);
  expect(file.figures('e1').oldest).toBe(4);
});

it('can be read with sqlite3', (context) => {
  try {
    execFileSync('sqlite3', ['--version']);
  } catch {
    context.skip('there is no sqlite3');
  }
  using place = new Place();
  place.open().write('e1', null, [block(1, 2), block(3, 3, { channel: 'figd.state' })], now);
  const sql = 'SELECT epoch, seq, channel, received_at, session, message FROM events WHERE seq > 1';
  expect(execFileSync('sqlite3', ['-readonly', place.path, sql], { encoding: 'utf8' })).toBe(
    `e1|2|rfq.maker|${now + 2}.0|1|"xxxxxxxxxx"\ne1|3|figd.state|${now + 3}.0|1|"xxxxxxxxxx"\n`,
  );
});

/** What is written, in order, and what is asked for in between. */
const writes = fc.array(
  fc.record({
    skip: fc.option(fc.integer({ min: 1, max: 40 }), { freq: 5, nil: 0 }),
    isTold: fc.boolean(),
    blocks: fc.array(
      fc.record({
        count: fc.integer({ min: 1, max: 12 }),
        channel: fc.constantFrom('rfq.maker', 'a', 'figd.gap', 'ü"\\'),
        size: fc.nat({ max: 3_000 }),
      }),
      { maxLength: 6 },
    ),
    tidy: fc.option(fc.nat({ max: 200 }), { freq: 8, nil: null }),
  }),
  { maxLength: 15 },
);
const patterns = fc.constantFrom(['*'], ['rfq.*'], ['a', 'ü*'], ['nothing']);

it('gives a reader each event it wants once, in order, or tells it is lost, whatever was written and let go', () => {
  fc.assert(
    fc.property(
      writes,
      patterns,
      fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1 }),
      (all, wanted, sizes) => {
        using place = new Place();
        const file = place.open({ retainFor: 1_000 });
        const kept = new Map<number, string>();
        const holes: [number, number][] = [];
        let head = 0;
        for (const { skip, isTold, blocks, tidy } of all) {
          const hole = isTold && skip > 0 ? ({ from: head + 1, to: head + skip, reason: 'crash' } as const) : null;
          if (hole !== null) holes.push([hole.from, hole.to]);
          head += skip;
          const written = blocks.map(({ count, channel, size }) => {
            const made = block(head + 1, head + count, {
              channel: JSON.stringify(channel).slice(1, -1).replace('ü', '\\u00fc'),
              size,
            });
            for (const text of made.lines.toString('utf8').split('\n').slice(0, -1)) {
              head += 1;
              kept.set(head, text);
            }
            return made;
          });
          file.write('e1', hole, written, now);
          if (tidy !== null) file.tidy(now + 1_000 + tidy);
        }
        const oldest = file.figures('e1').oldest ?? head + 1;
        const wants = patternTest(wanted) ?? (() => true);
        const got: string[] = [];
        const lost = new Set<number>();
        let position = 1;
        for (let turn = 0; ; turn += 1) {
          const batch = file.read('e1', position, wanted, sizes[turn % sizes.length] ?? 1);
          if (batch === null) break;
          expect(batch.next).toBeGreaterThan(position);
          for (let seq = batch.lost?.from ?? 1; seq <= (batch.lost?.to ?? 0); seq += 1) {
            expect(kept.has(seq) && seq >= oldest).toBe(false);
            lost.add(seq);
          }
          const part = textOf(batch);
          expect(part.length).toBeGreaterThanOrEqual(batch.chunks.length);
          got.push(...part.split('\n').slice(0, -1));
          position = batch.next;
        }
        const expected = [...kept].filter(([seq, text]) => seq >= oldest && wants(JSON.parse(text).params.channel));
        expect(got).toEqual(expected.map(([, text]) => text));
        for (let seq = 1; seq < position; seq += 1)
          expect(lost.has(seq) || (kept.has(seq) && seq >= oldest)).toBe(true);
        for (const [from, to] of holes) if (from >= oldest) expect(lost.has(from) && lost.has(to)).toBe(true);
      },
    ),
    { numRuns: 40 },
  );
});
