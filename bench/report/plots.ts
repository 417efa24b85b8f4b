import { type ContenderName, contenderNames, labels } from '../contenders/contender.ts';
import type { MemoryResult, MemorySample } from '../measures/memory.ts';
import { consumerCounts, measured, medianOf, type Sample } from './samples.ts';
import { linearScale, logScale, type Scale, short, shortTime } from './scale.ts';
import { bar, dot, drawing, line, type Point, path, text } from './svg.ts';

const width = 960;
const names = 140;
const panelGap = 52;
const margin = 24;
const top = 104;
const rowHeight = 30;

/** The part of the drawing that belongs to one number of consumers. */
interface Panel {
  readonly left: number;
  readonly right: number;
  readonly consumers: number;
}

function panelsFor(counts: readonly number[]): readonly Panel[] {
  const inner = (width - names - margin - panelGap * (counts.length - 1)) / counts.length;
  return counts.map((consumers, index) => {
    const left = names + index * (inner + panelGap);
    return { left, right: left + inner, consumers };
  });
}

const colourOf = (name: ContenderName) => contenderNames.indexOf(name);
const toConsumers = (count: number) => `to ${count} consumer${count === 1 ? '' : 's'}`;

/** Bars for each contender, a panel for each number of consumers with an axis of its own. */
export function throughputPlot(samples: readonly Sample[]): string {
  const rows = measured(samples, 'throughput', contenderNames);
  const bottom = top + rows.length * rowHeight;
  const parts = rowNames(rows);
  for (const { left, right, consumers } of panelsFor(consumerCounts(samples, 'throughput'))) {
    const at = (contender: ContenderName) =>
      medianOf(samples, { measure: 'throughput', contender, consumers, value: 'perSecond' });
    const most = Math.max(...rows.map(at).filter(Number.isFinite));
    const scale = linearScale(most * 1.22, { from: left, to: right }, 3);
    parts.push(text({ x: left, y: top - 14 }, toConsumers(consumers), { className: 'title' }));
    parts.push(...verticalGrid(scale, bottom, short));
    rows.forEach((contender, index) => {
      const value = at(contender);
      if (!Number.isFinite(value)) return;
      const y = top + index * rowHeight + 6;
      const end = scale.place(value);
      parts.push(bar({ x: left, y }, end - left, rowHeight - 12, `fill${colourOf(contender)}`));
      parts.push(text({ x: end + 6, y: y + 13 }, short(value), { size: 11 }));
    });
  }
  parts.push(axisName(bottom, 'messages a second, until the last consumer has the last one'));
  const subtitle = 'Flat out with back-pressure. More is better. Each panel has its own scale.';
  return drawing({ width, height: bottom + 60 }, { title: 'Throughput', subtitle }, parts);
}

const percentiles = [
  { value: 'p50', label: 'p50', radius: 6 },
  { value: 'p99', label: 'p99', radius: 4.5 },
  { value: 'p999', label: 'p99.9', radius: 3 },
] as const;

/** Three dots a contender on one logarithmic axis, a panel for each number of consumers. */
export function latencyPlot(samples: readonly Sample[]): string {
  const rows = measured(samples, 'latency', contenderNames);
  const bottom = top + rows.length * rowHeight;
  const parts = rowNames(rows);
  const at = (contender: Sample['contender'], consumers: number, value: string) =>
    medianOf(samples, { measure: 'latency', contender, consumers, value });
  const panels = panelsFor(consumerCounts(samples, 'latency'));
  const floor = at('direct', 1, 'p50');
  const all = [...rows].flatMap((name) =>
    panels.flatMap(({ consumers }) => percentiles.map(({ value }) => at(name, consumers, value))),
  );
  for (const { left, right, consumers } of panels) {
    const scale = logScale([...all, floor], { from: left, to: right });
    parts.push(text({ x: left, y: top - 14 }, toConsumers(consumers), { className: 'title' }));
    parts.push(...verticalGrid(scale, bottom, shortTime));
    if (floor > 0) parts.push(line({ x: scale.place(floor), y: top }, { x: scale.place(floor), y: bottom }, 'target'));
    rows.forEach((name, index) => {
      const y = top + (index + 0.5) * rowHeight;
      const points = percentiles
        .map(({ value, radius }) => ({ radius, micros: at(name, consumers, value) }))
        .filter(({ micros }) => micros > 0);
      const colour = colourOf(name);
      parts.push(
        path(
          points.map(({ micros }) => ({ x: scale.place(micros), y })),
          `line${colour}`,
        ),
      );
      for (const { micros, radius } of points) parts.push(dot({ x: scale.place(micros), y }, radius, `fill${colour}`));
    });
  }
  parts.push(axisName(bottom, 'from the feed’s send to the consumer’s read; dashed: the feed alone, p50'));
  parts.push(...percentileLegend());
  const subtitle = '1,000 messages a second, each on its own. Less is better. Logarithmic.';
  return drawing({ width, height: bottom + 60 }, { title: 'Added latency', subtitle }, parts);
}

function percentileLegend(): readonly string[] {
  const parts: string[] = [];
  let x = width - margin - 190;
  for (const { label, radius } of percentiles) {
    parts.push(dot({ x, y: 30 }, radius, 'quiet'), text({ x: x + 10, y: 34 }, label, { className: 'quiet' }));
    x += 65;
  }
  return parts;
}

