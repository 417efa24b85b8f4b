import type { Scale } from '../../bench/report/scale.ts';
import { line, text } from '../../bench/report/svg.ts';
import type { Span } from './filled.ts';

/** Where something is drawn. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const tickSeconds = [60, 120, 300, 600, 1_800, 3_600];
/** Between two labels of the axis of time. */
const leastWidth = 70;

export interface TimeAxis {
  readonly place: (unixSeconds: number) => number;
  readonly parts: readonly string[];
}

/** Times of day, UTC, below an area. */
export function timeAxis({ left, right, top, bottom }: Area, { start, end }: Span): TimeAxis {
  const place = (at: number) => left + ((at - start) / (end - start)) * (right - left);
  const every = tickSeconds.find((seconds) => place(start + seconds) - left >= leastWidth) ?? end - start;
  const parts: string[] = [];
  for (let at = Math.ceil(start / every) * every; at <= end; at += every) {
    const label = new Date(at * 1_000).toISOString().slice(11, 16);
    parts.push(line({ x: place(at), y: top }, { x: place(at), y: bottom }, 'grid'));
    parts.push(text({ x: place(at), y: bottom + 16 }, label, { anchor: 'middle', className: 'quiet', size: 11 }));
  }
  return { place, parts };
}

/** Labelled lines across an area. */
export function valueAxis(
  { left, right }: Area,
  { place, ticks }: Scale,
  label: (value: number) => string,
): readonly string[] {
  return ticks.flatMap((tick) => [
    line({ x: left, y: place(tick) }, { x: right, y: place(tick) }, 'grid'),
    text({ x: left - 8, y: place(tick) + 4 }, label(tick), { anchor: 'end', className: 'quiet', size: 11 }),
  ]);
}
