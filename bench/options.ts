import { parseArgs } from 'node:util';
import { type ContenderName, contenderNames } from './contenders/contender.ts';

export const measureNames = ['throughput', 'latency', 'stall', 'start', 'status', 'rest', 'reconnect'] as const;

export type MeasureName = (typeof measureNames)[number];

export interface Options {
  readonly mode: 'compare' | 'memory' | 'profile';
  readonly measures: readonly MeasureName[];
  readonly contenders: readonly ContenderName[];
  /** Numbers of consumers, for throughput and latency. */
  readonly consumers: readonly number[];
  readonly rounds: number;
  readonly sizes: Sizes;
  /** Directory of the results. */
  readonly out: string;
  /** Directory of the CPU profile, in mode `profile`. */
  readonly profile: string;
  /** How many events are sent in mode `memory`. */
  readonly events: number;
}

/** How much is measured at a time. */
export interface Sizes {
  /** How long each contender runs before anything is measured, in milliseconds. */
  readonly warmUpMs: number;
  /** How long the feed sends flat out, in milliseconds. */
  readonly throughputMs: number;
  /** Events at 1,000 a second. */
  readonly latencyEvents: number;
  readonly stallEvents: number;
  /** Times figd is started, asked for its status, and dropped by the venue. */
  readonly starts: number;
  readonly statuses: number;
  readonly drops: number;
  /** Runs of REST calls through `gateway.sock` and beside it. */
  readonly restRuns: number;
}

const full: Sizes = {
  warmUpMs: 1_000,
  throughputMs: 2_000,
  latencyEvents: 4_000,
  stallEvents: 5_000,
  starts: 7,
  statuses: 9,
  drops: 11,
  restRuns: 9,
};
const quick: Sizes = {
  warmUpMs: 300,
  throughputMs: 500,
  latencyEvents: 700,
  stallEvents: 800,
  starts: 2,
  statuses: 3,
  drops: 3,
  restRuns: 2,
};
const fullRounds = 5;
/** Long enough for the start of the process to be a small part of its profile; also its events, at 1,000 a second. */
const profiledMs = 10_000;
const defaultEvents = 10_000_000;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `npm run bench -- [options]

  --quick               a smoke of about a minute, without the reconnects
  --only LIST           of ${measureNames.join(', ')}
  --contenders LIST     of ${contenderNames.join(', ')}
  --consumers LIST      numbers of consumers for throughput and latency (1,10,100)
  --rounds N            how often all is repeated (${fullRounds}, quick 1)
  --out DIR             where the results go (bench/results)
  --memory              instead: figd's memory over ten million events to 100 consumers
  --events N            events in the memory mode (${defaultEvents})
  --cpu-prof DIR        instead: one round with figd under --cpu-prof (throughput, or --only latency)
`;

/** @throws {UsageError} */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  if (values.help === true) throw new UsageError('');
  const isQuick = values.quick === true;
  const profile = values['cpu-prof'] ?? '';
  if (values.memory === true && profile !== '') throw new UsageError('--memory and --cpu-prof are two different runs');
  const standard = isQuick ? measureNames.filter((name) => name !== 'reconnect') : measureNames;
  const isProfile = profile !== '';
  return {
    mode: values.memory === true ? 'memory' : isProfile ? 'profile' : 'compare',
    measures: list('only', values.only, isProfile ? ['throughput'] : standard, measureNames),
    contenders: list('contenders', values.contenders, isProfile ? ['figd'] : contenderNames, contenderNames),
    consumers: numbers(values.consumers, isProfile ? [10] : [1, 10, 100]),
    rounds: isProfile ? 1 : whole('rounds', values.rounds, isQuick ? 1 : fullRounds),
    sizes: isProfile ? { ...full, throughputMs: profiledMs, latencyEvents: profiledMs } : isQuick ? quick : full,
    out: values.out ?? 'bench/results',
    profile,
    events: whole('events', values.events, defaultEvents),
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    quick: flag,
    memory: flag,
    help: flag,
    only: text,
    contenders: text,
    consumers: text,
    rounds: text,
    out: text,
    events: text,
    'cpu-prof': text,
  };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'bad options');
  }
}

function list<Name extends string>(
  option: string,
  value: string | undefined,
  standard: readonly Name[],
  known: readonly Name[],
): readonly Name[] {
  if (value === undefined) return standard;
  const asked = value.split(',');
  const unknown = asked.find((name) => !known.some((other) => other === name));
  if (unknown !== undefined) throw new UsageError(`--${option}: ${unknown} is none of ${known.join(', ')}`);
  return known.filter((name) => asked.includes(name));
}

function numbers(value: string | undefined, standard: readonly number[]): readonly number[] {
  return value === undefined ? standard : value.split(',').map((text) => whole('consumers', text, 1));
}

function whole(option: string, value: string | undefined, standard: number): number {
  const number = value === undefined ? standard : Number(value);
  if (!Number.isSafeInteger(number) || number < 1) throw new UsageError(`--${option}: a whole number from 1 up`);
  return number;
}
