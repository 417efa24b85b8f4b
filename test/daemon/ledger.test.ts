import { beforeEach, describe, expect, test } from 'vitest';
import { Ledger } from '../../src/daemon/ledger.ts';
import { MemoryLedger } from '../../src/log/memory-ledger.ts';
import type { GapRecord } from '../../src/protocol/ledger.ts';
import type { GapMessage } from '../../src/protocol/local.ts';
import { epoch, TestClock } from './support/test-clock.ts';

const second = 1_000;
const hour = 3_600 * second;
const channels = ['rfq.maker', 'rfq.taker'];

let clock: TestClock;
let store: MemoryLedger;
let published: GapMessage[];
let settled: GapRecord[];
let ledger: Ledger;
/** Venue clock minus ours, as far as it is known. */
let offset: number | null;

/** A run of the daemon on what the store holds. */
function begin(): Ledger {
  published = [];
  settled = [];
  ledger = new Ledger({
    store,
    clock,
    clockOffset: () => offset,
    publish: (message) => published.push(message),
    onSettled: (gap) => settled.push(gap),
  });
  return ledger;
}

beforeEach(() => {
  clock = new TestClock();
  store = new MemoryLedger(epoch);
  offset = null;
  begin().adopt(channels);
});

const opened = (id: number, cause: string, since: number): GapMessage => ({
  phase: 'open',
  id,
  cause,
  since,
  channels,
});
const gap = (told: Partial<GapRecord>): GapRecord => ({
  id: 1,
  cause: 'connection-lost',
  since: epoch + 9 * second,
  until: null,
  blindMs: null,
  channels,
  clockOffsetMs: null,
  reconciled: null,
  ...told,
});

/** A gap from second 9 to second 15, noticed in second 10. */
async function loseAndHear(): Promise<void> {
  await clock.time.advance(10 * second);
  ledger.open('connection-lost', 9 * second, channels);
  await clock.time.advance(5 * second);
  ledger.end(clock.monotonic());
}

describe('a gap', () => {
  test('is published and saved when it is noticed, from the last proof of hearing on', async () => {
    await clock.time.advance(10 * second);
    ledger.open('connection-lost', 9 * second, channels);
    expect(published).toEqual([opened(1, 'connection-lost', epoch + 9 * second)]);
    expect(store.gap(1)).toEqual(gap({}));
    expect([ledger.unsettled, ledger.summary()]).toEqual([[], { open: 1, total: 1, blindMsTotal: second }]);
  });

  test('is one, whatever else fails while figd is blind', async () => {
    await clock.time.advance(10 * second);
    ledger.open('connection-lost', 9 * second, channels);
    ledger.open('daemon-stopped', 10 * second, channels);
    expect([published.length, store.gapsSince(0).length]).toEqual([1, 1]);
  });

  test('is over when the venue is heard, but not published as closed before it is settled', async () => {
    await loseAndHear();
    const ended = gap({ until: epoch + 15 * second, blindMs: 6 * second });
    expect([published.length, store.gap(1), ledger.unsettled]).toEqual([1, ended, [ended]]);
    expect(ledger.summary()).toEqual({ open: 1, total: 1, blindMsTotal: 6 * second });
  });

  test.each([true, false, 'not-attempted'] as const)('is settled once, as reconciled: %s', async (reconciled) => {
    await loseAndHear();
    await clock.time.advance(hour);
    ledger.settle(reconciled);
    ledger.settle(true);
    const over = gap({ until: epoch + 15 * second, blindMs: 6 * second, reconciled });
    expect(published.slice(1)).toEqual([
      { phase: 'closed', id: 1, until: epoch + 15 * second, blindMs: 6 * second, reconciled },
    ]);
    expect([store.gap(1), settled, ledger.unsettled]).toEqual([over, [over], []]);
    expect(ledger.summary()).toEqual({ open: 0, total: 1, blindMsTotal: 6 * second });
  });

  test('that is followed by another before it is settled is settled with it, the older one first', async () => {
    await loseAndHear();
    ledger.open('half-open', 15 * second, channels);
    expect(ledger.summary()).toEqual({ open: 2, total: 2, blindMsTotal: 6 * second });
    await clock.time.advance(second);
    ledger.end(clock.monotonic());
    expect(ledger.unsettled[0]?.id).toBe(1);
    ledger.settle(true);
    expect(published.map(({ phase, id }) => `${phase} ${id}`)).toEqual(['open 1', 'open 2', 'closed 1', 'closed 2']);
    expect(settled.map(({ id }) => id)).toEqual([1, 2]);
  });

  test('is left alone by a comparison that ends while figd is blind again', async () => {
    ledger.open('half-open', 0, channels);
    ledger.settle(true);
    expect([published.length, store.gap(1)?.reconciled]).toEqual([1, null]);
  });

  test('does not come of hearing the venue for the first time', () => {
    ledger.end(clock.monotonic());
    ledger.settle(true);
    expect([published, settled, store.gapsSince(0)]).toEqual([[], [], []]);
  });

  test.each([-hour, hour])('has a length that a step of the wall clock by %d ms does not bend', async (step) => {
    await clock.time.advance(10 * second);
    ledger.open('connection-lost', 9 * second, channels);
    clock.step(step);
    expect(ledger.summary().blindMsTotal).toBe(second);
    await clock.time.advance(5 * second);
    ledger.end(clock.monotonic());
    expect(store.gap(1)).toEqual(gap({ until: epoch + 15 * second + step, blindMs: 6 * second }));
  });

  test('has the time of a suspension in its length', async () => {
    ledger.open('half-open', 0, channels);
    clock.suspend(hour);
    clock.look();
    ledger.end(clock.monotonic());
    expect(store.gap(1)?.blindMs).toBe(hour);
  });

  test('tells how far the clock of the venue was from ours when it began, where that is known', () => {
    offset = -250;
    ledger.open('half-open', 0, channels);
    offset = 10;
    ledger.end(clock.monotonic());
    ledger.settle(true);
    expect(store.gap(1)).toMatchObject({ clockOffsetMs: -250, blindMs: 0 });
  });

  test('ends when the venue was heard again, where that is noticed later', async () => {
    await clock.time.advance(10 * second);
    ledger.open('half-open', 4 * second, channels);
    ledger.end(7 * second);
    expect(store.gap(1)).toMatchObject({
      since: epoch + 4 * second,
      until: epoch + 7 * second,
      blindMs: 3 * second,
    });
  });

  test('does not end before it begins: what both of two sessions brought was missed by none', async () => {
    await clock.time.advance(10 * second);
    ledger.open('half-open', 8 * second, channels);
    ledger.end(7 * second);
    expect(store.gap(1)).toMatchObject({ since: epoch + 8 * second, until: epoch + 8 * second, blindMs: 0 });
  });

  test('has the venue forgotten as heard, as the gap itself says since when', () => {
    store.markHeard(epoch, -250);
    ledger.open('half-open', 0, channels);
    expect([store.heardAt, store.heardClockOffsetMs]).toEqual([null, null]);
  });
});

