import type { Contender } from '../contenders/contender.ts';
import { Histogram } from '../histogram.ts';
import type { Run, Stage } from '../stage.ts';

/** Once per measurement, for its connections. */
const warmUpMs = 200;
const warmUpEvents = 150;
/** Beyond what figd lets wait in a socket (1 MiB), so that the one who does not read is stuck when it counts. */
const fillMs = 150;
const stallConsumers = 10;

type Values = Readonly<Record<string, number>>;

/** Lets a contender run before anything is measured, also where only latencies are asked for. */
export async function warmUp(stage: Stage, contender: Contender, ms: number): Promise<void> {
  await stage.connect(contender, { reading: stallConsumers });
  await stage.flatOut(contender, ms, stallConsumers);
  await stage.disconnect();
}

/** Messages a second until the last consumer has the last one. */
export async function throughput(stage: Stage, contender: Contender, consumers: number, ms: number): Promise<Values> {
  await stage.connect(contender, { reading: consumers });
  await stage.flatOut(contender, warmUpMs, consumers);
  const run = await stage.flatOut(contender, ms, consumers);
  await stage.disconnect();
  const { startedAt } = run.sent;
  const seconds = (run.report.finishedAt - startedAt) / 1e9;
  return { ...common(run), perSecond: eventsOf(run) / seconds };
}

/** From the feed's send to the consumer's read, at 1,000 messages a second (µs). */
export async function latency(stage: Stage, contender: Contender, consumers: number, events: number): Promise<Values> {
  await stage.connect(contender, { reading: consumers });
  await stage.paced(contender, warmUpEvents);
  const run = await stage.paced(contender, events);
  await stage.disconnect();
  return { ...common(run), ...percentiles(run) };
}

/** What a consumer that never reads does to the latency of ten that do: the same twice, without it and with it. */
export async function stall(
  stage: Stage,
  contender: Contender,
  events: number,
  stalledFirst: boolean,
): Promise<Values> {
  const p99: Record<number, number> = {};
  for (const stalled of stalledFirst ? [1, 0] : [0, 1]) {
    await stage.connect(contender, { reading: stallConsumers, stalled });
    await stage.flatOut(contender, fillMs, stallConsumers);
    await stage.paced(contender, warmUpEvents);
    p99[stalled] = percentiles(await stage.paced(contender, events))['p99'] ?? Number.NaN;
    await stage.disconnect();
  }
  const [free = Number.NaN, stalled = Number.NaN] = [p99[0], p99[1]];
  return { p99Free: free, p99Stalled: stalled, ratio: stalled / free };
}

export const stallGroup = stallConsumers;

function eventsOf({ sent }: Run): number {
  return sent.last - sent.first + 1;
}

function common(run: Run): Values {
  const { missing, doubled } = run.report.reading;
  const events = eventsOf(run);
  const { contender, feed, consumers } = run.cpu;
  const micros = (nanoseconds: number) => nanoseconds / 1_000 / events;
  return {
    events,
    missing,
    doubled,
    cpuMicros: micros(contender),
    feedCpuMicros: micros(feed),
    consumersCpuMicros: micros(consumers),
  };
}

function percentiles({ report, sent }: Run): Values {
  const histogram = Histogram.from(report.latency);
  const micros = (fraction: number) => histogram.quantile(fraction) / 1_000;
  return {
    p50: micros(0.5),
    p99: micros(0.99),
    p999: micros(0.999),
    max: histogram.max / 1_000,
    perSecond: (sent.last - sent.first) / ((sent.endedAt - sent.startedAt) / 1e9),
  };
}
