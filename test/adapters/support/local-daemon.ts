import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlMethod, LocalServer } from '../../../src/adapters/local-server.ts';
import { systemClock } from '../../../src/adapters/system-clock.ts';
import { EventLog } from '../../../src/log/event-log.ts';
import type { Journal } from '../../../src/log/journal.ts';
import { passingNumbers } from '../../../src/log/numbers.ts';
import type { GapRecord } from '../../../src/protocol/ledger.ts';
import type { StatusDocument } from '../../../src/protocol/status.ts';
import { until } from '../../support/until.ts';
import { LineClient } from './line-client.ts';

export interface LocalDaemonOptions {
  readonly maxConsumers?: number;
  readonly consumerBuffer?: number;
  readonly ringBytes?: number;
  readonly control?: Readonly<Record<string, ControlMethod>>;
  /** What `status` answers; its size is what matters. */
  readonly status?: object;
  /** What `outages` answers, whatever it is asked. */
  readonly gaps?: readonly GapRecord[];
  /** Where what has left the memory is read; nowhere if it is not given. */
  readonly journal?: Journal;
}

/** A local server with its log and the real clock, in a directory of its own. */
export class LocalDaemon implements AsyncDisposable {
  readonly directory: string;
  readonly log: EventLog;
  readonly server: LocalServer;
  readonly bugs: unknown[] = [];
  readonly fanouts: number[] = [];
  statusCalls = 0;
  readonly #clients: LineClient[] = [];
  #stopped: Promise<void> | undefined;

  private constructor(directory: string, options: LocalDaemonOptions) {
    const {
      maxConsumers = 16,
      consumerBuffer = 1_048_576,
      ringBytes = 8 * 1_048_576,
      control = {},
      journal = null,
    } = options;
    this.directory = directory;
    this.log = new EventLog({ numbers: passingNumbers('e1'), journal, ringBytes, schedule: setImmediate });
    this.server = new LocalServer(
      { directory, maxConsumers, consumerBuffer, version: '9.9.9' },
      {
        log: this.log,
        clock: systemClock(),
        schedule: setImmediate,
        state: () => 'live',
        status: () => {
          this.statusCalls += 1;
          return (options.status ?? { pid: process.pid }) as StatusDocument;
        },
        outages: (since) => ({ now: since + 60_000, beganAt: 1_795_334_000_000, gaps: options.gaps ?? [] }),
        control,
        onFanout: (seconds) => this.fanouts.push(seconds),
        onBug: (error) => this.bugs.push(error),
      },
    );
  }

  static async start(options: LocalDaemonOptions = {}): Promise<LocalDaemon> {
    const daemon = new LocalDaemon(await mkdtemp(join(tmpdir(), 'figd-local-')), options);
    await daemon.server.start();
    return daemon;
  }

  get eventsPath(): string {
    return join(this.directory, 'events.sock');
  }

  get controlPath(): string {
    return join(this.directory, 'control.sock');
  }

  async connect(path = this.eventsPath): Promise<LineClient> {
    const client = await LineClient.open(path);
    this.#clients.push(client);
    return client;
  }

  /** A client that follows every event from now on, without ticks. */
  async follower(params: object = {}): Promise<LineClient> {
    const client = await this.connect();
    await client.call('subscribe', { ticks: false, ...params });
    return client;
  }

  add(channel: string, message: unknown = {}): number {
    const bytes = Buffer.from(JSON.stringify(message));
    return this.log.append({ channel, message: bytes, receivedAt: 1_795_334_400_123.456, session: 1 });
  }

  /** Waits until nobody is subscribed any more. */
  async deserted(): Promise<void> {
    await until('no subscriber to be left', () => this.server.subscribers().length === 0);
  }

  stop(reason = 'shutting down'): Promise<void> {
    this.#stopped ??= this.server.stop(reason);
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
