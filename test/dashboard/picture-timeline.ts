import { bar, text } from '../../bench/report/svg.ts';
import type { FilledPanel, NamedSeries, Span } from './filled.ts';
import { type Area, timeAxis } from './picture-axes.ts';
import { inkOn, mapped } from './picture-stat.ts';

const namesWidth = 190;
const letterWidth = 6;

interface Stretch {
  readonly value: number;
  readonly from: number;
  to: number;
}

/** A band for each series, cut where its value changes. */
export function timeline(panel: FilledPanel, { left, right, top, bottom }: Area, span: Span): readonly string[] {
  const area = { left: left + namesWidth, right: right - 12, top, bottom: bottom - 26 };
  const { place, parts } = timeAxis(area, span);
  const height = (area.bottom - top) / panel.series.length;
  const bands = panel.series.flatMap((series, index) => {
    const y = top + index * height;
    const middle = y + height / 2 + 4;
    return [
      text({ x: area.left - 8, y: middle }, series.name, { anchor: 'end', className: 'quiet', size: 11 }),
      ...stretches(series, span.step).flatMap(({ value, from, to }) => {
        const { text: words, color } = mapped(panel, value);
        const width = place(Math.min(to, span.end)) - place(from);
        const fits = width > words.length * letterWidth + 10;
        return [
          bar({ x: place(from), y: y + height * 0.1 }, width, height * 0.8, color),
          ...(fits ? [text({ x: place(from) + 5, y: middle }, words, { className: inkOn(color), size: 11 })] : []),
        ];
      }),
    ];
  });
  return [...parts, ...bands];
}

function stretches({ points }: NamedSeries, step: number): readonly Stretch[] {
  const found: Stretch[] = [];
  for (const { at, value } of points) {
    const last = found.at(-1);
    if (last?.value === value && at <= last.to) last.to = at + step;
    else found.push({ value, from: at, to: at + step });
  }
  return found;
}
