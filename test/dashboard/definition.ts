import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../build/bundle.ts';

export interface Target {
  readonly expr: string;
  readonly legendFormat: string;
  /** Whether the present alone is asked for. */
  readonly instant?: boolean;
}

export interface Mapped {
  readonly text: string;
  readonly color: string;
}

/** A panel of a Grafana dashboard, as far as ours go. */
export interface Panel {
  readonly id: number;
  readonly type: 'row' | 'stat' | 'state-timeline' | 'timeseries';
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  /** A row has none. */
  readonly targets?: readonly Target[];
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit: string;
      readonly min?: number;
      readonly decimals?: number;
      readonly mappings?: readonly { readonly options: Readonly<Record<string, Mapped>> }[];
      readonly thresholds?: { readonly steps: readonly { readonly color: string; readonly value: number | null }[] };
      readonly custom?: { readonly lineInterpolation?: string };
    };
  };
  readonly options: { readonly legend?: { readonly placement: 'bottom' | 'right' } };
}

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly panels: readonly Panel[];
}

export const dashboard = JSON.parse(readFileSync(join(root, 'deploy/grafana/figd.json'), 'utf8')) as Dashboard;

/** What the dashboard asks: the titles of its panels, each with one of its expressions. */
export const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

/** What Grafana puts in place of the dashboard's variables, for one host. */
export interface Variables {
  readonly instance: string;
  readonly scrapeSeconds: number;
  /** Between two points of a graph. */
  readonly stepSeconds: number;
}

/** An expression as Grafana sends it. @throws where a variable is left that Grafana would not know either */
export function asked(expr: string, { instance, scrapeSeconds, stepSeconds }: Variables): string {
  const rateInterval = Math.max(stepSeconds + scrapeSeconds, 4 * scrapeSeconds);
  const sent = expr
    .replaceAll('$__rate_interval', `${rateInterval}s`)
    .replaceAll('$instance', instance.replaceAll('.', '\\\\.'));
  if (sent.includes('$')) throw new Error(`an unknown variable in ${sent}`);
  return sent;
}
