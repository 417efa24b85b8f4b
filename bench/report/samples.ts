import type { ContenderName } from '../contenders/contender.ts';
import type { MeasureName } from '../options.ts';

/** What one measurement gave. Times are in microseconds where the name says so, else in milliseconds. */
export interface Sample {
  readonly measure: MeasureName;
  readonly contender: ContenderName | 'direct';
  readonly consumers: number;
  /** From 1. */
  readonly round: number;
  readonly values: Readonly<Record<string, number>>;
}

/** What is asked of a set of samples. */
export interface Question {
  readonly measure: MeasureName;
  readonly contender: Sample['contender'];
  /** Any number when absent. */
  readonly consumers?: number;
  readonly value: string;
}

/** The median over all rounds; NaN where nothing was measured. */
export function medianOf(samples: readonly Sample[], question: Question): number {
  return median([...byRound(samples, question).values()]);
}

/**
 * By how much a contender's figure is another's, round by round, and of that the median: what disturbs the machine for a
 * while disturbs both. Of several others the best in each round counts.
 */
export function ratioOf(
  samples: readonly Sample[],
  question: Question,
  others: readonly Sample['contender'][],
  moreIsBetter: boolean,
): number {
  const rivals = others.map((contender) => byRound(samples, { ...question, contender }));
  const ratios = [...byRound(samples, question)].map(([round, own]) => {
    const theirs = rivals.map((rival) => rival.get(round) ?? Number.NaN).filter(Number.isFinite);
    if (theirs.length === 0) return Number.NaN;
    return own / (moreIsBetter ? Math.max(...theirs) : Math.min(...theirs));
  });
  return median(ratios);
}

function byRound(
  samples: readonly Sample[],
  { measure, contender, consumers, value }: Question,
): ReadonlyMap<number, number> {
  const found = samples.filter(
    (sample) =>
      sample.measure === measure &&
      sample.contender === contender &&
      (consumers === undefined || sample.consumers === consumers),
  );
  return new Map(found.map(({ round, values }) => [round, values[value] ?? Number.NaN]));
}

/** The middle of the numbers, or between the two in the middle; NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.filter((number) => !Number.isNaN(number)).sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The contenders of which there are samples of a measure, in the given order. */
export function measured<Name extends Sample['contender']>(
  samples: readonly Sample[],
  measure: MeasureName,
  order: readonly Name[],
): readonly Name[] {
  return order.filter((name) => samples.some((sample) => sample.measure === measure && sample.contender === name));
}

/** The numbers of consumers a measure was made with, ascending. */
export function consumerCounts(samples: readonly Sample[], measure: MeasureName): readonly number[] {
  const counts = samples.filter((sample) => sample.measure === measure).map(({ consumers }) => consumers);
  return [...new Set(counts)].sort((one, other) => one - other);
}

/** CPU per message and further consumer (µs): the slope between 10 and 100 consumers; NaN where one is missing. */
export function slopeOf(
  samples: readonly Sample[],
  measure: 'throughput' | 'latency',
  contender: ContenderName,
): number {
  const at = (consumers: number) => medianOf(samples, { measure, contender, consumers, value: 'cpuMicros' });
  return (at(100) - at(10)) / 90;
}
