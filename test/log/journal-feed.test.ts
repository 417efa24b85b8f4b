import { createClock } from '@sinonjs/fake-timers';
import { expect, it } from 'vitest';
import { EventLog } from '../../src/log/event-log.ts';
import { JournalFeed } from '../../src/log/journal-feed.ts';
import { passingNumbers } from '../../src/log/numbers.ts';
import { within } from '../support/until.ts';
import { SlowJournal } from './support/slow-journal.ts';

function stage(ringBytes = 1_048_576) {
  const journal = new SlowJournal();
  const clock = createClock();
  const turn: (() => void)[] = [];
  const log = new EventLog({
    numbers: passingNumbers('e1'),
    journal,
    ringBytes,
    schedule: (run) => turn.push(run),
  });
  const feed = new JournalFeed({ log, journal, clock });
  /** Appends so many events, and ends the turn. */
  const add = (count: number, size = 10) => {
    const message = Buffer.from(JSON.stringify('x'.repeat(size)));
    for (let left = count; left > 0; left -= 1) {
      log.append({ channel: 'a', message, receivedAt: 5, session: 1 });
    }
    for (const run of turn.splice(0)) run();
  };
  const settle = async (isGood = true) => {
    journal.settle(isGood);
    await new Promise(setImmediate);
  };
  /** What is asked to be written, as numbers. */
  const asked = () =>
    journal.entries.map(({ hole, blocks }) => ({ hole, from: blocks[0]?.first, to: blocks.at(-1)?.last }));
  return { journal, clock, log, feed, add, settle, asked };
}

it('waits 50 ms for more, and not at all once there are 512', () => {
  const { clock, add, asked } = stage();
  add(1);
  clock.tick(49);
  add(5);
  expect(asked()).toEqual([]);
  clock.tick(1);
  expect(asked()).toEqual([{ hole: null, from: 1, to: 6 }]);
  const other = stage();
  other.add(513);
  expect(other.asked()).toEqual([{ hole: null, from: 1, to: 513 }]);
});

it('has one entry under way, and hands over the rest behind it', async () => {
  const { clock, feed, add, settle, asked } = stage();
  add(600);
  add(3);
  clock.tick(1_000);
  expect(asked()).toEqual([{ hole: null, from: 1, to: 600 }]);
  await settle();
  expect(feed.written).toBe(600);
  clock.tick(50);
  expect(asked()).toEqual([{ hole: null, from: 601, to: 603 }]);
});

it('tries again every second while the disk refuses, and tells of what left the memory meanwhile', async () => {
  const { clock, feed, log, add, settle, asked, journal } = stage(262_144);
  add(10, 1_000);
  clock.tick(50);
  await settle(false);
  for (let burst = 0; burst < 10; burst += 1) add(60, 1_000);
  clock.tick(999);
  expect([asked(), feed.written]).toEqual([[], 0]);
  clock.tick(1);
  const { oldestHeld } = log;
  expect(oldestHeld).toBeGreaterThan(100);
  const hole = { from: 1, to: oldestHeld - 1 };
  expect(asked()).toEqual([{ hole, from: oldestHeld, to: expect.any(Number) }]);
  await settle();
  clock.tick(50);
  await settle();
  expect([feed.written, journal.holes]).toEqual([610, [{ epoch: 'e1', from: 1, to: oldestHeld - 1 }]]);
});

it('offers a disk that refuses one block at a time, and all the rest once it takes that', async () => {
  const { clock, feed, add, settle, journal } = stage();
  const offered = () => journal.entries.map(({ blocks }) => blocks.reduce((sum, { bytes }) => sum + bytes.length, 0));
  add(600, 1_000);
  expect(offered()[0]).toBeGreaterThan(500_000);
  for (let second = 0; second < 3; second += 1) {
    await settle(false);
    clock.tick(1_000);
    expect(offered()).toHaveLength(1);
    expect(offered()[0]).toBeLessThanOrEqual(65_536);
  }
  await settle();
  expect(feed.written).toBeGreaterThan(10);
  clock.tick(50);
  await settle();
  expect(feed.written).toBe(600);
});

it('writes what is left when it stops, and what is under way before that', async () => {
  const { feed, add, settle, journal } = stage();
  add(600);
  add(4);
  const stopped = feed.stop();
  await settle();
  await settle();
  await within('the stop', stopped);
  expect([feed.written, journal.lines.get('e1')?.size]).toEqual([604, 604]);
});

it('stops though the disk hangs, after three seconds, and holds on to what is under way', async () => {
  const { clock, feed, add, log } = stage();
  add(600);
  const stopped = feed.stop();
  await clock.tickAsync(3_000);
  await within('the stop', stopped);
  expect([feed.written, log.head]).toEqual([0, 600]);
});

it('stops though the disk refuses', async () => {
  const { feed, add, settle } = stage();
  add(4);
  const stopped = feed.stop();
  await new Promise(setImmediate);
  await settle(false);
  await within('the stop', stopped);
  expect(feed.written).toBe(0);
});
