import { beforeEach, describe, expect, test } from 'vitest';
import { ClockWatch, type TimeJump } from '../../src/daemon/clock-watch.ts';
import { TestClock } from './support/test-clock.ts';

const second = 1_000;
let clock: TestClock;
let jumps: TimeJump[];
let watch: ClockWatch;
beforeEach(() => {
  clock = new TestClock();
  jumps = [];
  watch = new ClockWatch(clock, second, (jump) => jumps.push(jump));
});

/** Looks every second, as the daemon does. */
async function lookFor(seconds: number): Promise<void> {
  for (let times = 0; times < seconds; times++) {
    await clock.time.advance(second);
    watch.tick();
  }
}

describe('a look', () => {
  test('sees nothing while time goes on as it should', async () => {
    await lookFor(60);
    expect([jumps, watch.awaySince(null)]).toEqual([[], null]);
  });

  test('takes being late by half a second for a busy event loop, and by more for an absence', async () => {
    await lookFor(1);
    clock.stall(1.5 * second);
    watch.look();
    expect(jumps).toEqual([]);
    clock.stall(1.5 * second + 1);
    watch.look();
    expect(jumps).toEqual([{ kind: 'stall', ms: 1.5 * second + 1 }]);
  });

  test('tells a host that slept from a process that did not run', async () => {
    clock.suspend(600 * second);
    watch.look();
    clock.stall(30 * second);
    watch.look();
    expect(jumps).toEqual([
      { kind: 'suspend', ms: 600 * second },
      { kind: 'stall', ms: 30 * second },
    ]);
  });

  test('tells by how much somebody set the wall clock, and takes that for no absence', async () => {
    await lookFor(1);
    clock.step(-3_600 * second);
    await lookFor(2);
    clock.step(250);
    await lookFor(2);
    expect([jumps, watch.awaySince(null)]).toEqual([
      [
        { kind: 'step', ms: -3_600 * second },
        { kind: 'step', ms: 250 },
      ],
      null,
    ]);
  });

  test('tells both where the wall clock was set during a sleep', () => {
    clock.suspend(60 * second);
    clock.step(5 * second);
    watch.look();
    expect(jumps).toEqual([
      { kind: 'step', ms: 5 * second },
      { kind: 'suspend', ms: 60 * second },
    ]);
  });

  test('in between, because a session has ended, is not taken for an absence', async () => {
    await clock.time.advance(400);
    watch.look();
    await clock.time.advance(600);
    watch.look();
    expect(jumps).toEqual([]);
  });
});

describe('a look in between does not hide', () => {
  beforeEach(async () => {
    await lookFor(1);
    await clock.time.advance(400);
    watch.look();
  });

  test('a stall that makes the next regular one late', () => {
    clock.stall(1_101);
    watch.tick();
    expect([jumps, watch.awaySince(null)]).toEqual([[{ kind: 'stall', ms: 1_101 }], 1_400]);
  });

  test('a sleep from which figd is back before that', async () => {
    clock.suspend(550);
    watch.look();
    await clock.time.advance(600);
    watch.tick();
    expect([jumps, watch.awaySince(null)]).toEqual([[{ kind: 'suspend', ms: 550 }], 1_400]);
  });
});

describe('an absence', () => {
  beforeEach(async () => {
    await lookFor(5);
    clock.stall(60 * second);
    watch.look();
  });

  test('began when figd looked last before it', () => {
    expect(watch.awaySince(null)).toBe(5 * second);
  });

  test('is not bridged by a heartbeat that left before figd was back', () => {
    expect([watch.awaySince(4 * second), watch.awaySince(65 * second - 1)]).toEqual([5 * second, 5 * second]);
  });

  test('is over once a heartbeat was answered that left after it', () => {
    expect(watch.awaySince(65 * second)).toBeNull();
  });

  test('that follows another is the one that counts', async () => {
    await lookFor(3);
    clock.suspend(10 * second);
    watch.look();
    expect(watch.awaySince(66 * second)).toBe(68 * second);
  });
});
