import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SequenceFile } from '../../../src/adapters/journal/sequence-file.ts';
import { readSequence } from '../../../src/adapters/journal/sequence-record.ts';
import { until } from '../../support/until.ts';

/** A directory with a clock and a boot that tests set. */
class Place implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'figd-sequence-'));
  readonly path = join(this.root, 'sequence');
  readonly told: (string | null)[] = [];
  now = 50_000;
  boot = 'boot 1';
  isOurs = true;
  #epochs = 0;

  open(last: number | null = 0): SequenceFile {
    return SequenceFile.open(
      {
        path: this.path,
        boot: this.boot,
        now: () => this.now,
        isOurs: () => this.isOurs,
        newEpoch: () => {
          this.#epochs += 1;
          return `e${this.#epochs}`;
        },
        onTrouble: (message) => this.told.push(message),
      },
      last,
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

const given = ({ epoch, first, isContinuous }: SequenceFile) => ({ epoch, first, isContinuous });

it('begins a new epoch where there is no file, and goes on after a stop without a hole', () => {
  using place = new Place();
  const numbers = place.open();
  expect(given(numbers)).toEqual({ epoch: 'e1', first: 1, isContinuous: false });
  expect(numbers.raise(1)).toEqual({ epoch: 'e1', ceiling: 65 });
  numbers.close(7);
  expect(given(place.open(7))).toEqual({ epoch: 'e1', first: 8, isContinuous: true });
  expect(place.told).toEqual([]);
});

it('is not continuous where the journal lacks something of the run before', () => {
  using place = new Place();
  place.open().close(7);
  expect(given(place.open(5))).toEqual({ epoch: 'e1', first: 8, isContinuous: false });
});

it('skips what a killed process may have given, and no more than that', () => {
  using place = new Place();
  const numbers = place.open();
  const { ceiling } = numbers.raise(1);
  expect(given(place.open(3))).toEqual({ epoch: 'e1', first: ceiling + 1, isContinuous: false });
});

it('skips up to the mark on the disk when the host was started anew, unless it was closed', () => {
  using place = new Place();
  const numbers = place.open();
  numbers.raise(1);
  place.boot = 'boot 2';
  expect(place.open(1).first).toBe(1_048_577);
  place.boot = '';
  expect(place.open(1).first).toBe(2 * 1_048_576 + 1);
  place.boot = 'boot 3';
  place.open(1).close(5_000_000);
  place.boot = 'boot 4';
  expect(place.open(1).first).toBe(5_000_001);
});

it.each([
  ['the journal was found damaged', (_: Place) => null],
  ['the journal is ahead, for an older copy of the file was put back', () => 66],
  ['a record is damaged', ({ path }: Place) => overwrite(path, 512)],
  ['the other record is damaged', ({ path }: Place) => overwrite(path, 0)],
  ['it is cut off', ({ path }: Place) => writeFileSync(path, readFileSync(path).subarray(0, 512)) ?? 0],
  ['it is empty', ({ path }: Place) => writeFileSync(path, '') ?? 0],
  ['it is gone', ({ path }: Place) => rmSync(path) ?? 0],
])('begins a new epoch where %s', (_why, prepare) => {
  using place = new Place();
  place.open().raise(1);
  const last = prepare(place);
  expect(given(place.open(last))).toEqual({ epoch: 'e2', first: 1, isContinuous: false });
});

function overwrite(path: string, at: number): number {
  const bytes = readFileSync(path);
  bytes.write('garbage', at);
  writeFileSync(path, bytes);
  return 0;
}

it('writes ahead of need once half of a step is used, so that nobody waits', async () => {
  using place = new Place();
  const numbers = place.open();
  expect(numbers.raise(1).ceiling).toBe(65);
  expect(numbers.used(20)).toBe(65);
  expect(numbers.used(50)).toBe(65);
  const ceiling = await until('a higher ceiling', () => {
    const now = numbers.used(50);
    return now > 65 && now;
  });
  expect(readSequence(place.path)?.ceiling).toBeGreaterThanOrEqual(ceiling);
  numbers.close(50);
});

it('takes larger steps while numbers go fast, and small ones again later', () => {
  using place = new Place();
  const numbers = place.open();
  let head = 0;
  const step = (ms: number) => {
    place.now += ms;
    const { ceiling } = numbers.raise(head + 1);
    const length = ceiling - head - 1;
    head = ceiling;
    return length;
  };
  expect([step(0), step(10), step(10), step(100)]).toEqual([64, 128, 256, 256]);
  expect(Math.max(...Array.from({ length: 20 }, () => step(1)))).toBe(65_536);
  expect(Math.min(...Array.from({ length: 20 }, () => step(1_000)))).toBe(64);
  numbers.close(head);
});

it('goes on in a new epoch where the file cannot be made, and keeps that one once it can', () => {
  using place = new Place();
  mkdirSync(`${place.path}.new`);
  const numbers = place.open();
  expect(place.told).toEqual([expect.stringMatching(/sequence cannot be written: .*EISDIR/)]);
  expect(numbers.raise(1)).toEqual({ epoch: numbers.epoch, ceiling: Number.MAX_SAFE_INTEGER });
  place.now += 1_000;
  expect(numbers.used(40)).toBe(Number.MAX_SAFE_INTEGER);
  rmSync(`${place.path}.new`, { recursive: true });
  expect(numbers.used(41)).toBe(Number.MAX_SAFE_INTEGER);
  place.now += 1_000;
  expect(numbers.used(42)).toBe(42);
  expect(place.told.at(-1)).toBeNull();
  const { epoch, ceiling } = numbers.raise(43);
  expect([epoch, ceiling]).toEqual([numbers.epoch, 107]);
  expect(given(place.open())).toEqual({ epoch: numbers.epoch, first: 108, isContinuous: false });
});

it('gives no number of the epoch after it was closed: the file may be that of another process by then', () => {
  using place = new Place();
  const numbers = place.open();
  numbers.raise(1);
  numbers.close(5);
  const { ino } = statSync(place.path);
  expect(numbers.used(5)).toBe(5);
  place.now += 60_000;
  expect(numbers.used(6)).toBe(6);
  expect(numbers.raise(6)).toEqual({ epoch: 'e2', ceiling: Number.MAX_SAFE_INTEGER });
  expect([statSync(place.path).ino, readSequence(place.path)?.ceiling]).toEqual([ino, 5]);
});

it('can be read by people', () => {
  using place = new Place();
  place.open().close(7);
  const [first, second] = readFileSync(place.path, 'latin1').trimEnd().split('\n');
  expect(JSON.parse(first ?? '')).toMatchObject({ epoch: 'e1', ceiling: 7, closed: true });
  expect(JSON.parse(second ?? '')).toMatchObject({ epoch: 'e1', ceiling: 0, closed: false });
  expect((statSync(place.path).mode & 0o777).toString(8)).toBe('640');
});

it('makes its file again where the directory was removed, without a number given twice', () => {
  using place = new Place();
  const numbers = place.open();
  const { ceiling } = numbers.raise(1);
  rmSync(place.path);
  numbers.restore();
  expect(given(place.open())).toEqual({ epoch: 'e1', first: ceiling + 1, isContinuous: false });
  const { ino } = statSync(place.path);
  numbers.restore();
  expect(statSync(place.path).ino).toBe(ino);
});

it('keeps to the file it has where that cannot be made again: the next start begins a new epoch', () => {
  using place = new Place();
  const numbers = place.open();
  numbers.raise(1);
  rmSync(place.path);
  mkdirSync(`${place.path}.new`);
  numbers.restore();
  expect(numbers.raise(66).epoch).toBe('e1');
  rmSync(`${place.path}.new`, { recursive: true });
  expect(given(place.open())).toEqual({ epoch: 'e2', first: 1, isContinuous: false });
});

it('makes no file in a directory that is not locked: it might be that of another daemon', () => {
  using place = new Place();
  place.open().close(5);
  const before = readFileSync(place.path);
  place.isOurs = false;
  const numbers = place.open();
  expect([numbers.first, place.told]).toEqual([1, [expect.stringMatching(/its directory cannot be locked/)]]);
  place.now += 1_000;
  expect(numbers.used(3)).toBe(Number.MAX_SAFE_INTEGER);
  expect(readFileSync(place.path)).toEqual(before);
  place.isOurs = true;
  expect(numbers.used(4)).toBe(4);
  expect(readSequence(place.path)?.epoch).toBe(numbers.epoch);
});
