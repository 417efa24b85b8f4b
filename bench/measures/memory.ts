import type { Received } from '../consumers/api.ts';
import type { Contender } from '../contenders/contender.ts';
import { startContender } from '../contenders/start.ts';
import type { Options } from '../options.ts';
import { countOf, figure, say, warn } from '../output.ts';
import { type Memory, memoryOf } from '../proc.ts';
import type { Stage } from '../stage.ts';

const window = 16_384;
const reading = 98;
const sampleMs = 1_000;
const toldEveryMs = 10_000;
const quietMs = 30_000;
const longestMs = 7_200_000;

/** Memory of figd at a moment. */
export interface MemorySample extends Memory {
  /** Since the first event was sent. */
  readonly seconds: number;
}

export interface MemoryResult {
  readonly contender: 'figd' | 'figd-memory';
  readonly events: number;
  readonly consumers: number;
  readonly samples: readonly MemorySample[];
  /** Before the first event. */
  readonly before: MemorySample;
  /** Half way through the sending. */
  readonly half: MemorySample;
  /** When all had been sent and read, but by the stalled one. */
  readonly sent: MemorySample;
  /** When the stalled one had read on to the end. */
  readonly end: MemorySample;
  /** When it held most. */
  readonly most: MemorySample;
  readonly sendingSeconds: number;
  readonly catchingUpSeconds: number;
  readonly reading: Received;
  readonly stalled: Received;
  readonly restless: Received;
  readonly returns: number;
  /** Whether each consumer got each event once. */
  readonly isComplete: boolean;
}

/**
 * Small events to a hundred consumers: one does not read until all has been sent, one goes away every second and comes
 * back with its position. Each must get each event once, and figd must not grow.
 */
export async function measureMemory(stage: Stage, { contenders, events }: Options): Promise<MemoryResult> {
  const name = contenders.includes('figd') ? 'figd' : 'figd-memory';
  const retain = { journal: { retainBytes: '64GiB' } };
  const figd = await startContender(name, stage.place(name), { config: retain });
  await stage.connect(figd, { reading, stalled: 1, restless: 1 });
  await stage.consumers.call('expect', { next: await stage.feed.call('nextNumber', null), timed: false });
  const watch = new MemoryWatch(stage, figd);
  const order = { target: name, ms: longestMs, count: events, window, size: 'small' } as const;
  const sent = await stage.feed.call('flatOut', order);
  await stage.consumers.call('finish', { last: sent.last, quietMs });
  const sendingSeconds = watch.seconds;
  const all = watch.look();
  await stage.consumers.call('resume', null);
  const report = await stage.consumers.call('finish', { last: sent.last, quietMs });
  const end = watch.look();
  const samples = watch.stop();
  const groups = [report.reading, report.stalled, report.restless];
  const result = {
    contender: name,
    events,
    consumers: reading + 2,
    samples,
    before: watch.before,
    half: samples.find(({ seconds }) => seconds >= sendingSeconds / 2) ?? all,
    sent: all,
    end,
    most: samples.reduce((most, sample) => (sample.resident > most.resident ? sample : most)),
    sendingSeconds,
    catchingUpSeconds: (samples.at(-1)?.seconds ?? 0) - sendingSeconds,
    reading: report.reading,
    stalled: report.stalled,
    restless: report.restless,
    returns: report.returns,
    isComplete: groups.every(({ missing, doubled, complete }) => missing + doubled === 0 && complete),
  } as const;
  tell(result);
  return result;
}

/** Looks at the memory once a second. */
class MemoryWatch {
  readonly before: MemorySample;
  readonly #stage: Stage;
  readonly #pid: number;
  readonly #startedAt = performance.now();
  readonly #samples: MemorySample[] = [];
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(stage: Stage, { pids: [pid = 0] }: Contender) {
    this.#stage = stage;
    this.#pid = pid;
    this.before = this.look();
    this.#timers = [setInterval(() => this.look(), sampleMs), setInterval(() => this.#tell(), toldEveryMs)];
  }

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1_000;
  }

  look(): MemorySample {
    const sample = { seconds: this.seconds, ...memoryOf(this.#pid) };
    this.#samples.push(sample);
    return sample;
  }

  stop(): readonly MemorySample[] {
    for (const timer of this.#timers) clearInterval(timer);
    return this.#samples;
  }

  #tell(): void {
    const { resident } = this.look();
    this.#stage.consumers
      .call('reached', null)
      .then((reached) =>
        say(`${this.seconds.toFixed(0).padStart(5)} s  ${countOf(reached)} events  RSS ${megabytes(resident)}`),
      )
      .catch(() => undefined);
  }
}

/** In units of 10^6 bytes. */
export function megabytes(bytes: number): string {
  return `${figure(bytes / 1e6)} MB`;
}

function tell(result: MemoryResult): void {
  const { half, end, most, events, consumers, isComplete, returns } = result;
  say(
    `RSS at half time ${megabytes(half.resident)}, at the end ${megabytes(end.resident)}, at most ${megabytes(most.resident)}`,
  );
  say(`${countOf(events)} events to ${consumers} consumers, one of which came back ${returns} times`);
  if (isComplete) say('each consumer got each event once');
  for (const group of ['reading', 'stalled', 'restless'] as const) {
    const { missing, doubled, told } = result[group];
    if (missing + doubled === 0) continue;
    warn(
      `${group}: ${countOf(missing)} events MISSING (figd said that ${countOf(told)} are lost), ${countOf(doubled)} DOUBLED`,
    );
  }
}
