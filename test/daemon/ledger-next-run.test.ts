import { beforeEach, describe, expect, test } from 'vitest';
import { channels, gap, LedgerStage, opened } from './support/ledger-stage.ts';
import { epoch } from './support/test-clock.ts';

const second = 1_000;
const hour = 3_600 * second;

let stage: LedgerStage;
beforeEach(() => {
  stage = new LedgerStage();
});

describe('the next run, by the clock of the venue', () => {
  /** The venue's clock is 250 ms ahead of ours when the first run dies in second 5; the second is live in second 25. */
  async function dieAndComeBack(step: number): Promise<void> {
    await stage.pass(5 * second);
    stage.store.markHeard({ at: stage.clock.wall(), clockOffsetMs: 250, channels });
    stage.clock.step(step);
    await stage.pass(20 * second);
    stage.begin();
    stage.hear();
  }

  test.each([-hour, -15 * second, 0, hour])(
    'measures its downtime, though the wall clock was set by %d ms in it',
    async (step) => {
      await dieAndComeBack(step);
      stage.offset = 250 - step;
      stage.ledger.settle(true);
      const since = epoch + 5 * second;
      const until = epoch + 25 * second + step;
      const blindMs = 20 * second;
      const told = { cause: 'daemon-died', since, until, blindMs, clockOffsetMs: 250, reconciled: true };
      expect([stage.store.gap(1), stage.settled]).toEqual([gap(told), [gap(told)]]);
      expect(stage.published).toEqual([
        opened(1, 'daemon-died', since),
        { phase: 'closed', id: 1, until, blindMs, reconciled: true },
      ]);
      expect(stage.ledger.summary()).toEqual({ open: 0, total: 1, blindMsTotal: blindMs });
    },
  );

  test('measures it as well where the wall clock is set between its end and the settling', async () => {
    await dieAndComeBack(0);
    stage.clock.step(hour);
    stage.offset = 250 - hour;
    stage.ledger.settle(true);
    expect(stage.settled).toMatchObject([{ until: epoch + 25 * second, blindMs: 20 * second }]);
  });

  test('measures what a stop opened too', async () => {
    stage.offset = 250;
    stage.open('daemon-stopped', 0);
    stage.clock.step(-hour);
    await stage.pass(20 * second);
    stage.offset = null;
    stage.begin();
    stage.hear();
    stage.offset = 250 + hour;
    stage.ledger.settle(true);
    expect(stage.settled).toMatchObject([{ since: epoch, until: epoch - hour + 20 * second, blindMs: 20 * second }]);
  });

  test.each([-hour, hour])(
    'measures it where a run in between heard the venue again and died before it knew the time (step of %d ms)',
    async (step) => {
      await dieAndComeBack(step);
      // Nobody can say yet how long it was.
      expect(stage.store.gap(1)).toMatchObject({ until: epoch + 25 * second + step, blindMs: null });
      await stage.pass(second);
      stage.begin();
      stage.hear();
      stage.offset = 250 - step;
      stage.ledger.settle(true);
      expect(stage.settled).toMatchObject([
        { id: 1, until: epoch + 25 * second + step, blindMs: 20 * second },
        { id: 2, cause: 'daemon-died', blindMs: second },
      ]);
    },
  );

  test('leaves as it is what was over, and measured, before', async () => {
    stage.offset = 250;
    await stage.loseAndHear();
    stage.clock.step(hour);
    stage.begin();
    stage.offset = 250 - hour;
    stage.ledger.settle(true);
    expect(stage.settled).toMatchObject([{ id: 1, until: epoch + 15 * second, blindMs: 6 * second }]);
  });

  test.each([
    [null, 250],
    [250, null],
  ])('trusts the wall clock where the venue told no time: %s before and %s now', async (before, now) => {
    stage.store.markHeard({ at: stage.clock.wall(), clockOffsetMs: before, channels });
    await stage.pass(20 * second);
    stage.begin();
    stage.hear();
    stage.offset = now;
    stage.ledger.settle(true);
    expect(stage.settled).toMatchObject([{ blindMs: 20 * second, clockOffsetMs: before }]);
  });
});

