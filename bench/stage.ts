import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endAll, removeWithUs } from './children.ts';
import type { Connecting, ConsumersApi, Report } from './consumers/api.ts';
import type { Contender, Place } from './contenders/contender.ts';
import type { FeedApi, Sent } from './feed/api.ts';
import { cpuTime } from './proc.ts';
import { Remote } from './remote.ts';

/** How long without any event counts as: what is missing will not come. */
const quietMs = 3_000;
/**
 * How far the feed may be ahead of the slowest consumer (about 4 MB), and how many deliveries may be under way in all. It
 * keeps all contenders out of the range where what counts is how much memory they have for what they cannot deliver.
 */
const windowEvents = 4_096;
const windowDeliveries = 262_144;

/** One run between feed and consumers. */
export interface Run {
  readonly sent: Sent;
  readonly report: Report;
  /** CPU time used meanwhile, in nanoseconds: by the contender's processes, and on both sides of them. */
  readonly cpu: { readonly contender: number; readonly feed: number; readonly consumers: number };
}

/** Feed and consumers, in a process each, and a directory for everybody's files. */
export class Stage {
  readonly feed: Remote<FeedApi>;
  readonly consumers: Remote<ConsumersApi>;
  readonly feedPort: number;
  readonly #directory: string;
  #isClosing = false;

  private constructor(
    feed: Remote<FeedApi>,
    consumers: Remote<ConsumersApi>,
    { feedPort, directory }: { readonly feedPort: number; readonly directory: string },
  ) {
    this.feed = feed;
    this.consumers = consumers;
    this.feedPort = feedPort;
    this.#directory = directory;
  }

  static async open(): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), 'figd-bench-'));
    removeWithUs(directory);
    const progressSocket = join(directory, 'progress.sock');
    const feed = new Remote<FeedApi>('./feed/process.ts');
    const { port: feedPort } = await feed.call('listen', { progressSocket });
    const consumers = new Remote<ConsumersApi>('./consumers/process.ts', [progressSocket]);
    return new Stage(feed, consumers, { feedPort, directory });
  }

  /** A directory of its own for somebody who connects to the feed. */
  place(name: string): Place {
    const directory = join(this.#directory, name);
    mkdirSync(directory, { recursive: true });
    return { feedPort: this.feedPort, directory };
  }

  /** Connects consumers to a contender, and waits until the feed reaches all of them. */
  async connect(contender: Contender, who: Partial<Pick<Connecting, 'reading' | 'stalled' | 'restless'>>) {
    const { protocol, endpoint } = contender;
    await this.consumers.call('connect', { reading: 1, stalled: 0, restless: 0, ...who, protocol, endpoint });
    await this.feed.call('subscribed', { target: contender.name });
  }

  async disconnect(): Promise<void> {
    await this.consumers.call('disconnect', null);
  }

  /** Sends flat out for so many milliseconds to so many consumers, and waits until all has arrived. */
  flatOut(contender: Contender, ms: number, consumers: number): Promise<Run> {
    const window = Math.min(windowEvents, Math.floor(windowDeliveries / consumers));
    const order = { target: contender.name, ms, window, size: 'realistic' } as const;
    return this.#run(contender, false, () => this.feed.call('flatOut', order));
  }

  /** Sends so many events at 1,000 a second. */
  paced(contender: Contender, count: number): Promise<Run> {
    const order = { target: contender.name, perSecond: 1_000, count };
    return this.#run(contender, true, () => this.feed.call('paced', order));
  }

  /** Whether it ends: measurements fail because of that, and not of themselves. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Ends everything and removes the files. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await endAll();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #run(contender: Contender, timed: boolean, send: () => Promise<Sent>): Promise<Run> {
    await this.consumers.call('expect', { next: await this.feed.call('nextNumber', null), timed });
    const before = this.#cpuOf(contender);
    const sent = await send();
    const report = await this.consumers.call('finish', { last: sent.last, quietMs });
    if (report.reading.messages === 0) throw new Error(`nothing has come through ${contender.name}`);
    const after = this.#cpuOf(contender);
    const cpu = {
      contender: after.contender - before.contender,
      feed: after.feed - before.feed,
      consumers: after.consumers - before.consumers,
    };
    return { sent, report, cpu };
  }

  #cpuOf({ pids }: Contender): Run['cpu'] {
    return { contender: cpuTime(pids), feed: cpuTime([this.feed.pid]), consumers: cpuTime([this.consumers.pid]) };
  }
}
