import { afterEach, beforeEach, expect, test } from 'vitest';
import { quietMoment } from '../../src/daemon/quiet-moment.ts';
import type { CuttingTime } from '../../src/machines/session.events.ts';
import { settle } from '../machines/support/virtual-time.ts';
import { TestClock } from './support/test-clock.ts';

const second = 1_000;
let clock: TestClock;
let waiting: AbortController;
let open: number | null;
beforeEach(() => {
  clock = new TestClock();
  waiting = new AbortController();
  open = 3;
});
afterEach(() => {
  waiting.abort();
  clock.time.expectNoTimers();
});

/** Looks for a quiet moment; `at` is when it was found, null while it was not. */
function look(time: CuttingTime) {
  const seen: { at: number | null; found: number | null | undefined; looks: number[] } = {
    at: null,
    found: undefined,
    looks: [],
  };
  const openRfqs = () => {
    seen.looks.push(clock.monotonic());
    return open;
  };
  void quietMoment(clock, openRfqs, time, waiting.signal).then((found) => {
    seen.found = found;
    seen.at = clock.monotonic();
  });
  return seen;
}

test('a moment without an open RFQ is found at once', async () => {
  open = 0;
  const seen = look({ from: 0, until: 60 * second });
  await settle();
  expect(seen).toEqual({ at: 0, found: 0, looks: [0] });
});

test('it is looked for every second', async () => {
  const seen = look({ from: 0, until: 60 * second });
  await clock.time.advance(2_900);
  open = 0;
  await clock.time.advance(100);
  expect(seen).toEqual({ at: 3_000, found: 0, looks: [0, 1_000, 2_000, 3_000] });
});

test('it is not looked for before its time', async () => {
  open = 0;
  const seen = look({ from: 10 * second, until: 20 * second });
  await clock.time.advance(10 * second - 1);
  expect(seen.looks).toEqual([]);
  await clock.time.advance(1);
  expect(seen).toEqual({ at: 10 * second, found: 0, looks: [10 * second] });
});

test.each([2, null])('at the latest moment the waiting ends, with %s RFQs open', async (count) => {
  open = count;
  const seen = look({ from: 0, until: 10 * second + 100 });
  await clock.time.advance(10 * second + 99);
  expect(seen.at).toBeNull();
  await clock.time.advance(1);
  expect([seen.at, seen.found, seen.looks.at(-1)]).toEqual([10 * second + 100, count, 10 * second + 100]);
});

test('without an end, and nobody knows when it would be, nothing is waited for', async () => {
  open = 0;
  const seen = look({ from: Number.POSITIVE_INFINITY, until: null });
  await clock.time.advance(3_600 * second);
  expect([seen, clock.time.timers()]).toEqual([{ at: null, found: undefined, looks: [] }, 0]);
});

test('a latest moment beyond the longest timer is waited for', async () => {
  const days = 86_400 * second;
  const seen = look({ from: 60 * days, until: 60 * days + second });
  open = 0;
  await clock.time.advance(60 * days - 1);
  expect(seen.at).toBeNull();
  await clock.time.advance(1);
  expect(seen.at).toBe(60 * days);
});

test('where the session moves on, the waiting is over and leaves no timer', async () => {
  const seen = look({ from: 0, until: 60 * second });
  await clock.time.advance(second);
  waiting.abort();
  clock.time.expectNoTimers();
  open = 0;
  await clock.time.advance(60 * second);
  expect(seen.at).toBeNull();
});
