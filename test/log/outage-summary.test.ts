import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDays, summarizeOutages } from '../../src/log/outage-summary.ts';
import type { GapRecord } from '../../src/protocol/ledger.ts';

function closed(since: number, until: number, blindMs = until - since): GapRecord {
  return { id: 1, cause: 'half-open', since, until, blindMs, channels: [], clockOffsetMs: null, reconciled: true };
}

function open(since: number): GapRecord {
  return { ...closed(since, since), until: null, blindMs: null, reconciled: null };
}

describe('of a period from 1000 to 2000', () => {
  it.each<[string, readonly GapRecord[], number, number]>([
    ['no gap', [], 0, 0],
    ['a gap inside', [closed(1_100, 1_200)], 1, 100],
    ['two gaps', [closed(1_100, 1_200), closed(1_300, 1_301)], 2, 101],
    ['gaps that overlap', [closed(1_300, 1_500), closed(1_100, 1_400)], 2, 400],
    ['a gap in another', [closed(1_100, 1_900), closed(1_200, 1_300), closed(1_850, 1_950)], 3, 850],
    ['gaps that touch', [closed(1_100, 1_200), closed(1_200, 1_300)], 2, 200],
    ['a gap that began before', [closed(500, 1_100)], 1, 100],
    ['a gap as long as all of it', [closed(500, 2_000)], 1, 1_000],
    ['a gap that was over before', [closed(500, 1_000)], 0, 0],
    ['a gap without length', [closed(1_500, 1_500)], 1, 0],
    ['a gap without length at the beginning', [closed(1_000, 1_000)], 1, 0],
    ['an open gap', [open(1_700)], 1, 300],
    ['an open gap from before', [open(3)], 1, 1_000],
    ['an open gap that the clock puts in the future', [open(2_500)], 1, 0],
    ['a gap in which the clock was set forward', [closed(1_100, 1_900, 50)], 1, 50],
    ['a gap in which the clock was set back', [closed(1_600, 1_500, 50)], 1, 50],
  ])('%s', (_what, gaps, count, blindMs) => {
    const livePercent = 100 - blindMs / 10;
    expect(summarizeOutages(gaps, { since: 1_000, until: 2_000 })).toEqual({
      since: 1_000,
      until: 2_000,
      livePercent: expect.closeTo(livePercent, 9),
      completePercent: expect.closeTo(livePercent, 9),
      blindMs,
      gaps: count,
    });
  });

  it('tells apart how long a session was live, and how long all channels were heard', () => {
    const ofChannel = (gap: GapRecord) => ({ ...gap, cause: 'channels-refused' });
    const gaps = [ofChannel(closed(1_100, 1_400)), ofChannel(closed(1_200, 1_500)), closed(1_450, 1_600)];
    expect(summarizeOutages(gaps, { since: 1_000, until: 2_000 })).toEqual({
      since: 1_000,
      until: 2_000,
      livePercent: expect.closeTo(85, 9),
      completePercent: expect.closeTo(50, 9),
      blindMs: 150,
      gaps: 3,
    });
  });

  it('counts a gap on the days it is in', () => {
    const gaps = [closed(1_400, 1_600), open(1_900)];
    const days = [1_000, 1_250, 1_500, 1_750].map((since) => ({ since, until: since + 250 }));
    expect(days.map((day) => summarizeOutages(gaps, day, 2_000).blindMs)).toEqual([0, 100, 100, 100]);
    expect(days.map((day) => summarizeOutages(gaps, day, 2_000).gaps)).toEqual([0, 1, 1, 1]);
  });

  it('of no length is live, or is not', () => {
    const period = { since: 1_000, until: 1_000 };
    expect(summarizeOutages([], period)).toMatchObject({ livePercent: 100, gaps: 0 });
    expect(summarizeOutages([open(900)], period)).toMatchObject({ livePercent: 0, blindMs: 0, gaps: 1 });
  });
});

const moments = fc.double({ min: 0, max: 10_000, noNaN: true });
const gaps = fc.array(
  fc.oneof(
    moments.map(open),
    fc
      .tuple(moments, moments, fc.option(moments))
      .map(([since, until, blind]) => closed(since, until, blind ?? undefined)),
  ),
);

it('is never blind longer than the period, nor longer than its gaps together', () => {
  fc.assert(
    fc.property(gaps, moments, moments, (records, a, b) => {
      const period = { since: Math.min(a, b), until: Math.max(a, b) };
      const { livePercent, blindMs, gaps: count } = summarizeOutages(records, period);
      expect(livePercent).toBeGreaterThanOrEqual(0);
      expect(livePercent).toBeLessThanOrEqual(100);
      expect(blindMs).toBeGreaterThanOrEqual(0);
      expect(blindMs).toBeLessThanOrEqual(period.until - period.since);
      expect(count).toBeLessThanOrEqual(records.length);
      if (count === 0) expect(blindMs).toBe(0);
      const alone = records.map((record) => summarizeOutages([record], period).blindMs);
      const most = alone.reduce((sum, ms) => sum + ms, 0);
      expect(blindMs).toBeLessThanOrEqual(most + 1e-6);
      expect(blindMs).toBeGreaterThanOrEqual(Math.max(0, ...alone) - 1e-6);
    }),
  );
});

it('is the sum of its days, which follow each other from midnight to midnight', () => {
  const start = new Date(2_026, 2, 25, 13).getTime();
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 10_000_000 }), (records, seconds) => {
      const until = start + seconds * 1_000;
      const moved = records.map((gap) => ({
        ...gap,
        since: start + gap.since * seconds * 0.1,
        until: gap.until === null ? null : start + gap.until * seconds * 0.1,
      }));
      const days = localDays({ since: start, until });
      expect(days[0]?.since).toBe(start);
      expect(days.at(-1)?.until).toBe(until);
      for (const [index, day] of days.slice(1).entries()) {
        expect(day.since).toBe(days[index]?.until);
        expect(new Date(day.since).getHours()).toBe(0);
      }
      const sum = days.reduce((total, day) => total + summarizeOutages(moved, day, until).blindMs, 0);
      expect(sum).toBeCloseTo(summarizeOutages(moved, { since: start, until }).blindMs, 3);
    }),
    { numRuns: 50 },
  );
});
