import { styleText } from 'node:util';

type Paint = (text: string) => string;

/** How text is emphasised; on a plain style every paint returns its text. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly warning: Paint;
  readonly bad: Paint;
  /** A colour of its own for each channel, the same in every run. */
  readonly channel: Paint;
}

const same: Paint = (text) => text;

/** No colour at all: for pipes, files and tests. */
export const plain: Style = { bold: same, dim: same, good: same, warning: same, bad: same, channel: same };

/** Colours of the terminal's own palette, so that they suit its theme. */
export const coloured: Style = {
  bold: paint('bold'),
  dim: paint('dim'),
  good: paint('green'),
  warning: paint('yellow'),
  bad: paint('red'),
  channel: (text) => styleText(channelColour(text.trim()), text, { validateStream: false }),
};

/** {@link coloured} for a terminal that can show it, unless NO_COLOR (https://no-color.org) is set; else {@link plain}. */
export function styleFor(isTerminal: boolean, env: NodeJS.ProcessEnv): Style {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return isTerminal && !refused ? coloured : plain;
}

function paint(format: 'bold' | 'dim' | 'green' | 'yellow' | 'red'): Paint {
  return (text) => styleText(format, text, { validateStream: false });
}

const channelColours = ['cyan', 'magenta', 'blue', 'cyanBright', 'magentaBright', 'blueBright'] as const;
/** The channels the venue documents, which figd subscribes to unless told otherwise. */
export const usualChannels = ['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'];

function channelColour(channel: string): (typeof channelColours)[number] {
  const place = usualChannels.indexOf(channel);
  const index = place === -1 ? [...channel].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) : place;
  return channelColours[index % channelColours.length] ?? 'cyan';
}

/**
 * A length of time for people: `0.2 s`, `12 s`, `2m 5s`, `41m`, `3h 12m`, `2d 4h`. Never rounded up, so that `41m` means
 * that 41 minutes are over, or left. Below nothing is nothing.
 */
export function formatSpan(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes}m ${seconds % 60}s`;
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${minutes % 60}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** A round trip or an offset in milliseconds, with a digit behind the point while it is small: `0.8 ms`, `142 ms`. */
export function formatMilliseconds(ms: number): string {
  return `${Math.abs(ms) < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** A number with its thousands apart: `12,345`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A count and its noun: `1 consumer`, `2 consumers`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Bytes in binary units: `512 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const unit = Math.min(4, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return unit === 0 ? `${bytes} B` : `${(bytes / 1024 ** unit).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
}

/** The date here: `2026-10-07`. */
export function formatDate(unixMs: number): string {
  const at = new Date(unixMs);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Time of day here, with milliseconds: `09:20:00.123`. */
export function formatTimeOfDay(unixMs: number): string {
  const at = new Date(unixMs);
  const two = (part: number) => String(part).padStart(2, '0');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}

/** Text from elsewhere made safe to show on one line: control characters could move the cursor or hide what follows. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}
