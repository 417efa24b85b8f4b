/** Turns values into places along an axis. */
export interface Scale {
  readonly place: (value: number) => number;
  /** The values to be labelled, ascending. */
  readonly ticks: readonly number[];
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** From `least` at most to `most` at least, with round ticks. */
export function linearScale(most: number, { from, to }: Range, wantedTicks = 4, least = 0): Scale {
  const step = roundStep((most > least ? most - least : 1) / wantedTicks);
  const first = Math.floor(least / step + 1e-9);
  const count = Math.max(1, Math.ceil(most / step - 1e-9) - first);
  return {
    place: (value) => from + ((value / step - first) / count) * (to - from),
    ticks: Array.from({ length: count + 1 }, (_, index) => (first + index) * step),
  };
}

/** Whole powers of ten around all values, which are above 0. */
export function logScale(values: readonly number[], { from, to }: Range): Scale {
  const known = values.filter((value) => value > 0 && Number.isFinite(value));
  const low = known.length === 0 ? 0 : Math.floor(Math.log10(Math.min(...known)));
  const high = Math.max(low + 1, known.length === 0 ? 1 : Math.ceil(Math.log10(Math.max(...known))));
  return {
    place: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

/** The smallest of 1, 2, 2.5, 5 and their tenfolds that is not below the length. */
function roundStep(length: number): number {
  const power = 10 ** Math.floor(Math.log10(length));
  const factor = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= length * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** A number for an axis: `1 k`, `250 k`, `1.5 M`. */
export function short(value: number): string {
  if (value >= 1e6) return `${trim(value / 1e6)} M`;
  if (value >= 1e3) return `${trim(value / 1e3)} k`;
  return trim(value);
}

/** Microseconds in the unit that fits. */
export function shortTime(micros: number): string {
  if (micros >= 1e6) return `${trim(micros / 1e6)} s`;
  if (micros >= 1e3) return `${trim(micros / 1e3)} ms`;
  return `${trim(micros)} µs`;
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}
