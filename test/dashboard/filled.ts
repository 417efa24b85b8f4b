import { asked, type Panel, type Variables } from './definition.ts';
import type { Prometheus, Series } from './prometheus.ts';

/** A series with the name that the legend gives it. */
export interface NamedSeries extends Pick<Series, 'points'> {
  readonly name: string;
}

/** A panel with what was answered to its queries. */
export interface FilledPanel extends Panel {
  readonly series: readonly NamedSeries[];
}

/** The time that is shown, and between two points of a graph, in Unix seconds. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** Asks what the panel asks, a stat for the present alone. */
export async function fill(
  panel: Panel,
  prometheus: Prometheus,
  { span, variables }: { readonly span: Span; readonly variables: Variables },
): Promise<FilledPanel> {
  const answers = (panel.targets ?? []).map(async ({ expr, legendFormat, instant = false }) => {
    const query = asked(expr, variables);
    const series = await (instant ? prometheus.query(query) : prometheus.queryRange(query, { ...span }));
    return series.map(({ labels, points }) => ({
      name: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? ''),
      points,
    }));
  });
  return { ...panel, series: (await Promise.all(answers)).flat().filter(({ points }) => points.length > 0) };
}
