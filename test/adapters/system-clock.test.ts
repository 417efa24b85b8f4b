import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/system-clock.ts';

function host() {
  const now = { running: 1_000, sinceBoot: 50_000, unix: 1_795_000_000_000 };
  const clock = systemClock({
    running: () => now.running,
    sinceBoot: () => now.sinceBoot,
    unix: () => now.unix,
  });
  const run = (ms: number) => {
    now.running += ms;
    now.sinceBoot += ms;
    now.unix += ms;
  };
  return { clock, now, run };
}

test('nothing happened: nothing is told, however often one looks', () => {
  const { clock, run } = host();
  for (let looks = 0; looks < 100; looks += 1) {
    run(1_000);
    expect(clock.look()).toEqual({ suspendedMs: 0, steppedMs: 0 });
  }
  expect(clock.monotonic()).toBe(101_000);
});

test('a suspended host: monotonic time moves on by as much, and the wall clock was not set', () => {
  const { clock, now, run } = host();
  run(1_000);
  now.sinceBoot += 60_000;
  now.unix += 60_000;
  expect(clock.monotonic()).toBe(2_000);
  expect(clock.look()).toEqual({ suspendedMs: 60_000, steppedMs: 0 });
  expect(clock.monotonic()).toBe(62_000);
});

test.each([-90_000, 90_000])('a wall clock that was set by %d ms: monotonic time does not care', (ms) => {
  const { clock, now, run } = host();
  run(1_000);
  now.unix += ms;
  expect(clock.look()).toEqual({ suspendedMs: 0, steppedMs: ms });
  expect([clock.monotonic(), clock.wall()]).toEqual([2_000, 1_795_000_001_000 + ms]);
});

test('both at once are told apart', () => {
  const { clock, now, run } = host();
  run(1_000);
  now.sinceBoot += 10_000;
  now.unix += 10_000 - 3_600_000;
  expect(clock.look()).toEqual({ suspendedMs: 10_000, steppedMs: -3_600_000 });
});

test('readings that are a little apart are noise', () => {
  const { clock, now, run } = host();
  run(1_000);
  now.sinceBoot += 120;
  now.unix -= 90;
  expect(clock.look()).toEqual({ suspendedMs: 0, steppedMs: 0 });
});

test('the clock of this host runs, in both ways', () => {
  const clock = systemClock();
  const before = clock.monotonic();
  expect(Math.abs(clock.wall() - Date.now())).toBeLessThan(50);
  expect(clock.look().suspendedMs).toBe(0);
  expect(clock.monotonic()).toBeGreaterThanOrEqual(before);
});
