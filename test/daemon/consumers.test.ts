import { describe, expect, it } from 'vitest';
import { consumersReport, shownPatterns } from '../../src/daemon/consumers.ts';
import { Cursor } from '../../src/log/cursor.ts';
import { EventLog } from '../../src/log/event-log.ts';
import { JournalFeed } from '../../src/log/journal-feed.ts';
import { passingNumbers } from '../../src/log/numbers.ts';
import { SlowJournal } from '../log/support/slow-journal.ts';
import { epoch, TestClock } from './support/test-clock.ts';

const second = 1_000;

/** A log of which one event a second comes, over a journal that has the first of them. */
class Stage {
  readonly clock = new TestClock();
  readonly journal = new SlowJournal();
  readonly log = new EventLog({
    numbers: passingNumbers('e1'),
    journal: this.journal,
    ringBytes: 300_000,
    schedule: (run) => queueMicrotask(run),
  });
  readonly #feed = new JournalFeed({ log: this.log, journal: this.journal, clock: this.clock });

  async add(count: number): Promise<void> {
    for (let made = 0; made < count; made += 1) {
      const message = Buffer.from(JSON.stringify('x'.repeat(60_000)));
      this.log.append({ channel: 'rfq.maker', message, receivedAt: this.clock.wall(), session: 1 });
      await this.clock.time.advance(second);
      while (this.journal.waiting > 0) {
        this.journal.settle();
        await this.clock.time.advance(0);
      }
    }
  }

  async report(...positions: readonly (number | 'now')[]) {
    const subscribers = positions.map((from, index) => ({
      id: index + 1,
      connectedAt: epoch,
      bufferedBytes: 10 * index,
      cursor: Cursor.open(this.log, { from: from === 'now' ? from : { epoch: 'e1', seq: from } })[0],
    }));
    const { log, clock } = this;
    const report = consumersReport({ log, clock, maxConsumers: 16, subscribers });
    await this.clock.time.advance(0);
    while (this.journal.waiting > 0) {
      this.journal.settle();
      await this.clock.time.advance(0);
    }
    await this.#feed.stop();
    return report;
  }
}

it('tells where each reads, how far behind, and how old what it gets next is: from memory and from disk', async () => {
  const stage = new Stage();
  await stage.add(10);
  const { oldestHeld } = stage.log;
  expect(oldestHeld).toBeGreaterThan(5);
  const row = { channels: ['*'], connectedAt: epoch };
  expect(await stage.report('now', 9, 2)).toEqual({
    now: epoch + 10 * second,
    head: 10,
    maxConsumers: 16,
    consumers: [
      { ...row, id: 1, bufferedBytes: 0, position: 11, lag: 0, reads: 'new', behindMs: 0 },
      { ...row, id: 2, bufferedBytes: 10, position: 9, lag: 2, reads: 'memory', behindMs: 2 * second },
      { ...row, id: 3, bufferedBytes: 20, position: 2, lag: 9, reads: 'disk', behindMs: 9 * second },
    ],
  });
});

it('does not know the age of what is lost', async () => {
  const stage = new Stage();
  await stage.add(10);
  stage.journal.lines.get('e1')?.delete(2);
  stage.journal.holes.push({ epoch: 'e1', from: 2, to: 2 });
  expect((await stage.report(2)).consumers).toMatchObject([{ lag: 9, reads: 'disk', behindMs: null }]);
});

it('knows nothing of anybody where nobody reads', async () => {
  const stage = new Stage();
  expect(await stage.report()).toEqual({ now: epoch, head: 0, maxConsumers: 16, consumers: [] });
});

describe('the patterns of a consumer', () => {
  it('are shown as they are', () => {
    expect(shownPatterns(['rfq.*', 'x'.repeat(64)])).toEqual(['rfq.*', 'x'.repeat(64)]);
  });

  it('are shown in part where they would fill the status', () => {
    const shown = shownPatterns(Array.from({ length: 256 }, () => 'x'.repeat(256)));
    expect(shown).toEqual([...Array.from({ length: 16 }, () => `${'x'.repeat(63)}…`), '… and 240 more']);
  });
});
