/** A line on standard output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A line nobody overlooks. */
export function warn(line: string): void {
  process.stdout.write(`\n!!! ${line}\n\n`);
}

/** With separators of thousands and as many decimals as a reader can use: three significant digits below 100. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A number of things, with separators of thousands. */
export function countOf(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString('en-US') : '–';
}
