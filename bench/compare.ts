import type { Contender, ContenderName } from './contenders/contender.ts';
import { labels } from './contenders/contender.ts';
import { direct, startContender } from './contenders/start.ts';
import type { Machine } from './machine.ts';
import { reconnectTimes, startTime, statusTimes } from './measures/daemon.ts';
import { addedTimes } from './measures/rest.ts';
import { latency, stall, stallGroup, throughput, warmUp } from './measures/traffic.ts';
import type { MeasureName, Options } from './options.ts';
import { figure, say, warn } from './output.ts';
import type { Sample } from './report/samples.ts';
import type { Stage } from './stage.ts';

/** The contenders that can run here, in order. One whose program is missing is passed over, loudly. */
export async function startContenders(stage: Stage, options: Options, machine: Machine): Promise<readonly Contender[]> {
  const present = options.contenders.filter((name) => !isMissing(name, machine));
  for (const name of options.contenders) {
    if (present.includes(name)) continue;
    warn(`${labels[name]} IS NOT INSTALLED and is left out: the ratios to the brokers are incomplete`);
  }
  return Promise.all(
    present.map((name) => {
      const profiling = options.mode === 'profile' && name.startsWith('figd');
      const variation = profiling ? { nodeArguments: profileArguments(options.profile) } : {};
      return startContender(name, stage.place(name), variation);
    }),
  );
}

/** Node's arguments for a CPU profile. */
function profileArguments(directory: string): readonly string[] {
  return ['--cpu-prof', '--cpu-prof-dir', directory, '--cpu-prof-interval', '200'];
}

function isMissing(name: ContenderName, { brokers }: Machine): boolean {
  return name in brokers && brokers[name as keyof Machine['brokers']] === null;
}

/** Measures all there is to measure, round by round, so that a machine that gets slower is slower for everybody. */
export class Comparison {
  readonly #stage: Stage;
  readonly #options: Options;
  readonly #contenders: readonly Contender[];
  readonly #samples: Sample[] = [];
  #faults = 0;

  constructor(stage: Stage, options: Options, contenders: readonly Contender[]) {
    this.#stage = stage;
    this.#options = options;
    this.#contenders = contenders;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Measurements that failed, and those in which figd or the relay lost or doubled something. */
  get faults(): number {
    return this.#faults;
  }

  async run(): Promise<void> {
    const { measures, rounds, sizes } = this.#options;
    for (const contender of this.#contenders) {
      await this.#attempt(`warming up ${labels[contender.name]}`, () => warmUp(this.#stage, contender, sizes.warmUpMs));
    }
    for (let round = 1; round <= rounds; round += 1) {
      if (measures.includes('throughput')) await this.#throughput(round);
      if (measures.includes('latency')) await this.#latency(round);
      if (measures.includes('stall')) await this.#stall(round);
    }
    if (this.#options.contenders.includes('figd')) await this.#daemon();
  }

  async #throughput(round: number): Promise<void> {
    const { consumers, sizes } = this.#options;
    for (const count of consumers) {
      for (const contender of this.#contenders) {
        await this.#measure('throughput', contender, count, round, () =>
          throughput(this.#stage, contender, count, sizes.throughputMs),
        );
      }
    }
  }

  async #latency(round: number): Promise<void> {
    const { consumers, sizes } = this.#options;
    const events = sizes.latencyEvents;
    const floor = direct({ feedPort: this.#stage.feedPort });
    await this.#measure('latency', floor, 1, round, () => latency(this.#stage, floor, 1, events));
    for (const count of consumers) {
      for (const contender of this.#contenders) {
        await this.#measure('latency', contender, count, round, () => latency(this.#stage, contender, count, events));
      }
    }
  }

  async #stall(round: number): Promise<void> {
    const { stallEvents } = this.#options.sizes;
    for (const contender of this.#contenders) {
      await this.#measure('stall', contender, stallGroup, round, () =>
        stall(this.#stage, contender, stallEvents, round % 2 === 0),
      );
    }
  }

  /** What only figd has. */
  async #daemon(): Promise<void> {
    const { measures, sizes } = this.#options;
    const times: Partial<Record<MeasureName, () => Promise<readonly number[]>>> = {
      start: async () => {
        const all: number[] = [];
        for (let run = 1; run <= sizes.starts; run += 1) all.push(await startTime(this.#stage, run));
        return all;
      },
      status: () => statusTimes(this.#stage, sizes.statuses),
      rest: () => addedTimes(this.#stage, sizes.restRuns),
      reconnect: () => reconnectTimes(this.#stage, sizes.drops),
    };
    for (const measure of measures) {
      const all = await this.#attempt(`${measure} of figd`, times[measure] ?? (async () => []));
      all?.forEach((ms, index) => {
        this.#keep({ measure, contender: 'figd', consumers: 0, round: index + 1, values: { ms } });
      });
    }
  }

  async #measure(
    measure: MeasureName,
    contender: Contender,
    consumers: number,
    round: number,
    take: () => Promise<Sample['values']>,
  ): Promise<void> {
    const { name, protocol } = contender;
    const values = await this.#attempt(`${measure} of ${labels[name]} to ${consumers}`, take);
    if (values === null) return;
    this.#keep({ measure, contender: name, consumers, round, values });
    const { missing = 0, doubled = 0 } = values;
    if (missing + doubled === 0) return;
    warn(`${labels[name]} to ${consumers}: ${missing} events MISSING, ${doubled} DOUBLED or out of order`);
    if (protocol === 'figd' || protocol === 'relay') this.#faults += 1;
  }

  /** A measurement that fails is told and left out; the others go on. */
  async #attempt<Result>(what: string, take: () => Promise<Result>): Promise<Result | null> {
    try {
      return await take();
    } catch (error) {
      if (this.#stage.isClosing) throw error;
      this.#faults += 1;
      warn(`${what} FAILED: ${error instanceof Error ? error.message : error}`);
      return null;
    }
  }

  #keep(sample: Sample): void {
    this.#samples.push(sample);
    const { measure, contender, consumers, round, values } = sample;
    const to = consumers === 0 ? '' : `to ${consumers}`;
    say(`${measure.padEnd(11)}${String(round).padEnd(3)}${labels[contender].padEnd(18)}${to.padEnd(8)}${told(values)}`);
  }
}

const units: Readonly<Record<string, string>> = {
  perSecond: 'messages/s',
  cpuMicros: 'µs CPU/message',
  p50: 'µs p50',
  p99: 'µs p99',
  p999: 'µs p99.9',
  p99Free: 'µs p99 without',
  p99Stalled: 'µs p99 with a stalled one',
  ratio: '×',
  ms: 'ms',
};

function told(values: Sample['values']): string {
  return Object.entries(units)
    .filter(([name]) => name in values)
    .map(([name, unit]) => `${figure(values[name] ?? Number.NaN)} ${unit}`)
    .join('  ');
}