describe('the next run', () => {
  test('after a death opens a gap from the moment the venue was last heard', async () => {
    stage.store.markHeard({ at: stage.clock.wall(), clockOffsetMs: stage.offset, channels });
    await stage.pass(20 * second);
    stage.begin();
    expect(stage.published).toEqual([opened(1, 'daemon-died', epoch)]);
    expect([stage.store.gap(1), stage.store.heard]).toEqual([gap({ cause: 'daemon-died', since: epoch }), null]);
    await stage.pass(5 * second);
    expect(stage.ledger.summary()).toEqual({ open: 1, total: 1, blindMsTotal: 25 * second });
    stage.hear();
    stage.ledger.settle(true);
    expect(stage.published[1]).toEqual({
      phase: 'closed',
      id: 1,
      until: epoch + 25 * second,
      blindMs: 25 * second,
      reconciled: true,
    });
  });

  test('after a stop goes on with the gap that the stop opened, under its number', async () => {
    await stage.loseAndHear();
    stage.ledger.settle(true);
    stage.open('daemon-stopped', 15 * second);
    await stage.pass(30 * second);
    stage.begin();
    expect(stage.published).toEqual([opened(2, 'daemon-stopped', epoch + 15 * second)]);
    expect(stage.ledger.summary()).toEqual({ open: 1, total: 1, blindMsTotal: 30 * second });
    stage.hear();
    expect(stage.store.gap(2)).toMatchObject({ until: epoch + 45 * second, blindMs: 30 * second });
  });

  test('takes over what was over and not stage.settled, and opens a gap for its own downtime', async () => {
    await stage.loseAndHear();
    stage.store.markHeard({ at: stage.clock.wall(), clockOffsetMs: stage.offset, channels });
    await stage.pass(10 * second);
    stage.begin();
    expect(stage.published).toEqual([
      opened(1, 'connection-lost', epoch + 9 * second),
      opened(2, 'daemon-died', epoch + 15 * second),
    ]);
    expect(stage.unsettled[0]?.id).toBe(1);
    stage.hear();
    stage.ledger.settle('not-attempted');
    expect(stage.settled.map(({ id, reconciled }) => [id, reconciled])).toEqual([
      [1, 'not-attempted'],
      [2, 'not-attempted'],
    ]);
  });

  test('after a death in a gap goes on with that gap, and opens no second one', async () => {
    stage.open('connection-lost', 0);
    await stage.pass(10 * second);
    stage.begin();
    expect(stage.published).toEqual([opened(1, 'connection-lost', epoch)]);
  });

  test('after one that was never live begins with no gap', () => {
    stage.begin();
    expect([stage.published, stage.ledger.summary()]).toEqual([[], { open: 0, total: 0, blindMsTotal: 0 }]);
  });

  test('gives its gaps numbers of their own', async () => {
    await stage.loseAndHear();
    stage.ledger.settle(true);
    stage.begin();
    stage.open('half-open', 15 * second);
    expect(stage.published.map(({ id }) => id)).toEqual([2]);
  });

  test('has no gap that lasts less than nothing, though the wall clock was set back meanwhile', () => {
    stage.store.markHeard({ at: stage.clock.wall(), clockOffsetMs: stage.offset, channels });
    stage.clock.step(-hour);
    stage.begin();
    expect(stage.published).toEqual([opened(1, 'daemon-died', epoch)]);
    stage.clock.step(-hour);
    expect(stage.ledger.summary().blindMsTotal).toBe(0);
    stage.hear();
    expect(stage.store.gap(1)?.blindMs).toBe(0);
  });

  test('takes the channels of the mark and its own for missed: what was written last may be older than the last reload', async () => {
    stage.store.markHeard({ at: stage.clock.wall(), clockOffsetMs: null, channels: ['rfq.maker'] });
    stage.begin(['rfq.taker']);
    expect(stage.published).toMatchObject([{ cause: 'daemon-died', channels: ['rfq.maker', 'rfq.taker'] }]);
  });

  test('goes on with the older of two gaps in which nothing was heard, and settles both', async () => {
    stage.store.save(gap({}));
    stage.store.save(gap({ id: 2 }));
    stage.begin();
    stage.hear();
    stage.ledger.settle(true);
    expect(stage.store.recall().unfinished).toEqual([]);
  });
});
