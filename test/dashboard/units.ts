const kibi = 1_024;

/** Steps of a unit: from which value on, what it is divided by, and what is written behind it. */
const steps: Readonly<Record<string, readonly (readonly [from: number, divisor: number, suffix: string])[]>> = {
  s: [
    [86_400, 86_400, ' days'],
    [3_600, 3_600, ' hours'],
    [60, 60, ' mins'],
    [1, 1, ' s'],
    [1e-3, 1e-3, ' ms'],
    [0, 1e-6, ' µs'],
  ],
  bytes: [
    [kibi ** 3, kibi ** 3, ' GiB'],
    [kibi ** 2, kibi ** 2, ' MiB'],
    [kibi, kibi, ' KiB'],
    [0, 1, ' B'],
  ],
  short: [
    [1e6, 1e6, ' Mil'],
    [1e3, 1e3, ' K'],
    [0, 1, ''],
  ],
  eps: [[0, 1, ' evt/s']],
  reqps: [[0, 1, ' req/s']],
  percentunit: [[0, 0.01, '%']],
  none: [[0, 1, '']],
};

/** By what values up to this one are divided where they are written, so that an axis has round figures. */
export function divisorOf(unit: string, most: number): number {
  return steps[unit]?.find(([from]) => most >= from && most > 0)?.[1] ?? 1;
}

/** A value as Grafana writes it. @throws where Grafana's unit is not known here */
export function inUnit(unit: string, value: number, decimals?: number): string {
  if (unit === 'dtdhms') return inDays(value);
  const known = steps[unit];
  if (known === undefined) throw new Error(`${unit} is a unit that is not known here`);
  const large = value === 0 ? undefined : known.find(([from]) => Math.abs(value) >= from);
  // Nothing is 0 s, and not 0 µs.
  const [, divisor, suffix] = large ?? known.find(([from]) => from === 1) ?? known.at(-1) ?? [0, 1, ''];
  const scaled = value / divisor;
  return `${scaled.toFixed(decimals ?? decimalsFor(scaled))}${suffix}`;
}

/** Grafana's choice: three digits that count, and none behind a whole number. */
function decimalsFor(value: number): number {
  return Math.abs(value - Math.round(value)) < 1e-9 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
}

function inDays(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const time = new Date((seconds - days * 86_400) * 1_000).toISOString().slice(11, 19);
  return days > 0 ? `${days} d ${time}` : time;
}