/** Lines over the number of consumers, both axes logarithmic. */
export function cpuPlot(samples: readonly Sample[]): string {
  const height = 420;
  const area = { left: 84, right: width - 190, top: 84, bottom: height - 58 };
  const rows = measured(samples, 'throughput', contenderNames);
  const counts = consumerCounts(samples, 'throughput');
  const at = (contender: ContenderName, consumers: number) =>
    medianOf(samples, { measure: 'throughput', contender, consumers, value: 'cpuMicros' });
  const all = rows.flatMap((name) => counts.map((count) => at(name, count)));
  const across = logScale(counts, { from: area.left, to: area.right });
  const up = logScale(all, { from: area.bottom, to: area.top });
  const parts = horizontalGrid(up, area, shortTime);
  for (const count of counts) {
    parts.push(text({ x: across.place(count), y: area.bottom + 20 }, String(count), { anchor: 'middle' }));
  }
  for (const name of rows) {
    const points = counts
      .map((count) => ({ x: across.place(count), micros: at(name, count) }))
      .filter(({ micros }) => micros > 0)
      .map(({ x, micros }) => ({ x, y: up.place(micros) }));
    parts.push(path(points, `line${colourOf(name)}`));
    for (const point of points) parts.push(dot(point, 4, `fill${colourOf(name)}`));
  }
  parts.push(...legend(rows, { x: area.right + 28, y: area.top + 12 }));
  parts.push(
    text({ x: (area.left + area.right) / 2, y: height - 16 }, 'consumers', { anchor: 'middle', className: 'quiet' }),
  );
  const subtitle = 'Of all processes between feed and consumers, flat out. Less is better. Both axes are logarithmic.';
  return drawing({ width, height }, { title: 'CPU time per message', subtitle }, parts);
}

/** Resident memory over time, with the limit it must keep. */
export function memoryPlot(result: MemoryResult, limitBytes: number): string {
  const height = 400;
  const area = { left: 84, right: width - 40, top: 84, bottom: height - 58 };
  const seconds = Math.max(1, ...result.samples.map((sample) => sample.seconds));
  const most = Math.max(limitBytes, result.most.resident) / 1e6;
  const across = linearScale(seconds, { from: area.left, to: area.right }, 8);
  const up = linearScale(most, { from: area.bottom, to: area.top });
  const parts = horizontalGrid(up, area, (megabytes) => `${short(megabytes)} MB`);
  for (const tick of across.ticks) {
    parts.push(text({ x: across.place(tick), y: area.bottom + 20 }, short(tick), { anchor: 'middle' }));
  }
  const limit = up.place(limitBytes / 1e6);
  parts.push(line({ x: area.left, y: limit }, { x: area.right, y: limit }, 'target'));
  parts.push(text({ x: area.right, y: limit - 6 }, 'target', { anchor: 'end', className: 'quiet', size: 11 }));
  const resumed = across.place(result.sendingSeconds);
  parts.push(line({ x: resumed, y: area.top }, { x: resumed, y: area.bottom }, 'axis'));
  const label = 'the stalled consumer reads on';
  parts.push(text({ x: resumed - 6, y: area.bottom - 8 }, label, { anchor: 'end', className: 'quiet', size: 11 }));
  const held = result.samples.filter(({ resident }) => Number.isFinite(resident));
  const curve = (of: (sample: MemorySample) => number): readonly Point[] =>
    held.map((sample) => ({ x: across.place(sample.seconds), y: up.place(of(sample) / 1e6) }));
  parts.push(
    path(
      curve(({ resident }) => resident),
      'line0',
    ),
  );
  parts.push(
    path(
      curve(({ anonymous }) => anonymous),
      'line1',
    ),
  );
  ['resident', 'of which anonymous'].forEach((what, index) => {
    const x = area.right - 260 + index * 100;
    parts.push(dot({ x, y: 30 }, 5, `fill${index}`), text({ x: x + 12, y: 34 }, what, { className: 'quiet' }));
  });
  parts.push(
    text({ x: (area.left + area.right) / 2, y: height - 16 }, 'seconds', { anchor: 'middle', className: 'quiet' }),
  );
  const events = result.events.toLocaleString('en-US');
  const subtitle = `Resident memory of figd over ${events} events to ${result.consumers} consumers, one stalled, one reconnecting every second.`;
  return drawing({ width, height }, { title: 'Memory', subtitle }, parts);
}

function rowNames(rows: readonly ContenderName[]): string[] {
  return rows.map((name, index) =>
    text({ x: names - 14, y: top + (index + 0.5) * rowHeight + 4 }, labels[name], { anchor: 'end' }),
  );
}

function verticalGrid({ place, ticks }: Scale, bottom: number, label: (value: number) => string): readonly string[] {
  return ticks.flatMap((tick) => [
    line({ x: place(tick), y: top }, { x: place(tick), y: bottom }, 'grid'),
    text({ x: place(tick), y: bottom + 16 }, label(tick), { anchor: 'middle', className: 'quiet', size: 11 }),
  ]);
}

interface Area {
  readonly left: number;
  readonly right: number;
}

function horizontalGrid({ place, ticks }: Scale, { left, right }: Area, label: (value: number) => string): string[] {
  return ticks.flatMap((tick) => [
    line({ x: left, y: place(tick) }, { x: right, y: place(tick) }, 'grid'),
    text({ x: left - 10, y: place(tick) + 4 }, label(tick), { anchor: 'end', className: 'quiet', size: 11 }),
  ]);
}

function axisName(bottom: number, words: string): string {
  return text({ x: (names + width - margin) / 2, y: bottom + 42 }, words, { anchor: 'middle', className: 'quiet' });
}

function legend(rows: readonly ContenderName[], at: Point): readonly string[] {
  return rows.flatMap((name, index) => [
    dot({ x: at.x, y: at.y + index * 24 }, 5, `fill${colourOf(name)}`),
    text({ x: at.x + 14, y: at.y + index * 24 + 4 }, labels[name]),
  ]);
}
