import { describe, expect, test } from 'vitest';
import { isFinished, MemoryLedger, maxGaps } from '../../src/log/memory-ledger.ts';
import type { GapRecord } from '../../src/protocol/ledger.ts';

const gap = (id: number, told: Partial<GapRecord> = {}): GapRecord => ({
  id,
  cause: 'connection-lost',
  since: id * 100,
  until: id * 100 + 50,
  blindMs: 50,
  channels: ['rfq.maker'],
  clockOffsetMs: null,
  reconciled: true,
  ...told,
});

describe('a gap', () => {
  test('is finished when it is over and it is known what became of it', () => {
    expect(
      [gap(1), gap(1, { reconciled: false }), gap(1, { reconciled: null }), gap(1, { until: null })].map(isFinished),
    ).toEqual([true, true, false, false]);
  });

  test('is kept in the place of what was written under its number before', () => {
    const ledger = new MemoryLedger(0);
    ledger.save(gap(1, { until: null, reconciled: null }));
    ledger.save(gap(1));
    expect([ledger.gap(1), ledger.gapsSince(0), ledger.gap(2)]).toEqual([gap(1), [gap(1)], undefined]);
  });

  test('is told to those who ask for what was not over at a moment, oldest first', () => {
    const ledger = new MemoryLedger(0);
    for (const each of [gap(3), gap(1), gap(2, { until: null, reconciled: null })]) ledger.save(each);
    expect([0, 149, 150, 350].map((since) => ledger.gapsSince(since).map(({ id }) => id))).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [2, 3],
      [2],
    ]);
  });
});

describe('what an earlier run left', () => {
  test('is nothing in a new ledger', () => {
    expect(new MemoryLedger(7).recall()).toEqual({
      beganAt: 7,
      lastId: 0,
      unfinished: [],
      heard: null,
      paces: { dial: [], token: [] },
    });
  });

  test('is what is unfinished, the highest number, when the venue was heard, and the paces', () => {
    const ledger = MemoryLedger.from({
      beganAt: 7,
      lastId: 9,
      gaps: [gap(1), gap(3, { until: null, reconciled: null }), gap(2, { reconciled: null })],
      heard: { at: 400, clockOffsetMs: -7.5, channels: ['a'] },
      paces: { dial: [1, 2], token: [3] },
    });
    expect(ledger.recall()).toEqual({
      beganAt: 7,
      lastId: 9,
      unfinished: [gap(2, { reconciled: null }), gap(3, { until: null, reconciled: null })],
      heard: { at: 400, clockOffsetMs: -7.5, channels: ['a'] },
      paces: { dial: [1, 2], token: [3] },
    });
  });

  test('holds no more dials and token requests than may be made in a minute', () => {
    const ledger = new MemoryLedger(0);
    for (let at = 1; at <= 20; at++) {
      ledger.pace('dial', at);
      ledger.pace('token', at);
    }
    const { dial, token } = ledger.recall().paces;
    expect([dial.length, dial[0], token.length, token[0]]).toEqual([10, 11, 12, 9]);
  });
});

test('beyond its bound the ledger drops the oldest gap that is finished, and begins where that ended', () => {
  const ledger = new MemoryLedger(0);
  ledger.save(gap(1, { until: null, reconciled: null }));
  for (let id = 2; id <= maxGaps + 1; id++) ledger.save(gap(id));
  expect([ledger.gapsSince(0).length, ledger.gap(1)?.id, ledger.gap(2), ledger.gap(3)?.id]).toEqual([
    maxGaps,
    1,
    undefined,
    3,
  ]);
  expect([ledger.beganAt, ledger.recall().lastId]).toEqual([250, maxGaps + 1]);
});
