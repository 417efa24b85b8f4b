import type { Endpoint } from '../consumers/api.ts';
import type { ProtocolName } from '../wire/protocols.ts';

/** In the order of tables and plots. `direct` is the feed without anything between, the floor of the latencies. */
export const contenderNames = ['figd', 'figd-memory', 'relay', 'nats', 'redis', 'mosquitto'] as const;

export type ContenderName = (typeof contenderNames)[number];

/** Something that hands the feed's events to consumers, running. */
export interface Contender {
  readonly name: ContenderName | 'direct';
  readonly protocol: ProtocolName;
  readonly endpoint: Endpoint;
  /** The processes between feed and consumers, whose CPU time counts. */
  readonly pids: readonly number[];
}

/** Where a contender finds the feed and keeps its files. */
export interface Place {
  readonly feedPort: number;
  /** A directory of its own. */
  readonly directory: string;
}

/** The URL of the feed's socket for a contender. */
export function feedUrl({ feedPort }: Pick<Place, 'feedPort'>, name: string): string {
  return `ws://127.0.0.1:${feedPort}/${name}/ws/v1`;
}

/** What the tables call it. */
export const labels: Readonly<Record<ContenderName | 'direct', string>> = {
  figd: 'figd',
  'figd-memory': 'figd, no journal',
  relay: 'minimal relay',
  nats: 'NATS',
  redis: 'Redis',
  mosquitto: 'Mosquitto',
  direct: 'feed alone',
};
