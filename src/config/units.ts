import { cut } from '../protocol/text.ts';

/** A text that is no duration or no size. The message says what is wrong and, after a semicolon, what to write. */
export class UnitError extends Error {
  override readonly name = 'UnitError';
}

interface Quantity {
  readonly noun: string;
  readonly example: string;
  /** The unit proposed for a number without one. */
  readonly usual: string;
  /** Unit → how many of the smallest unit it is, from large to small. */
  readonly units: ReadonlyMap<string, number>;
  /** Spellings people bring from elsewhere, in lower case → the unit meant. */
  readonly aliases: ReadonlyMap<string, string>;
}

const duration: Quantity = {
  noun: 'duration',
  example: '500ms, 10s, 5m, 24h or 7d',
  usual: 's',
  units: new Map([
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ]),
  aliases: new Map([
    ['sec', 's'],
    ['secs', 's'],
    ['second', 's'],
    ['seconds', 's'],
    ['min', 'm'],
    ['mins', 'm'],
    ['minute', 'm'],
    ['minutes', 'm'],
    ['hour', 'h'],
    ['hours', 'h'],
    ['day', 'd'],
    ['days', 'd'],
  ]),
};

const size: Quantity = {
  noun: 'size',
  example: '1024B, 64KiB, 1MiB or 2GiB',
  usual: 'MiB',
  units: new Map([
    ['TiB', 1024 ** 4],
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
    ['B', 1],
  ]),
  aliases: new Map([
    ['k', 'KiB'],
    ['kb', 'KiB'],
    ['m', 'MiB'],
    ['mb', 'MiB'],
    ['g', 'GiB'],
    ['gb', 'GiB'],
    ['t', 'TiB'],
    ['tb', 'TiB'],
  ]),
};

/** What {@link parseDuration} accepts, for JSON Schema: a whole number and its unit. */
export const durationPattern = '^[0-9]+(ms|s|m|h|d)$';

/** What {@link parseSize} accepts, for JSON Schema: a whole number and its binary unit (IEC 80000-13). */
export const sizePattern = '^[0-9]+(B|KiB|MiB|GiB|TiB)$';

/**
 * Milliseconds of a duration such as `500ms`, `10s`, `5m`, `24h` or `7d`.
 *
 * @throws {UnitError} when the text is anything else; a number without a unit is answered with one to write.
 */
export function parseDuration(text: string): number {
  return parse(duration, text);
}

/**
 * Bytes of a size such as `1024B`, `64KiB`, `1MiB` or `2GiB`; a KiB is 1024 bytes.
 *
 * @throws {UnitError} when the text is anything else; a number without a unit is answered with one to write.
 */
export function parseSize(text: string): number {
  return parse(size, text);
}

/**
 * Writes whole milliseconds in the largest unit that keeps them exact: 90000 is `90s`, 86400000 is `1d`.
 *
 * @throws {RangeError} for anything but a whole number from 0 up.
 */
export function formatDuration(milliseconds: number): string {
  return format(duration, milliseconds);
}

/**
 * Writes whole bytes in the largest unit that keeps them exact: 65536 is `64KiB`.
 *
 * @throws {RangeError} for anything but a whole number from 0 up.
 */
export function formatSize(bytes: number): string {
  return format(size, bytes);
}

function parse(quantity: Quantity, text: string): number {
  const match = /^([0-9]+)([A-Za-z]+)$/.exec(text);
  const factor = quantity.units.get(match?.[2] ?? '');
  if (factor === undefined) {
    throw new UnitError(explain(quantity, text));
  }
  const amount = Number(match?.[1]) * factor;
  if (!Number.isSafeInteger(amount)) {
    throw new UnitError(`${shorten(text)} is too large; write a ${quantity.noun} such as ${quantity.example}`);
  }
  return amount;
}

function explain(quantity: Quantity, text: string): string {
  const near = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*$/.exec(text);
  const digits = near?.[1];
  const written = near?.[2] ?? '';
  const general = `write a ${quantity.noun} such as ${quantity.example}`;
  if (digits === undefined) {
    return `${shorten(text)} is not a ${quantity.noun}; ${general}`;
  }
  if (written === '') {
    return `${shorten(text)} has no unit; write ${digits.includes('.') ? general.slice(6) : digits + quantity.usual}`;
  }
  const unit = meant(quantity, written);
  const factor = quantity.units.get(unit ?? '');
  const amount = Number(digits) * (factor ?? Number.NaN);
  const advice =
    Number.isSafeInteger(amount) && unit !== undefined ? `write ${exact(quantity, digits, unit)}` : general;
  return `${shorten(text)} is not a ${quantity.noun}; ${advice}`;
}

function exact(quantity: Quantity, digits: string, unit: string): string {
  return digits.includes('.')
    ? format(quantity, Number(digits) * (quantity.units.get(unit) ?? Number.NaN))
    : digits + unit;
}

function meant(quantity: Quantity, written: string): string | undefined {
  const lower = written.toLowerCase();
  return [...quantity.units.keys()].find((unit) => unit.toLowerCase() === lower) ?? quantity.aliases.get(lower);
}

function format(quantity: Quantity, amount: number): string {
  if (!Number.isSafeInteger(amount) || amount < 0) {
    throw new RangeError(`a ${quantity.noun} is a whole number from 0 up, not ${amount}`);
  }
  if (amount === 0) {
    return quantity === duration ? '0s' : '0B';
  }
  for (const [unit, factor] of quantity.units) {
    if (amount % factor === 0) {
      return amount / factor + unit;
    }
  }
  throw new RangeError(`no unit fits ${amount}`);
}

function shorten(text: string): string {
  const shown = cut(text, 40);
  return shown.trim() === '' || /\s/.test(shown) ? JSON.stringify(shown) : shown;
}
