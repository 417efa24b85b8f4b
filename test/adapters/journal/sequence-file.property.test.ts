import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { SequenceFile } from '../../../src/adapters/journal/sequence-file.ts';
import type { Disk } from './support/disk.ts';

const { disk } = vi.hoisted(() => ({ disk: {} as { current: Disk } }));

vi.mock('node:fs', async (original) => {
  const { Disk } = await import('./support/disk.ts');
  disk.current = new Disk();
  return disk.current.wrap(await original());
});

/** What happens to a daemon and its disk, in any order. */
type Plain = 'turn' | 'restore' | 'land' | 'complete' | 'stop' | 'kill' | 'break' | 'mend' | 'remove';
type Step =
  | { readonly do: 'give'; readonly count: number }
  | { readonly do: Plain }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'power loss'; readonly pick: readonly [number, number] }
  | { readonly do: 'garbage'; readonly record: number; readonly bytes: string };

const simple = (...names: Plain[]) => fc.constantFrom(...names).map((name): Step => ({ do: name }));
const often = fc.oneof(
  fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 200_000 })).map((count): Step => ({ do: 'give', count })),
  simple('turn', 'turn', 'land', 'complete'),
  fc.nat({ max: 2_000 }).map((ms): Step => ({ do: 'wait', ms })),
);
const seldom = fc.oneof(
  simple('restore', 'stop', 'kill', 'kill', 'break', 'mend', 'mend', 'remove'),
  fc.constant<Step>({ do: 'wait', ms: 20_000 }),
  fc.tuple(fc.nat({ max: 1_000 }), fc.nat({ max: 1_000 })).map((pick): Step => ({ do: 'power loss', pick })),
  fc
    .record({ record: fc.nat({ max: 1 }), bytes: fc.string({ minLength: 1, maxLength: 600 }) })
    .map(({ record, bytes }): Step => ({ do: 'garbage', record, bytes })),
);
const steps = fc.array(fc.oneof({ weight: 8, arbitrary: often }, { weight: 2, arbitrary: seldom }), {
  maxLength: 80,
  size: 'max',
});

/** As far ahead as one step of the process goes, and the mark for the loss of power. */
const mostAhead = 2 * 65_536;
const mostFar = 2 * 1_048_576 + mostAhead;

/** Daemons, one after the other, over one directory: they note every number that they give. */
class Runs implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'figd-sequence-'));
  readonly path = join(this.#directory, 'sequence');
  /** The highest number given, by epoch. */
  readonly given = new Map<string, number>();
  readonly #starts = new Map<string, { readonly first: number; readonly boot: number }>();
  now = 100_000;
  #boot = 1;
  #epochs = 0;
  #numbers: SequenceFile | null = null;
  #epoch = '';
  #ceiling = 0;
  #head = 0;

  do(step: Step): void {
    const numbers = this.#numbers ?? this.#start();
    switch (step.do) {
      case 'give':
        this.#give(numbers, step.count);
        break;
      case 'turn':
        this.#ceiling = numbers.used(this.#head);
        break;
      case 'wait':
        this.now += step.ms;
        break;
      case 'stop':
        numbers.close(this.#head);
        this.#numbers = null;
        break;
      case 'kill':
        this.#numbers = null;
        break;
      case 'power loss':
        this.#losePower(step.pick);
        break;
      case 'garbage':
        this.#overwrite(step.record, step.bytes);
        break;
      case 'remove':
        rmSync(this.path, { force: true });
        break;
      case 'restore':
        numbers.restore();
        break;
      case 'break':
        disk.current.isBroken = true;
        break;
      case 'mend':
        disk.current.isBroken = false;
        break;
      case 'land':
        disk.current.land();
        break;
      case 'complete':
        disk.current.complete();
        break;
    }
  }

  [Symbol.dispose](): void {
    disk.current.isBroken = false;
    rmSync(this.#directory, { recursive: true });
  }

  #start(): SequenceFile {
    const numbers = SequenceFile.open(
      {
        path: this.path,
        boot: `boot ${this.#boot}`,
        now: () => this.now,
        isOurs: () => true,
        newEpoch: () => {
          this.#epochs += 1;
          return `e${this.#epochs}`;
        },
        onTrouble: () => undefined,
      },
      this.given.get(this.#epochIn()) ?? 0,
    );
    const before = this.given.get(numbers.epoch) ?? 0;
    expect(numbers.first, 'the first number').toBeGreaterThan(before);
    this.#epoch = numbers.epoch;
    const earlier = this.#starts.get(this.#epoch) ?? { first: 1, boot: this.#boot };
    const skipped = numbers.first - Math.max(before + 1, earlier.first);
    expect(skipped).toBeLessThan(earlier.boot === this.#boot ? mostAhead : mostFar);
    this.#starts.set(this.#epoch, { first: numbers.first, boot: this.#boot });
    this.#numbers = numbers;
    this.#head = numbers.first - 1;
    this.#ceiling = 0;
    return numbers;
  }

  #epochIn(): string {
    try {
      return JSON.parse(readFileSync(this.path, 'latin1').slice(0, 512)).epoch;
    } catch {
      return '';
    }
  }

  /** As the log does. */
  #give(numbers: SequenceFile, count: number): void {
    for (let left = count; left > 0; ) {
      if (this.#head >= this.#ceiling) this.#raise(numbers);
      const taken = Math.min(left, this.#ceiling - this.#head);
      const from = this.#head + 1;
      expect(from, `in epoch ${this.#epoch}`).toBeGreaterThan(this.given.get(this.#epoch) ?? 0);
      this.#head += taken;
      left -= taken;
      this.given.set(this.#epoch, this.#head);
    }
  }

  #raise(numbers: SequenceFile): void {
    const { epoch, ceiling } = numbers.raise(this.#head + 1);
    if (epoch !== this.#epoch) this.#head = 0;
    this.#epoch = epoch;
    if (!this.#starts.has(epoch)) this.#starts.set(epoch, { first: 1, boot: this.#boot });
    this.#ceiling = ceiling;
    expect(ceiling).toBeGreaterThan(this.#head);
  }

  /** Of each sector there is what was synced last, or something that was written later. */
  #losePower(pick: readonly [number, number]): void {
    const { sectors, synced } = disk.current;
    const kept = ([0, 1] as const).map((record) => {
      const later = sectors[record].slice(synced[record]);
      return later[pick[record] % Math.max(1, later.length)];
    });
    if (kept.every((sector) => sector !== undefined)) writeFileSync(this.path, Buffer.concat(kept));
    this.#boot += 1;
    this.#numbers = null;
    this.#start();
  }

  #overwrite(record: number, bytes: string): void {
    this.#numbers = null;
    try {
      const content = readFileSync(this.path);
      content.write(bytes, record * 512, 512, 'latin1');
      writeFileSync(this.path, content);
    } catch {
      // There is none.
    }
  }
}

it('never gives a number again in the same epoch, whatever is killed, lost or broken, and skips a bounded range', () => {
  fc.assert(
    fc.property(steps, (all) => {
      using runs = new Runs();
      for (const step of all) runs.do(step);
    }),
    { numRuns: Number(process.env['FIGD_TEST_SEQUENCES'] ?? 150) },
  );
});
