import { type ContenderName, labels } from '../contenders/contender.ts';
import type { MemoryResult } from '../measures/memory.ts';
import { stallGroup } from '../measures/traffic.ts';
import { figure } from '../output.ts';
import { consumerCounts, medianOf, ratioOf, type Sample, slopeOf } from './samples.ts';

/** Resident memory that figd keeps to, in bytes. */
export const memoryLimit = 120e6;

/** A target, and what was measured. */
export interface Verdict {
  readonly what: string;
  readonly target: string;
  /** With its unit. */
  readonly measured: string;
  /** Null where it was not measured. */
  readonly isMet: boolean | null;
}

interface Bound {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly sense: 'at least' | 'at most' | 'below';
  readonly unit: string;
}

const brokers: readonly ContenderName[] = ['nats', 'redis', 'mosquitto'];

/** All targets against what was measured, figd with its journal on. */
export function verdicts(samples: readonly Sample[], memory: MemoryResult | null): readonly Verdict[] {
  return [
    ...throughputBounds(samples),
    ...latencyBounds(samples),
    stallBound(samples),
    {
      what: 'CPU per message and further consumer, flat out',
      value: slopeOf(samples, 'throughput', 'figd'),
      limit: 1.5,
      sense: 'below',
      unit: ' µs',
    } as const,
    ...daemonBounds(samples),
    memoryBound(memory),
  ].map(judge);
}

function judge({ what, value, limit, sense, unit }: Bound): Verdict {
  const sign = { 'at least': '≥', 'at most': '≤', below: '<' }[sense];
  const isMet = { 'at least': value >= limit, 'at most': value <= limit, below: value < limit }[sense];
  return {
    what,
    target: `${sign} ${limit}${unit}`,
    measured: Number.isFinite(value) ? `${figure(value)}${unit}` : '–',
    isMet: Number.isFinite(value) ? isMet : null,
  };
}

function throughputBounds(samples: readonly Sample[]): readonly Bound[] {
  const question = { measure: 'throughput', contender: 'figd', consumers: 10, value: 'perSecond' } as const;
  const against = (other: ContenderName, limit: number): Bound => ({
    what: `throughput to 10 consumers, against ${labels[other]}`,
    value: ratioOf(samples, question, [other], true),
    limit,
    sense: 'at least',
    unit: ' ×',
  });
  return [against('relay', 1.2), ...brokers.map((broker) => against(broker, 3))];
}

function latencyBounds(samples: readonly Sample[]): readonly Bound[] {
  return consumerCounts(samples, 'latency').flatMap((consumers) => {
    const ratio = (value: string) =>
      ratioOf(samples, { measure: 'latency', contender: 'figd', consumers, value }, ['relay'], false);
    const what = (name: string) => `${name} of the added latency to ${consumers}, against the relay`;
    return [
      { what: what('p50'), value: ratio('p50'), limit: 1.1, sense: 'at most', unit: ' ×' },
      { what: what('p99'), value: ratio('p99'), limit: 1.5, sense: 'at most', unit: ' ×' },
    ] as const;
  });
}

function stallBound(samples: readonly Sample[]): Bound {
  return {
    what: `p99 of ${stallGroup} consumers with a stalled one beside them, against without`,
    value: medianOf(samples, { measure: 'stall', contender: 'figd', value: 'ratio' }),
    limit: 1.1,
    sense: 'at most',
    unit: ' ×',
  };
}

function daemonBounds(samples: readonly Sample[]): readonly Bound[] {
  const milliseconds = (measure: 'start' | 'status' | 'reconnect' | 'rest') =>
    medianOf(samples, { measure, contender: 'figd', value: 'ms' });
  const seconds = (measure: 'start' | 'status' | 'reconnect') => milliseconds(measure) / 1_000;
  return [
    { what: 'start of figd until live', value: seconds('start'), limit: 1, sense: 'below', unit: ' s' },
    { what: '`figd status`, cold', value: seconds('status'), limit: 0.25, sense: 'below', unit: ' s' },
    {
      what: 'venue drops the connection, until live again',
      value: seconds('reconnect'),
      limit: 0.6,
      sense: 'below',
      unit: ' s',
    },
    {
      what: 'p50 that `gateway.sock` adds to a REST call',
      value: milliseconds('rest'),
      limit: 0.3,
      sense: 'at most',
      unit: ' ms',
    },
  ];
}

function memoryBound(memory: MemoryResult | null): Bound {
  const events = memory === null ? '' : ` after ${memory.events.toLocaleString('en-US')} events`;
  return {
    what: `resident memory${events}, ${memory?.consumers ?? 100} consumers, one stalled`,
    value:
      memory === null ? Number.NaN : Math.max(memory.half.resident, memory.sent.resident, memory.end.resident) / 1e6,
    limit: memoryLimit / 1e6,
    sense: 'at most',
    unit: ' MB',
  };
}
