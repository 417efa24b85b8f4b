import { linearScale, type Scale } from '../../bench/report/scale.ts';
import { bar, type Point, path, text } from '../../bench/report/svg.ts';
import type { FilledPanel, NamedSeries, Span } from './filled.ts';
import { type Area, timeAxis, valueAxis } from './picture-axes.ts';
import { colourOf } from './theme.ts';
import { divisorOf, inUnit } from './units.ts';

const axisWidth = 72;
/** Room for a value, and for the mark of a series. */
const valueWidth = 56;
const markWidth = 34;
const letterWidth = 6.3;
const lineHeight = 18;

/** Lines over time with a legend: names below, or a table with the latest values at the right. */
export function graph(panel: FilledPanel, inside: Area, span: Span): readonly string[] {
  const { unit, decimals, custom } = panel.fieldConfig.defaults;
  const { parts: legend, area: room } =
    panel.options.legend?.placement === 'right' ? table(panel, inside) : list(panel, inside);
  const area = { left: room.left + axisWidth, right: room.right - 14, top: room.top + 4, bottom: room.bottom - 22 };
  const values = panel.series.flatMap(({ points }) => points.map(({ value }) => value));
  const scale = scaleFor(panel, values, area);
  const { place, parts } = timeAxis(area, span);
  const isStepped = custom?.lineInterpolation === 'stepAfter';
  const lines = panel.series.flatMap(({ points }, index) =>
    unbroken(points, span.step).flatMap((run) => {
      const line = straightened(
        run.map(({ at, value }) => tidy(place(at), scale.place(value))),
        isStepped,
      );
      const [first, last] = [line[0], line.at(-1)];
      if (first === undefined || last === undefined) return [];
      const zero = Math.min(area.bottom, scale.place(0));
      const ground = [last, first].map(({ x }) => ({ x, y: zero }));
      return [path([...line, ...ground], `area${colourOf(index)}`), path(line, `line${colourOf(index)}`)];
    }),
  );
  return [...parts, ...valueAxis(area, scale, (value) => inUnit(unit, value, decimals)), ...lines, ...legend];
}

function scaleFor({ fieldConfig: { defaults } }: FilledPanel, values: readonly number[], { top, bottom }: Area): Scale {
  const { unit, decimals, min = Math.min(...values) } = defaults;
  const most = Math.max(...values);
  const divisor = divisorOf(unit, most);
  const { place, ticks } = linearScale(most / divisor, { from: bottom, to: top }, 4, min / divisor);
  const isShown = (tick: number) => decimals !== 0 || Number.isInteger(tick);
  return { place: (value) => place(value / divisor), ticks: ticks.filter(isShown).map((tick) => tick * divisor) };
}

const tidy = (x: number, y: number): Point => ({ x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 });

/** Runs of points without one that is missing. */
function unbroken(points: NamedSeries['points'], step: number): readonly NamedSeries['points'][] {
  const runs: NamedSeries['points'][number][][] = [];
  for (const point of points) {
    const last = runs.at(-1)?.at(-1);
    if (last !== undefined && point.at - last.at < step * 1.5) runs.at(-1)?.push(point);
    else runs.push([point]);
  }
  return runs;
}

/** Without the points in the middle of what is level anyway; with corners where a value holds until the next. */
function straightened(points: readonly Point[], isStepped: boolean): readonly Point[] {
  const kept = points.filter(({ y }, index) => points[index - 1]?.y !== y || points[index + 1]?.y !== y);
  if (!isStepped) return kept;
  return kept.flatMap((point, index) =>
    index === 0 ? [point] : [{ x: point.x, y: kept[index - 1]?.y ?? point.y }, point],
  );
}

interface Legend {
  readonly parts: readonly string[];
  /** What it leaves for the graph. */
  readonly area: Area;
}

function list({ series }: FilledPanel, inside: Area): Legend {
  const places: Point[] = [];
  let [x, line] = [inside.left + 12, 0];
  for (const { name } of series) {
    const width = name.length * letterWidth + markWidth;
    if (x + width > inside.right && x > inside.left + 12) [x, line] = [inside.left + 12, line + 1];
    places.push({ x, y: line * lineHeight });
    x += width;
  }
  const top = inside.bottom - (line + 1) * lineHeight - 2;
  const parts = series.flatMap(({ name }, index) =>
    entry(name, index, { x: places[index]?.x ?? 0, y: top + (places[index]?.y ?? 0) + 10 }),
  );
  return { parts, area: { ...inside, bottom: top } };
}

function table({ series, fieldConfig: { defaults } }: FilledPanel, inside: Area): Legend {
  const longest = Math.max(...series.map(({ name }) => name.length));
  const left = inside.right - (longest * letterWidth + markWidth + valueWidth);
  const right = { x: inside.right - 12, y: inside.top + 10 };
  const rows = series.flatMap(({ name, points }, index) => {
    const y = inside.top + (index + 1) * lineHeight + 10;
    const value = inUnit(defaults.unit, points.at(-1)?.value ?? 0, defaults.decimals);
    return [...entry(name, index, { x: left, y }), text({ x: right.x, y }, value, { anchor: 'end', size: 11 })];
  });
  const head = text(right, 'Last *', { anchor: 'end', className: 'quiet', size: 11 });
  return { parts: [head, ...rows], area: { ...inside, right: left } };
}

function entry(name: string, index: number, { x, y }: Point): readonly string[] {
  return [bar({ x, y: y - 6 }, 14, 4, `fill${colourOf(index)}`), text({ x: x + 20, y }, name, { size: 11 })];
}
