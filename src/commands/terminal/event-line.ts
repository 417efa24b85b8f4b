import { isRecord } from '../../protocol/json-rpc.ts';
import { type EventParams, gapChannel, type Lost, stateChannel } from '../../protocol/local.ts';
import type { OverallState } from '../../protocol/status.ts';
import { cut } from '../../protocol/text.ts';
import { countOf, formatCount, formatSpan, formatTimeOfDay, printable, type Style } from './style.ts';

/** What is shown of a message in which nothing is known. */
const excerptLength = 160;

/** How deep in a frame its payload is looked for: `params.data`, and an array in it, with a level to spare. */
const payloadDepth = 4;

/**
 * An event on one line for people: time of day here, sequence number, channel, and what it says, without a line break.
 * What a payload does not have is left out; a payload of an unknown kind is shown as it came, cut short.
 */
export function eventLine({ seq, channel, receivedAt, message }: EventParams, style: Style): string {
  const time = style.dim(formatTimeOfDay(receivedAt));
  const number = style.dim(String(seq).padStart(7));
  return `${time} ${number}  ${style.channel(printable(channel).padEnd(15))}  ${summary(channel, message, style)}`;
}

/** Events that will never come, on one line; `to` is null where nobody knows how many there were. */
export function lostLine(lost: LostRange, style: Style): string {
  const { from, to, reason } = lost;
  const [first, last] = [from, to].map((seq) => (seq === null ? null : formatCount(seq)));
  const until = last === null ? 'of an earlier epoch' : `up to ${last}`;
  const range = first === null ? until : last === null ? `from ${first} on` : `${first} to ${last}`;
  return style.bad(`lost: events ${range} (${reason})`);
}

/**
 * A range as the daemon tells it, or what is missing of an epoch that is over; `from` is null where nobody knows which
 * event was the first since a moment.
 */
export interface LostRange {
  readonly from: number | null;
  readonly to: number | null;
  readonly reason: Lost['reason'] | 'epoch';
}

/** Colour of a state: green when all is well, yellow when part of it is, red when nothing is. */
export function paintState(state: OverallState, text: string, style: Style): string {
  if (state === 'live') return style.good(text);
  return state === 'degraded' ? style.warning(text) : style.bad(text);
}

function summary(channel: string, message: unknown, style: Style): string {
  if (channel === stateChannel && isRecord(message)) return stateSummary(message, style);
  if (channel === gapChannel && isRecord(message)) return gapSummary(message, style);
  const [first, ...others] = payloads(message, payloadDepth);
  if (first === undefined) return printable(excerpt(message));
  const text = 'rfqQuoteId' in first ? quoteSummary(first, style) : rfqSummary(first, style);
  return others.length === 0 ? text : `${text}  ${style.dim(`and ${others.length} more`)}`;
}

function stateSummary({ state, previous, reason, next }: Record<string, unknown>, style: Style): string {
  // A new reason for the same state is told as well.
  const changed = typeof previous === 'string' && previous !== state;
  const change = changed ? words(previous, '→', state) : words(state);
  const painted = paintState(state as OverallState, change, style);
  return joined(style.bold(painted), words(reason), style.dim(words(next)));
}

function gapSummary(gap: Record<string, unknown>, style: Style): string {
  if (gap['phase'] === 'open') {
    return joined(style.bad(words('gap', gap['id'], 'opened')), words(gap['cause']), style.dim(list(gap['channels'])));
  }
  const { id, blindMs, reconciled } = gap;
  const blind = typeof blindMs === 'number' ? `blind for ${formatSpan(blindMs)}` : '';
  if (reconciled === true) return joined(style.good(words('gap', id, 'closed')), blind, 'reconciled');
  const rest =
    reconciled === false ? style.bad('not reconciled: events may be missing') : 'reconciliation not attempted';
  return joined(style.warning(words('gap', id, 'closed')), blind, rest);
}

function rfqSummary(rfq: Record<string, unknown>, style: Style): string {
  const { rfqId, status, baseCurrency, description, amount, role, quotes } = rfq;
  const traded = rfq['tradePrice'];
  return joined(
    style.bold(words('RFQ', rfqId, status)),
    words(baseCurrency, description, times(amount)),
    words(role),
    Array.isArray(quotes) && quotes.length > 0 && status === 'open' ? countOf(quotes.length, 'quote') : '',
    traded === undefined ? '' : words('traded', rfq['tradeDirection'], traded, times(rfq['tradeAmount'])),
  );
}

function quoteSummary(quote: Record<string, unknown>, style: Style): string {
  const { rfqQuoteId, rfqId, direction, price, amount, event } = quote;
  return joined(
    style.bold(words('quote', rfqQuoteId, rfqId === undefined ? undefined : `on RFQ ${words(rfqId)}`)),
    words(direction, price, times(amount)),
    words(event),
  );
}

/** The RFQs and quotes in a frame, wherever its envelope puts them; not those inside an RFQ. */
function payloads(value: unknown, depth: number): readonly Record<string, unknown>[] {
  if (isRecord(value) && ('rfqId' in value || 'rfqQuoteId' in value)) return [value];
  if (depth === 0 || typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner: unknown) => payloads(inner, depth - 1));
}

function times(amount: unknown): string | undefined {
  return amount === undefined ? undefined : `×${words(amount)}`;
}

function list(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => words(value)).join(', ') : '';
}

/** What there is of some values, with a space between; nested ones are not for a line. */
function words(...values: readonly unknown[]): string {
  const shown = values.filter((value) => typeof value === 'string' || typeof value === 'number');
  return printable(shown.join(' '));
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('  ');
}

function excerpt(message: unknown): string {
  const text = typeof message === 'string' ? message : (JSON.stringify(message) ?? '');
  return cut(text, excerptLength);
}
