import { parseDuration, UnitError } from '../../config/units.ts';
import { UsageError } from './arguments.ts';
import type { Since } from './outages-view.ts';

/** A date, or a date and a time, of ISO 8601; with a zone or in the one of this host. */
const isoDate = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * Where `--since` says to begin: a duration back from `now`, or a date.
 *
 * @param now unix milliseconds
 * @throws {UsageError}
 */
export function sinceArgument(text: string, now: number): Since {
  const date = dateIn(text);
  if (date !== undefined && date > now) throw new UsageError(`--since is in the past, and ${text} is not`);
  if (date !== undefined) return { at: date, words: `since ${text}` };
  try {
    return { at: Math.max(0, now - parseDuration(text)), words: `in the last ${text}` };
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw new UsageError(`--since is a duration such as 24h or 7d, or a date such as 2026-10-07T09:30, not ${text}`);
  }
}

function dateIn(text: string): number | undefined {
  const [, year, month, day, time = '00:00', zone = ''] = isoDate.exec(text) ?? [];
  const lastOfMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  // Date takes the 30th of February for the 2nd of March.
  if (year === undefined || Number(day) > lastOfMonth) return undefined;
  const at = Date.parse(`${year}-${month}-${day}T${time}${zone}`);
  return Number.isNaN(at) ? undefined : at;
}
