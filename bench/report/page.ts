import { type ContenderName, contenderNames, labels } from '../contenders/contender.ts';
import { isBusy, type Machine } from '../machine.ts';
import { type MemoryResult, megabytes } from '../measures/memory.ts';
import type { MeasureName } from '../options.ts';
import { countOf, figure } from '../output.ts';
import { consumerCounts, measured, medianOf, ratioOf, type Sample, slopeOf } from './samples.ts';
import { verdicts } from './targets.ts';

export interface Results {
  readonly machine: Machine;
  readonly samples: readonly Sample[];
  readonly memory: MemoryResult | null;
  /** Of the run in which memory was measured, which may be another one. */
  readonly memoryMachine?: Machine;
}

const brokers: readonly ContenderName[] = ['nats', 'redis', 'mosquitto'];

/** All results as a page of Markdown. */
export function resultsPage({ machine, samples, memory, memoryMachine = machine }: Results): string {
  return (
    [
      '# Results of the benchmark',
      describe(machine, samples),
      'What each figure is, and how to read it: [docs/benchmarks.md](../../docs/benchmarks.md). All are medians over the rounds, ratios too.',
      '## Targets',
      table(
        ['', 'target', 'measured', ''],
        verdicts(samples, memory).map(({ what, target, measured: value, isMet }) => [what, target, value, mark(isMet)]),
      ),
      ...traffic(samples),
      ...stalls(samples),
      ...daemon(samples),
      ...memorySection(memory, memoryMachine),
    ].join('\n\n') + '\n'
  );
}

function mark(isMet: boolean | null): string {
  if (isMet === null) return 'not measured';
  return isMet ? '✓' : '✗ missed';
}

function describe(machine: Machine, samples: readonly Sample[]): string {
  const { date, cpu, cores, memoryBytes, load, kernel, node, commit, brokers: versions } = machine;
  const rounds = Math.max(0, ...samples.filter(({ measure }) => measure === 'throughput').map(({ round }) => round));
  const found = brokers.map(
    (name) => `${labels[name]} ${versions[name as keyof Machine['brokers']] ?? '(not installed)'}`,
  );
  const what = commit === null ? '' : `figd ${commit}, `;
  return `${date.slice(0, 10)}, ${what}${cpu}, ${cores} cores, ${figure(memoryBytes / 2 ** 30)} GiB, Linux ${kernel}, Node ${node}, ${found.join(', ')}; ${rounds} round${rounds === 1 ? '' : 's'}; load before ${figure(load)}.${isBusy(machine) ? ' **The machine was busy.**' : ''}`;
}

interface Column {
  readonly measure: MeasureName;
  readonly title: string;
  readonly value: string;
  readonly unit: string;
  /** Whether a larger figure is the better one. */
  readonly moreIsBetter: boolean;
}

const columns: readonly Column[] = [
  { measure: 'throughput', title: 'Throughput', value: 'perSecond', unit: 'messages/s', moreIsBetter: true },
  { measure: 'throughput', title: 'CPU per message, flat out', value: 'cpuMicros', unit: 'µs', moreIsBetter: false },
  { measure: 'latency', title: 'Added latency at 1,000/s, p50', value: 'p50', unit: 'µs', moreIsBetter: false },
  { measure: 'latency', title: 'Added latency at 1,000/s, p99', value: 'p99', unit: 'µs', moreIsBetter: false },
  { measure: 'latency', title: 'Added latency at 1,000/s, p99.9', value: 'p999', unit: 'µs', moreIsBetter: false },
  { measure: 'latency', title: 'CPU per message at 1,000/s', value: 'cpuMicros', unit: 'µs', moreIsBetter: false },
];

function traffic(samples: readonly Sample[]): readonly string[] {
  return columns
    .filter(({ measure }) => consumerCounts(samples, measure).length > 0)
    .flatMap((column) => [`## ${column.title}`, note(column, samples), comparison(column, samples)])
    .filter((part) => part !== '');
}

