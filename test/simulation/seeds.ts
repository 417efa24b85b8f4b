import { expect, test } from 'vitest';
import { playSeed } from './run.ts';

const files = 4;
const seedsOfAll = 200;
const hours = 24;

/**
 * A quarter of the seeds that each run of the tests plays, in a file of its own so that they share the cores. Thousands
 * more on demand: `npm run simulation`.
 */
export function promisesKept(file: number): void {
  const each = seedsOfAll / files;
  const seeds = Array.from({ length: each }, (_, index) => (file - 1) * each + index + 1);
  test(`${each} days of trouble, seeds ${seeds[0]} to ${seeds.at(-1)}: every promise is kept`, async () => {
    const broken: string[] = [];
    for (const seed of seeds) {
      for (const { invariant, detail } of (await playSeed(seed, hours)).violations) {
        broken.push(`seed ${seed}: ${invariant}: ${detail} (npm run simulation -- --seed ${seed})`);
      }
    }
    expect(broken).toEqual([]);
  }, 900_000);
}
