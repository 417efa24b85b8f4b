import { bar, drawing, text } from '../../bench/report/svg.ts';
import type { FilledPanel, Span } from './filled.ts';
import type { Area } from './picture-axes.ts';
import { graph } from './picture-graph.ts';
import { stat } from './picture-stat.ts';
import { timeline } from './picture-timeline.ts';
import { style } from './theme.ts';

const width = 1440;
const margin = 12;
const gap = 8;
const columnWidth = (width - 2 * margin + gap) / 24;
const rowHeight = 34;
const top = 72;
const titleHeight = 30;

const draw = { stat, timeseries: graph, 'state-timeline': timeline } as const;

/** The dashboard as its definition lays it out, in the colours of Grafana's dark theme. */
export function picture(panels: readonly FilledPanel[], span: Span, subtitle: string): string {
  const height = top + Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * rowHeight + margin;
  return drawing(
    { width, height },
    { title: 'figd', subtitle },
    panels.flatMap((panel) => framed(panel, span)),
    style,
  );
}

function framed(panel: FilledPanel, span: Span): readonly string[] {
  const { x, y, w, h } = panel.gridPos;
  const left = margin + x * columnWidth;
  const place = {
    left,
    top: top + y * rowHeight,
    right: left + w * columnWidth - gap,
    bottom: top + (y + h) * rowHeight - gap,
  };
  const title = text({ x: left + 10, y: place.top + 20 }, panel.title, { className: 'title', size: 13 });
  if (panel.type === 'row') return [title];
  const inside = { ...place, top: place.top + titleHeight };
  return [
    bar({ x: left, y: place.top }, place.right - left, place.bottom - place.top, 'panel'),
    title,
    ...(panel.series.length === 0 ? [noData(inside)] : draw[panel.type](panel, inside, span)),
  ];
}

function noData({ left, right, top, bottom }: Area): string {
  return text({ x: (left + right) / 2, y: (top + bottom) / 2 }, 'No data', {
    anchor: 'middle',
    className: 'quiet',
    size: 14,
  });
}
