import { localDays, type OutageSummary, summarizeOutages } from '../../log/outage-summary.ts';
import type { GapRecord, OutageReport, Reconciled } from '../../protocol/ledger.ts';
import {
  countOf,
  formatDate,
  formatMilliseconds,
  formatSpan,
  formatTimeOfDay,
  printable,
  type Style,
  usualChannels,
} from './style.ts';
import { tableLines } from './table.ts';

/** What `figd outages --json` prints: the period that was looked at, in unix milliseconds, and what was found in it. */
export interface OutageDocument {
  readonly since: number;
  readonly until: number;
  readonly livePercent: number;
  readonly completePercent: number;
  readonly blindMs: number;
  readonly gaps: readonly GapRecord[];
}

/** What was asked for: a moment, in unix milliseconds, and how to call the time from then to now. */
export interface Since {
  readonly at: number;
  /** `in the last 24h` */
  readonly words: string;
}

/** A ledger says nothing about the time before it was begun. */
function summaryOf({ beganAt, now, gaps }: OutageReport, { at }: Since): OutageSummary {
  return summarizeOutages(gaps, { since: Math.min(Math.max(at, beganAt), now), until: now });
}

export function outageDocument(report: OutageReport, asked: Since): OutageDocument {
  const { gaps: _, ...summary } = summaryOf(report, asked);
  return { ...summary, gaps: report.gaps };
}

/** The gaps in a table, oldest first; a line on the whole period; above two days a line on each. Ends with a line feed. */
export function outagesView(report: OutageReport, asked: Since, style: Style): string {
  const { gaps, now } = report;
  const total = summaryOf(report, asked);
  const period =
    total.since > asked.at
      ? `in the ${formatSpan(now - total.since)} since the ledger was begun (${moment(total.since)})`
      : asked.words;
  const lines = [
    ...table(gaps, now, style),
    ...(gaps.length === 0 ? [] : ['']),
    ...dayLines(gaps, total, style),
    `${style.bold(summaryLine(total, style))} ${period}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Above this, in milliseconds, the days of a period are told one by one. */
const daysApartMs = 48 * 3_600_000;

function dayLines(gaps: readonly GapRecord[], total: OutageSummary, style: Style): readonly string[] {
  if (total.until - total.since <= daysApartMs) return [];
  return localDays(total).map((day) => {
    return `${style.dim(formatDate(day.since))}  ${summaryLine(summarizeOutages(gaps, day, total.until), style)}`;
  });
}

function summaryLine(summary: OutageSummary, style: Style): string {
  const { livePercent, completePercent, gaps, blindMs } = summary;
  if (gaps === 0) return `${style.good('live 100 %')}, no gaps`;
  const complete =
    completePercent < livePercent ? [style.warning(`all channels ${formatPercent(completePercent)} %`)] : [];
  const isLive = livePercent === 100 && complete.length > 0;
  const live = isLive ? style.good('live 100 %') : style.warning(`live ${formatPercent(livePercent)} %`);
  return [live, ...complete, countOf(gaps, 'gap'), `${formatBlind(blindMs)} blind`].join(', ');
}

/** Two digits behind the point, rounded down: what has a gap is never 100. */
function formatPercent(percent: number): string {
  // 99.98 is 9998 hundredths also where the division before left 9997.999999999998.
  const hundredths = Math.floor(percent * 100 + 1e-9);
  return (Math.min(hundredths, 9_999) / 100).toFixed(2);
}

function formatBlind(ms: number): string {
  return ms < 100 ? formatMilliseconds(ms) : formatSpan(ms);
}

function table(gaps: readonly GapRecord[], now: number, style: Style): readonly string[] {
  if (gaps.length === 0) return [];
  const head = ['id', 'began', 'cause', 'blind', 'channels', 'reconciled'];
  return tableLines(
    head,
    gaps.map((gap) => cells(gap, now)),
    { rightAligned: 1, style },
  );
}

function cells({ id, since, until, blindMs, cause, channels, reconciled }: GapRecord, now: number): readonly string[] {
  const blind =
    until === null
      ? `still blind, ${formatBlind(Math.max(0, now - since))}`
      : formatBlind(blindMs ?? Math.max(0, until - since));
  return [String(id), moment(since), printable(cause), blind, channelWords(channels), reconciledWords(reconciled)];
}

function moment(unixMs: number): string {
  return `${formatDate(unixMs)} ${formatTimeOfDay(unixMs)}`;
}

function channelWords(channels: readonly string[]): string {
  if (channels.length === usualChannels.length && usualChannels.every((name) => channels.includes(name))) return 'all';
  const [first, second, ...others] = channels.map(printable);
  if (first === undefined) return '-';
  if (second === undefined) return first;
  return others.length === 0 ? `${first} ${second}` : `${first} and ${channels.length - 1} more`;
}

function reconciledWords(reconciled: Reconciled): string {
  if (reconciled === 'not-attempted') return 'not attempted';
  return reconciled === null ? 'pending' : reconciled ? 'yes' : 'no';
}
