import { beforeEach, describe, expect, test } from 'vitest';
import { LedgerStage, opened } from './support/ledger-stage.ts';
import { epoch } from './support/test-clock.ts';

const second = 1_000;
const maker = 'rfq.maker';
const taker = 'rfq.taker';
const cause = 'channels-refused';

let stage: LedgerStage;
beforeEach(() => {
  stage = new LedgerStage();
});

const phases = () => stage.published.map(({ phase, id }) => `${phase} ${id}`);

describe('a channel that is not heard while others are', () => {
  test('is a gap of its own, told once', async () => {
    await stage.pass(10 * second);
    expect([stage.miss([taker], 9 * second), stage.miss([taker], 9 * second)]).toEqual([false, false]);
    expect(stage.published).toEqual([opened(1, cause, epoch + 9 * second, [taker])]);
    expect(stage.store.gap(1)).toMatchObject({ cause, channels: [taker], until: null });
    expect(stage.ledger.summary()).toEqual({ open: 1, total: 1, blindMsTotal: 0 });
    expect(stage.ledger.outstanding.map(({ id }) => id)).toEqual([1]);
  });

  test('leaves it known that the venue is heard: a death is a gap of its own', async () => {
    stage.hear();
    stage.miss([taker]);
    expect(stage.store.heard?.at).toBe(epoch);
  });

  test('is over when it is heard, each for itself', async () => {
    stage.miss([maker, taker]);
    await stage.pass(5 * second);
    expect(stage.miss([taker])).toBe(true);
    expect(stage.unsettled).toMatchObject([{ id: 1, until: epoch + 5 * second, blindMs: 5 * second }]);
    await stage.pass(5 * second);
    expect(stage.miss([])).toBe(true);
    stage.ledger.settle(true);
    expect(stage.settled).toMatchObject([
      { id: 1, channels: [maker], blindMs: 5 * second, reconciled: true },
      { id: 2, channels: [taker], blindMs: 10 * second, reconciled: true },
    ]);
    expect(stage.ledger.summary()).toEqual({ open: 0, total: 2, blindMsTotal: 0 });
  });

  test('goes on through the loss of the session, whose gap lies in it', async () => {
    stage.miss([taker]);
    await stage.pass(10 * second);
    stage.open('half-open', 8 * second);
    await stage.pass(5 * second);
    stage.hear();
    stage.miss([taker]);
    stage.ledger.settle(true);
    expect(phases()).toEqual(['open 1', 'open 2', 'closed 2']);
    await stage.pass(5 * second);
    stage.miss([]);
    stage.ledger.settle(true);
    expect(stage.settled).toMatchObject([
      { id: 2, blindMs: 7 * second },
      { id: 1, blindMs: 20 * second },
    ]);
    expect(stage.ledger.summary().blindMsTotal).toBe(7 * second);
  });

  test('is missed no more when nobody wants it, and compared all the same', async () => {
    stage.miss([taker]);
    await stage.pass(second);
    expect([stage.ledger.forgetUnwanted([maker, taker]), stage.ledger.forgetUnwanted([maker])]).toEqual([false, true]);
    expect(stage.unsettled).toMatchObject([{ id: 1, blindMs: second }]);
  });

  describe('and the next run', () => {
    test('goes on with it after a death, beside the gap of its downtime, until it is heard', async () => {
      stage.hear();
      stage.miss([taker]);
      await stage.pass(10 * second);
      stage.begin();
      expect(stage.published).toEqual([opened(1, cause, epoch, [taker]), opened(2, 'daemon-died', epoch)]);
      await stage.pass(10 * second);
      stage.hear();
      stage.miss([taker]);
      stage.ledger.settle(true);
      expect(phases()).toEqual(['open 1', 'open 2', 'closed 2']);
      await stage.pass(10 * second);
      stage.miss([]);
      stage.ledger.settle(true);
      expect(stage.settled.at(-1)).toMatchObject({ id: 1, blindMs: 30 * second });
      expect(stage.ledger.summary()).toEqual({ open: 0, total: 2, blindMsTotal: 20 * second });
    });

    test('goes on with it after a stop', async () => {
      stage.hear();
      stage.miss([taker]);
      stage.open('daemon-stopped', 0);
      stage.begin();
      expect(stage.published).toEqual([opened(1, cause, epoch, [taker]), opened(2, 'daemon-stopped', epoch)]);
    });

    test('measures it by the clock of the venue, also where that was known only after it had begun', async () => {
      stage.hear();
      stage.miss([taker]);
      await stage.pass(second);
      stage.clock.step(3_600 * second);
      stage.offset = 250 - 3_600 * second;
      stage.ledger.date();
      expect(stage.store.gap(1)?.clockOffsetMs).toBe(250);
      stage.ledger.compared([1], 7);
      await stage.pass(9 * second);
      stage.begin();
      expect(stage.ledger.outstanding).toMatchObject([{ id: 1, comparedUntil: 7 }]);
      stage.hear();
      stage.miss([]);
      stage.ledger.settle(true);
      expect(stage.settled.find(({ id }) => id === 1)).toMatchObject({ blindMs: 10 * second });
    });

    test('measures it by the clock of the venue', async () => {
      stage.offset = 250;
      stage.hear();
      stage.miss([taker]);
      stage.clock.step(-3_600 * second);
      await stage.pass(10 * second);
      stage.begin();
      stage.hear();
      stage.miss([]);
      stage.offset = 250 + 3_600 * second;
      stage.ledger.settle(true);
      expect(stage.settled.map(({ blindMs }) => blindMs)).toEqual([10 * second, 10 * second]);
      expect(stage.ledger.summary().blindMsTotal).toBe(10 * second);
    });

    test('ends it at once where its configuration wants it no more', async () => {
      stage.hear();
      stage.miss([taker]);
      stage.open('daemon-stopped', 0);
      await stage.pass(second);
      stage.begin([maker]);
      expect(stage.unsettled.map(({ id }) => id)).toEqual([1]);
      expect(stage.ledger.outstanding.map(({ id }) => id)).toEqual([1]);
    });
  });
});
