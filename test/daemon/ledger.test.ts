import { beforeEach, describe, expect, test } from 'vitest';
import { channels, gap, LedgerStage, opened } from './support/ledger-stage.ts';
import { epoch } from './support/test-clock.ts';

const second = 1_000;
const hour = 3_600 * second;

let stage: LedgerStage;
beforeEach(() => {
  stage = new LedgerStage();
});

describe('a gap', () => {
  test('is published and saved when it is noticed, from the last proof of hearing on', async () => {
    await stage.pass(10 * second);
    stage.open('connection-lost', 9 * second);
    expect(stage.published).toEqual([opened(1, 'connection-lost', epoch + 9 * second)]);
    expect(stage.store.gap(1)).toEqual(gap({}));
    expect([stage.unsettled, stage.ledger.summary()]).toEqual([[], { open: 1, total: 1, blindMsTotal: second }]);
  });

  test('is one, whatever else fails while figd is blind', async () => {
    await stage.pass(10 * second);
    stage.open('connection-lost', 9 * second);
    stage.open('daemon-stopped', 10 * second);
    expect([stage.published.length, stage.store.gapsSince(0).length]).toEqual([1, 1]);
  });

  test('is over when the venue is heard, but not published as closed before it is settled', async () => {
    await stage.loseAndHear();
    const ended = gap({ until: epoch + 15 * second, blindMs: 6 * second });
    expect([stage.published.length, stage.store.gap(1), stage.unsettled]).toEqual([1, ended, [ended]]);
    expect(stage.ledger.summary()).toEqual({ open: 1, total: 1, blindMsTotal: 6 * second });
  });

  test.each([true, false, 'not-attempted'] as const)('is settled once, as reconciled: %s', async (reconciled) => {
    await stage.loseAndHear();
    await stage.pass(hour);
    stage.ledger.settle(reconciled);
    stage.ledger.settle(true);
    const over = gap({ until: epoch + 15 * second, blindMs: 6 * second, reconciled });
    expect(stage.published.slice(1)).toEqual([
      { phase: 'closed', id: 1, until: epoch + 15 * second, blindMs: 6 * second, reconciled },
    ]);
    expect([stage.store.gap(1), stage.settled, stage.unsettled]).toEqual([over, [over], []]);
    expect(stage.ledger.summary()).toEqual({ open: 0, total: 1, blindMsTotal: 6 * second });
  });

  test('whose list could not be had is looked for in the next comparison, and told as it was', async () => {
    await stage.loseAndHear();
    stage.ledger.settle(false);
    expect([stage.ledger.outstanding.map(({ id }) => id), stage.ledger.summary().open]).toEqual([[1], 0]);
    stage.ledger.settle(true);
    expect([stage.ledger.outstanding, stage.published.length]).toEqual([[], 2]);
  });

  test('that is followed by another before it is settled is settled with it, the older one first', async () => {
    await stage.loseAndHear();
    stage.open('half-open', 15 * second);
    expect(stage.ledger.summary()).toEqual({ open: 2, total: 2, blindMsTotal: 6 * second });
    await stage.pass(second);
    stage.hear();
    expect(stage.unsettled[0]?.id).toBe(1);
    stage.ledger.settle(true);
    expect(stage.published.map(({ phase, id }) => `${phase} ${id}`)).toEqual([
      'open 1',
      'open 2',
      'closed 1',
      'closed 2',
    ]);
    expect(stage.settled.map(({ id }) => id)).toEqual([1, 2]);
  });

  test('is left alone by a comparison that ends while figd is blind again', async () => {
    stage.open('half-open', 0);
    stage.ledger.settle(true);
    expect([stage.published.length, stage.store.gap(1)?.reconciled]).toEqual([1, null]);
  });

  test('does not come of hearing the venue for the first time', () => {
    stage.hear();
    stage.ledger.settle(true);
    expect([stage.published, stage.settled, stage.store.gapsSince(0)]).toEqual([[], [], []]);
  });

  test.each([-hour, hour])('has a length that a step of the wall clock by %d ms does not bend', async (step) => {
    await stage.pass(10 * second);
    stage.open('connection-lost', 9 * second);
    stage.clock.step(step);
    expect(stage.ledger.summary().blindMsTotal).toBe(second);
    await stage.pass(5 * second);
    stage.hear();
    expect(stage.store.gap(1)).toEqual(gap({ until: epoch + 15 * second + step, blindMs: 6 * second }));
  });

  test('has the time of a suspension in its length', async () => {
    stage.open('half-open', 0);
    stage.clock.suspend(hour);
    stage.clock.look();
    stage.hear();
    expect(stage.store.gap(1)?.blindMs).toBe(hour);
  });

  test('tells how far the clock of the venue was from ours when it began, where that is known', () => {
    stage.offset = -250;
    stage.open('half-open', 0);
    stage.offset = 10;
    stage.hear();
    stage.ledger.settle(true);
    expect(stage.store.gap(1)).toMatchObject({ clockOffsetMs: -250, blindMs: 0 });
  });

  test('ends when the venue was heard again, where that is noticed later', async () => {
    await stage.pass(10 * second);
    stage.open('half-open', 4 * second);
    stage.ledger.end(7 * second, []);
    expect(stage.store.gap(1)).toMatchObject({
      since: epoch + 4 * second,
      until: epoch + 7 * second,
      blindMs: 3 * second,
    });
  });

  test('does not end before it begins: what both of two sessions brought was missed by none', async () => {
    await stage.pass(10 * second);
    stage.open('half-open', 8 * second);
    stage.ledger.end(7 * second, []);
    expect(stage.store.gap(1)).toMatchObject({ since: epoch + 8 * second, until: epoch + 8 * second, blindMs: 0 });
  });

  test('has the venue forgotten as heard, as the gap itself says since when', () => {
    stage.store.markHeard({ at: epoch, clockOffsetMs: -250, channels });
    stage.open('half-open', 0);
    expect(stage.store.heard).toBeNull();
  });
});
