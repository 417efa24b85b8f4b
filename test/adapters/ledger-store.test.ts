import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryLedger, maxGaps } from '../../src/log/memory-ledger.ts';
import type { LedgerStore } from '../../src/protocol/ledger.ts';
import { gap, LedgerPlace, openGap, range, start } from './support/ledger.ts';

const channels = ['rfq.maker'];

const nothing = {
  beganAt: start,
  lastId: 0,
  unfinished: [],
  heard: null,
  paces: { dial: [], token: [] },
};

function inFile(): LedgerStore {
  const place = new LedgerPlace();
  onTestFinished(() => place[Symbol.dispose]());
  return place.open();
}

describe.each([
  ['in memory', () => new MemoryLedger(start)],
  ['in a file', inFile],
])('a ledger %s', (_where, make: () => LedgerStore) => {
  it('begins empty', () => {
    const ledger = make();
    expect(ledger.recall()).toEqual(nothing);
    expect(ledger.gapsSince(0)).toEqual([]);
  });

  it('keeps a gap in the place of what it was before', () => {
    const ledger = make();
    ledger.save(openGap(1));
    expect(ledger.gapsSince(0)).toEqual([openGap(1)]);
    ledger.save(gap(1, { reconciled: null }));
    ledger.save(openGap(2));
    ledger.save(gap(1, { reconciled: 'not-attempted' }));
    expect(ledger.gapsSince(0)).toEqual([gap(1, { reconciled: 'not-attempted' }), openGap(2)]);
  });

  it.each([true, false, 'not-attempted', null] as const)('remembers that %s came of reconciling', (reconciled) => {
    const ledger = make();
    ledger.save(gap(1, { reconciled }));
    expect(ledger.gapsSince(0)).toEqual([gap(1, { reconciled })]);
  });

  it('tells the gaps that were not over at a moment, oldest first', () => {
    const ledger = make();
    for (const id of [3, 1, 2]) ledger.save(gap(id));
    ledger.save(openGap(4));
    const ids = (since: number) => ledger.gapsSince(since).map(({ id }) => id);
    expect(ids(0)).toEqual([1, 2, 3, 4]);
    expect(ids(gap(2).since + 1)).toEqual([2, 3, 4]);
    expect(ids(gap(2).since + 3_000)).toEqual([3, 4]);
    expect(ids(start * 2)).toEqual([4]);
  });

  it('recalls what is not finished, and the highest number', () => {
    const ledger = make();
    ledger.save(gap(1));
    ledger.save(gap(2, { reconciled: null }));
    ledger.save(gap(3, { reconciled: false }));
    ledger.save(openGap(5));
    expect(ledger.recall()).toMatchObject({ lastId: 5, unfinished: [gap(2, { reconciled: null }), openGap(5)] });
  });

  it('remembers when the venue was heard, and that figd is not live', () => {
    const ledger = make();
    ledger.markHeard({ at: start + 0.125, clockOffsetMs: null, channels });
    expect(ledger.recall().heard).toEqual({ at: start + 0.125, clockOffsetMs: null, channels });
    ledger.markHeard(null);
    expect(ledger.recall().heard).toBeNull();
  });

  it('takes down a gap and whether the venue is heard as one', () => {
    const ledger = make();
    const heard = { at: start, clockOffsetMs: 1, channels };
    ledger.save(gap(1), heard);
    expect(ledger.recall().heard).toEqual(heard);
    ledger.save(gap(1));
    expect(ledger.recall().heard).toEqual(heard);
    ledger.save(openGap(2), null);
    expect(ledger.recall()).toMatchObject({ heard: null, unfinished: [openGap(2)] });
  });

  it('remembers the latest ten dials and twelve token requests', () => {
    const ledger = make();
    const before = ledger.recall();
    for (const at of range(30)) {
      ledger.pace('dial', at);
      ledger.pace('token', at + 0.5);
    }
    expect(before.paces.dial).toEqual([]);
    expect(ledger.recall().paces).toEqual({
      dial: range(30).slice(-10),
      token: range(30)
        .slice(-12)
        .map((at) => at + 0.5),
    });
  });
});

it('drops the oldest finished gap when there are too many, and begins where that one ended', () => {
  const ledger = new MemoryLedger(start);
  ledger.save(openGap(1));
  for (const id of range(maxGaps + 1).slice(1)) ledger.save(gap(id));
  expect(ledger.gapsSince(0)).toHaveLength(maxGaps);
  expect(
    ledger
      .gapsSince(0)
      .slice(0, 2)
      .map(({ id }) => id),
  ).toEqual([1, 3]);
  expect(ledger.recall()).toMatchObject({ beganAt: gap(2).until, lastId: maxGaps + 1 });
});

it('drops even gaps that are not finished rather than grow without bound', () => {
  const ledger = new MemoryLedger(start);
  for (const id of range(maxGaps + 1)) ledger.save(openGap(id));
  expect(ledger.gapsSince(0)).toHaveLength(maxGaps);
  expect(ledger.recall().beganAt).toBe(openGap(1).since);
});
