import type { ConsumerDetail, ConsumersReport } from '../../protocol/status.ts';
import { countOf, formatBytes, formatCount, formatSpan, printable, type Style } from './style.ts';
import { tableLines } from './table.ts';

/** Who reads, in a table; or that nobody does. Ends with a line feed. */
export function consumersView({ consumers, now, head, maxConsumers }: ConsumersReport, style: Style): string {
  const room = `${formatCount(maxConsumers)} at most`;
  if (consumers.length === 0) return `no consumers: nobody has subscribed to events.sock (${room})\n`;
  const heading = ['id', 'next', 'behind', 'reads', 'buffered', 'connected for', 'channels'];
  const rows = consumers.map((consumer) => cells(consumer, now));
  const total = `${style.bold(countOf(consumers.length, 'consumer'))} (${room}), the newest event is ${formatCount(head)}`;
  return `${[...tableLines(heading, rows, { rightAligned: 2, style }), '', total].join('\n')}\n`;
}

function cells(consumer: ConsumerDetail, now: number): readonly string[] {
  const { id, position, bufferedBytes, connectedAt, channels, reads } = consumer;
  return [
    `#${id}`,
    formatCount(position),
    behind(consumer),
    { new: 'what is new', memory: 'from memory', disk: 'from disk' }[reads],
    bufferedBytes === 0 ? '-' : formatBytes(bufferedBytes),
    formatSpan(now - connectedAt),
    channels.map(printable).join(' '),
  ];
}

function behind({ lag, behindMs }: ConsumerDetail): string {
  if (lag === 0) return 'in step';
  return `${countOf(lag, 'event')}${behindMs === null ? '' : `, ${formatSpan(behindMs)}`}`;
}
