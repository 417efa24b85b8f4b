import { bar, text } from '../../bench/report/svg.ts';
import type { Mapped, Panel } from './definition.ts';
import type { FilledPanel } from './filled.ts';
import type { Area } from './picture-axes.ts';
import { inUnit } from './units.ts';

/** On these Grafana writes in black. */
const light = ['green', 'yellow', 'orange'];

/** What becomes of a value by the mappings of its panel, or else by its unit and thresholds. */
export function mapped({ fieldConfig: { defaults } }: Panel, value: number): Mapped {
  const { mappings = [], thresholds, unit, decimals } = defaults;
  const found = mappings.map(({ options }) => options[String(value)]).find((each) => each !== undefined);
  const step = thresholds?.steps.findLast((each) => each.value === null || value >= each.value);
  return found ?? { text: inUnit(unit, value, decimals), color: step?.color ?? 'green' };
}

/** A word on what Grafana puts behind it. */
export const inkOn = (colour: string): string => (light.includes(colour) ? 'on-light' : 'on-dark');

/** The latest value, large, on a ground of its colour. */
export function stat(panel: FilledPanel, { left, right, top, bottom }: Area): readonly string[] {
  const { text: words, color } = mapped(panel, panel.series[0]?.points.at(-1)?.value ?? Number.NaN);
  const at = { x: (left + right) / 2, y: (top + bottom) / 2 + 8 };
  return [
    bar({ x: left + 1, y: top }, right - left - 2, bottom - top - 1, color),
    text(at, words, { anchor: 'middle', className: inkOn(color), size: words.length > 10 ? 24 : 32 }),
  ];
}