describe('the next run, by the clock of the venue', () => {
  /** The venue's clock is 250 ms ahead of ours when the first run dies in second 5; the second is live in second 25. */
  async function dieAndComeBack(step: number): Promise<void> {
    await clock.time.advance(5 * second);
    store.markHeard(clock.wall(), 250);
    clock.step(step);
    await clock.time.advance(20 * second);
    begin().adopt(channels);
    ledger.end(clock.monotonic());
  }

  test.each([-hour, -15 * second, 0, hour])(
    'measures its downtime, though the wall clock was set by %d ms in it',
    async (step) => {
      await dieAndComeBack(step);
      offset = 250 - step;
      ledger.settle(true);
      const since = epoch + 5 * second;
      const until = epoch + 25 * second + step;
      const blindMs = 20 * second;
      const told = { cause: 'daemon-died', since, until, blindMs, clockOffsetMs: 250, reconciled: true };
      expect([store.gap(1), settled]).toEqual([gap(told), [gap(told)]]);
      expect(published).toEqual([
        opened(1, 'daemon-died', since),
        { phase: 'closed', id: 1, until, blindMs, reconciled: true },
      ]);
      expect(ledger.summary()).toEqual({ open: 0, total: 1, blindMsTotal: blindMs });
    },
  );

  test('measures it as well where the wall clock is set between its end and the settling', async () => {
    await dieAndComeBack(0);
    clock.step(hour);
    offset = 250 - hour;
    ledger.settle(true);
    expect(settled).toMatchObject([{ until: epoch + 25 * second, blindMs: 20 * second }]);
  });

  test('measures what a stop opened too', async () => {
    offset = 250;
    ledger.open('daemon-stopped', 0, channels);
    clock.step(-hour);
    await clock.time.advance(20 * second);
    offset = null;
    begin().adopt(channels);
    ledger.end(clock.monotonic());
    offset = 250 + hour;
    ledger.settle(true);
    expect(settled).toMatchObject([{ since: epoch, until: epoch - hour + 20 * second, blindMs: 20 * second }]);
  });

  test.each([-hour, hour])(
    'measures it where a run in between heard the venue again and died before it knew the time (step of %d ms)',
    async (step) => {
      await dieAndComeBack(step);
      // Nobody can say yet how long it was.
      expect(store.gap(1)).toMatchObject({ until: epoch + 25 * second + step, blindMs: null });
      await clock.time.advance(second);
      begin().adopt(channels);
      ledger.end(clock.monotonic());
      offset = 250 - step;
      ledger.settle(true);
      expect(settled).toMatchObject([{ id: 1, until: epoch + 25 * second + step, blindMs: 20 * second }]);
    },
  );

  test('leaves as it is what was over, and measured, before', async () => {
    offset = 250;
    await loseAndHear();
    clock.step(hour);
    begin().adopt(channels);
    offset = 250 - hour;
    ledger.settle(true);
    expect(settled).toMatchObject([{ id: 1, until: epoch + 15 * second, blindMs: 6 * second }]);
  });

  test.each([
    [null, 250],
    [250, null],
  ])('trusts the wall clock where the venue told no time: %s before and %s now', async (before, now) => {
    store.markHeard(clock.wall(), before);
    await clock.time.advance(20 * second);
    begin().adopt(channels);
    ledger.end(clock.monotonic());
    offset = now;
    ledger.settle(true);
    expect(settled).toMatchObject([{ blindMs: 20 * second, clockOffsetMs: before }]);
  });
});