function note({ measure, value, unit, moreIsBetter }: Column, samples: readonly Sample[]): string {
  const direction = `${unit}, ${moreIsBetter ? 'more' : 'less'} is better.`;
  if (value === 'cpuMicros' && (measure === 'throughput' || measure === 'latency')) {
    const slopes = measured(samples, measure, contenderNames)
      .map((name) => `${labels[name]} ${figure(slopeOf(samples, measure, name))}`)
      .join(', ');
    return `${direction} Per further consumer, between 10 and 100 (µs): ${slopes}.`;
  }
  if (measure !== 'latency') return direction;
  const floor = medianOf(samples, { measure, contender: 'direct', consumers: 1, value });
  return `${direction} The feed alone, straight to one consumer: ${figure(floor)} ${unit}.`;
}

/** A row for each contender; for each number of consumers the figure, and its ratios to the relay and the best broker. */
function comparison({ measure, value, moreIsBetter }: Column, samples: readonly Sample[]): string {
  const counts = consumerCounts(samples, measure).filter((count) =>
    samples.some((sample) => sample.measure === measure && sample.consumers === count && sample.contender !== 'direct'),
  );
  const head = ['', ...counts.flatMap((count) => [`to ${count}`, '÷ relay', '÷ best broker'])];
  const rows = measured(samples, measure, contenderNames).map((name) => [
    labels[name],
    ...counts.flatMap((consumers) => {
      const question = { measure, contender: name, consumers, value };
      const own = medianOf(samples, question);
      const against = (others: readonly ContenderName[]) => figure(ratioOf(samples, question, others, moreIsBetter));
      return [figure(own), against(['relay']), against(brokers)];
    }),
  ]);
  return table(head, rows);
}

function stalls(samples: readonly Sample[]): readonly string[] {
  const rows = measured(samples, 'stall', contenderNames).map((contender) => {
    const at = (value: string) => figure(medianOf(samples, { measure: 'stall', contender, value }));
    return [labels[contender], at('p99Free'), at('p99Stalled'), at('ratio')];
  });
  if (rows.length === 0) return [];
  return [
    '## A stalled consumer',
    'p99 of ten consumers at 1,000/s, µs.',
    table(['', 'without', 'with', 'ratio'], rows),
  ];
}

const daemonRows = [
  { measure: 'start', what: 'start of the process until live' },
  { measure: 'status', what: '`figd status`, a new process each time' },
  { measure: 'rest', what: 'what `gateway.sock` adds to a REST call, p50' },
  { measure: 'reconnect', what: 'venue drops the connection, until live again' },
] as const;

function daemon(samples: readonly Sample[]): readonly string[] {
  const rows = daemonRows.flatMap(({ measure, what }) => {
    const all = samples.filter((sample) => sample.measure === measure).map(({ values }) => values['ms'] ?? Number.NaN);
    if (all.length === 0) return [];
    const middle = medianOf(samples, { measure, contender: 'figd', value: 'ms' });
    return [[what, figure(middle), figure(Math.min(...all)), figure(Math.max(...all)), String(all.length)]];
  });
  return rows.length === 0 ? [] : ['## The daemon', table(['ms', 'median', 'least', 'most', 'runs'], rows)];
}

function memorySection(memory: MemoryResult | null, { date, commit }: Machine): readonly string[] {
  if (memory === null) return [];
  const { before, half, sent, end, most, events, consumers, sendingSeconds, catchingUpSeconds, returns } = memory;
  const verdict = memory.isComplete
    ? 'Each consumer got each event exactly once.'
    : '**Not every consumer got every event once.**';
  const told = (['reading', 'stalled', 'restless'] as const)
    .map((group) => {
      const { messages, missing, doubled } = memory[group];
      return `${group} ${countOf(messages)} delivered, ${countOf(missing)} missing, ${countOf(doubled)} doubled`;
    })
    .join('; ');
  return [
    '## Memory',
    `${date.slice(0, 10)}, ${labels[memory.contender]} ${commit}: ${countOf(events)} events of about 200 bytes to ${consumers} consumers in ${figure(sendingSeconds)} s, ` +
      `one of them stalled all the time (then it read on for ${figure(catchingUpSeconds)} s), one that came back ${countOf(returns)} times. ` +
      `${verdict} (${told}.)`,
    table(
      ['', 'before', 'at half time', 'all sent', 'stalled one has caught up', 'most'],
      [
        ['resident', ...[before, half, sent, end, most].map(({ resident }) => megabytes(resident))],
        ['of which anonymous', ...[before, half, sent, end, most].map(({ anonymous }) => megabytes(anonymous))],
      ],
    ),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
