import type { LocalConsumer } from '../adapters/local-consumer.ts';
import type { Cursor } from '../log/cursor.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Clock } from '../protocol/clock.ts';
import type { ConsumerDetail, ConsumerState, ConsumersReport } from '../protocol/status.ts';
import { cut } from '../protocol/text.ts';

/** A connection that has subscribed. */
export type Subscriber = Pick<LocalConsumer, 'id' | 'bufferedBytes' | 'connectedAt'> & { readonly cursor: Cursor };

export interface ConsumersPorts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly maxConsumers: number;
  readonly subscribers: readonly Subscriber[];
}

const mostPatternsShown = 16;
const mostCharactersShown = 64;

/** A subscriber as the status shows it. */
export function consumerState({ id, cursor, bufferedBytes, connectedAt }: Subscriber): ConsumerState {
  return {
    id,
    channels: shownPatterns(cursor.filter.patterns),
    position: cursor.position,
    lag: cursor.lag,
    bufferedBytes,
    connectedAt,
  };
}

/** All there is to know of those who read. What is on disk is looked at for those who are that far behind, one by one. */
export async function consumersReport({
  log,
  clock,
  maxConsumers,
  subscribers,
}: ConsumersPorts): Promise<ConsumersReport> {
  const seen = subscribers.map((subscriber) => ({ ...consumerState(subscriber), reads: readsFrom(subscriber.cursor) }));
  const { head, epoch } = log;
  const consumers: ConsumerDetail[] = [];
  for (const consumer of seen) {
    const at = consumer.lag === 0 ? null : await log.receivedAt(epoch, consumer.position);
    const age = at === null ? null : Math.max(0, clock.wall() - at);
    consumers.push({ ...consumer, behindMs: consumer.lag === 0 ? 0 : age });
  }
  return { now: clock.wall(), head, maxConsumers, consumers };
}

function readsFrom(cursor: Cursor): ConsumerDetail['reads'] {
  if (cursor.lag === 0) return 'new';
  return cursor.isBehind ? 'disk' : 'memory';
}

/**
 * What a consumer has chosen, as far as it can be shown: its patterns may have 64 KiB, those of all consumers 16 MiB,
 * and whoever asks for the status would have it written once more.
 */
export function shownPatterns(patterns: readonly string[]): readonly string[] {
  const shown = patterns.slice(0, mostPatternsShown).map((pattern) => cut(pattern, mostCharactersShown));
  const others = patterns.length - shown.length;
  return others > 0 ? [...shown, `… and ${others} more`] : shown;
}
