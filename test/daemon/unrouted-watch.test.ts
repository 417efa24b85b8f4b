import { expect, test } from 'vitest';
import { UnroutedWatch } from '../../src/daemon/unrouted-watch.ts';

test('tells how many frames without a channel have come, once a minute at most', () => {
  let now = 0;
  const told: number[] = [];
  const watch = new UnroutedWatch(
    () => now,
    (frames) => told.push(frames),
  );
  const look = (at: number, frames: number) => {
    now = at;
    watch.look(frames);
  };
  look(0, 0);
  expect(told).toEqual([]);
  look(1_000, 1);
  look(2_000, 4);
  look(60_999, 5);
  expect(told).toEqual([1]);
  look(61_000, 5);
  look(200_000, 5);
  expect(told).toEqual([1, 4]);
});