describe('the next run', () => {
  test('after a death opens a gap from the moment the venue was last heard', async () => {
    store.markHeard(clock.wall(), offset);
    await clock.time.advance(20 * second);
    begin().adopt(channels);
    expect(published).toEqual([opened(1, 'daemon-died', epoch)]);
    expect([store.gap(1), store.heardAt]).toEqual([gap({ cause: 'daemon-died', since: epoch }), null]);
    await clock.time.advance(5 * second);
    expect(ledger.summary()).toEqual({ open: 1, total: 1, blindMsTotal: 25 * second });
    ledger.end(clock.monotonic());
    ledger.settle(true);
    expect(published[1]).toEqual({
      phase: 'closed',
      id: 1,
      until: epoch + 25 * second,
      blindMs: 25 * second,
      reconciled: true,
    });
  });

  test('after a stop goes on with the gap that the stop opened, under its number', async () => {
    await loseAndHear();
    ledger.settle(true);
    ledger.open('daemon-stopped', 15 * second, channels);
    await clock.time.advance(30 * second);
    begin().adopt(channels);
    expect(published).toEqual([opened(2, 'daemon-stopped', epoch + 15 * second)]);
    expect(ledger.summary()).toEqual({ open: 1, total: 1, blindMsTotal: 30 * second });
    ledger.end(clock.monotonic());
    expect(store.gap(2)).toMatchObject({ until: epoch + 45 * second, blindMs: 30 * second });
  });

  test('takes over what was over and not settled, and opens a gap for its own downtime', async () => {
    await loseAndHear();
    store.markHeard(clock.wall(), offset);
    await clock.time.advance(10 * second);
    begin().adopt(channels);
    expect(published).toEqual([
      opened(1, 'connection-lost', epoch + 9 * second),
      opened(2, 'daemon-died', epoch + 15 * second),
    ]);
    expect(ledger.unsettled[0]?.id).toBe(1);
    ledger.end(clock.monotonic());
    ledger.settle('not-attempted');
    expect(settled.map(({ id, reconciled }) => [id, reconciled])).toEqual([
      [1, 'not-attempted'],
      [2, 'not-attempted'],
    ]);
  });

  test('after a death in a gap goes on with that gap, and opens no second one', async () => {
    ledger.open('connection-lost', 0, channels);
    await clock.time.advance(10 * second);
    begin().adopt(channels);
    expect(published).toEqual([opened(1, 'connection-lost', epoch)]);
  });

  test('after one that was never live, or has nothing left to settle, begins with no gap', async () => {
    await loseAndHear();
    ledger.settle(true);
    begin().adopt(channels);
    expect([published, ledger.summary()]).toEqual([[], { open: 0, total: 0, blindMsTotal: 0 }]);
  });

  test('gives its gaps numbers of their own', async () => {
    await loseAndHear();
    ledger.settle(true);
    begin().adopt(channels);
    ledger.open('half-open', 15 * second, channels);
    expect(published.map(({ id }) => id)).toEqual([2]);
  });

  test('has no gap that lasts less than nothing, though the wall clock was set back meanwhile', () => {
    store.markHeard(clock.wall(), offset);
    clock.step(-hour);
    begin().adopt(channels);
    expect(published).toEqual([opened(1, 'daemon-died', epoch)]);
    clock.step(-hour);
    expect(ledger.summary().blindMsTotal).toBe(0);
    ledger.end(clock.monotonic());
    expect(store.gap(1)?.blindMs).toBe(0);
  });
});
