import { type GapRecord, isOfOneChannel } from '../protocol/ledger.ts';

/** From one moment to another, in unix milliseconds. */
export interface Period {
  readonly since: number;
  readonly until: number;
}

/** How much of a period figd was live. */
export interface OutageSummary extends Period {
  /** For how much of it a session was live: 0 to 100, not rounded. */
  readonly livePercent: number;
  /** For how much of it every wanted channel was heard: as that, or less. */
  readonly completePercent: number;
  /** Milliseconds in which figd could not hear the venue at all; what several gaps share counts once. */
  readonly blindMs: number;
  /** How many gaps have a part in the period. */
  readonly gaps: number;
}

/**
 * Adds up the parts of gaps that lie in a period.
 *
 * @param now unix milliseconds: a gap that is open lasts until then
 */
export function summarizeOutages(gaps: readonly GapRecord[], { since, until }: Period, now = until): OutageSummary {
  const period = { since, until };
  const touching = gaps.filter((gap) => touches(gap, period, now));
  const whole = partsOf(
    touching.filter((gap) => !isOfOneChannel(gap)),
    period,
    now,
  );
  const all = partsOf(touching, period, now);
  return {
    ...period,
    livePercent: percentWithout(whole, period),
    completePercent: percentWithout(all, period),
    blindMs: lengthIn(whole, period),
    gaps: touching.length,
  };
}

/** A period cut at each midnight here; its first and last day may be parts of days. */
export function localDays({ since, until }: Period): readonly Period[] {
  const days: Period[] = [];
  for (let at = since; at < until; ) {
    const next = Math.min(nextMidnight(at), until);
    days.push({ since: at, until: next });
    at = next;
  }
  return days;
}

function partsOf(gaps: readonly GapRecord[], { since, until }: Period, now: number): readonly Period[] {
  return gaps
    .map((gap) => spanOf(gap, now))
    .map((span) => ({ since: Math.max(span.since, since), until: Math.min(span.until, until) }));
}

const lengthIn = (parts: readonly Period[], { since, until }: Period): number =>
  Math.min(unionLength(parts), Math.max(0, until - since));

function percentWithout(parts: readonly Period[], period: Period): number {
  const length = period.until - period.since;
  if (length <= 0) return parts.length === 0 ? 100 : 0;
  return 100 * ((length - lengthIn(parts, period)) / length);
}

/** A gap without length is a gap, but one that ended where the period begins is not one of the period's. */
function touches(gap: GapRecord, period: Period, now: number): boolean {
  const { since, until } = spanOf(gap, now);
  const reachesIn = gap.until === null || until > period.since || (since === until && since >= period.since);
  return reachesIn && (since < period.until || period.until === now);
}

/** Measured from its end, because a clock that is set meanwhile bends the time between the two moments. */
function spanOf({ since, until, blindMs }: GapRecord, now: number): Period {
  const end = Math.min(until ?? now, now);
  return { since: Math.min(until === null || blindMs === null ? since : until - blindMs, end), until: end };
}

function unionLength(spans: readonly Period[]): number {
  let length = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { since, until } of spans.toSorted((a, b) => a.since - b.since)) {
    if (until <= reached) continue;
    length += until - Math.max(since, reached);
    reached = until;
  }
  return length;
}

function nextMidnight(unixMs: number): number {
  const at = new Date(unixMs);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1).getTime();
}
