import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlindTime } from '../../src/daemon/blind-time.ts';

interface Gap {
  /** When it is noticed, how long before that it began, and how long after that it is over. */
  readonly noticedAt: number;
  readonly before: number;
  readonly after: number;
}

const gapOf = fc.record({ noticedAt: fc.nat(1_000), before: fc.nat(50), after: fc.integer({ min: 1, max: 300 }) });

interface Span {
  readonly since: number;
  readonly until: number;
}

/** Nothing is found to have been missed in a time that had been counted, as heard, before. */
function soundly(gaps: readonly Gap[]): readonly (Span & { readonly noticedAt: number })[] {
  return gaps.map(({ noticedAt, before, after }) => {
    const counted = gaps.map((gap) => gap.noticedAt + gap.after).filter((until) => until <= noticedAt);
    return { since: Math.max(noticedAt - before, ...counted), noticedAt, until: noticedAt + after };
  });
}

function lengthOfUnion(spans: readonly Span[]): number {
  const points = new Set<number>();
  for (const { since, until } of spans) for (let at = since; at < until; at += 1) points.add(at);
  return points.size;
}

test('is as long as at least one gap was open, however they overlap', () => {
  fc.assert(
    fc.property(fc.array(gapOf, { maxLength: 8 }), fc.nat(1_500), (drawn, now) => {
      const gaps = soundly(drawn);
      const time = new BlindTime();
      const steps = gaps
        .flatMap((gap, id) => [
          { at: gap.noticedAt, run: () => time.begin(id, gap.since) },
          { at: gap.until, run: () => time.end(id, gap.until) },
        ])
        .toSorted((a, b) => a.at - b.at)
        .filter(({ at }) => at <= now);
      for (const { run } of steps) run();
      const known = gaps.filter(({ noticedAt }) => noticedAt <= now);
      const spans = known.map(({ since, until }) => ({ since, until: Math.min(until, now) }));
      expect(time.total(now)).toBe(lengthOfUnion(spans));
    }),
  );
});

test('counts one that is found out when it is over', () => {
  const time = new BlindTime();
  time.begin(1, 10);
  time.end(1, 14);
  expect([time.total(100), time.total(1_000)]).toEqual([4, 4]);
});

test('knows nothing of one that was never open', () => {
  const time = new BlindTime();
  time.end(7, 100);
  expect(time.total(100)).toBe(0);
});
