import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { LocalClient } from '../../src/adapters/local-client.ts';
import type { OverallState, StatusDocument } from '../../src/protocol/status.ts';
import { type Ended, Figd, figd } from '../support/figd.ts';
import { until } from '../support/until.ts';

/** A temporary directory that removes itself. */
export async function workspace(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'figd-e2e-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface DaemonSetup {
  readonly restUrl: string;
  /** The configuration beside the URL, the credentials and the places. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments for Node itself, such as `--import`. */
  readonly nodeArguments?: readonly string[];
  /** Prepares the directory of the ledger, before the daemon starts for the first time. */
  readonly prepareState?: (directory: string) => void;
}

/** A running daemon in a directory of its own. */
export class DaemonUnderTest implements AsyncDisposable {
  readonly directory: string;
  readonly secretFile: string;
  readonly configFile: string;
  readonly #setup: DaemonSetup;
  #process: Figd | undefined;

  private constructor(directory: string, setup: DaemonSetup) {
    this.directory = directory;
    this.#setup = setup;
    this.secretFile = join(directory, 'client-secret');
    this.configFile = join(directory, 'figd.yaml');
  }

  static async start(setup: DaemonSetup): Promise<DaemonUnderTest> {
    const daemon = new DaemonUnderTest(await mkdtemp(join(tmpdir(), 'figd-e2e-')), setup);
    const { clientId = 'demo', clientSecret = 'demo-secret', config = {}, restUrl } = setup;
    await writeFile(daemon.secretFile, `${clientSecret}\n`, { mode: 0o600 });
    const { venue = {}, ...others } = config as { readonly venue?: object };
    await writeFile(
      daemon.configFile,
      stringify({
        metrics: 'off',
        ...others,
        venue: { restUrl, ...venue },
        credentials: { clientId, clientSecretFile: daemon.secretFile },
        journal: { directory: join(daemon.directory, 'state') },
        local: { directory: join(daemon.directory, 'run'), ...('local' in config ? (config['local'] as object) : {}) },
      }),
    );
    setup.prepareState?.(join(daemon.directory, 'state'));
    daemon.launch();
    return daemon;
  }

  launch(): void {
    const { env, nodeArguments } = this.#setup;
    this.#process = new Figd(['run', '--config', this.configFile], env, nodeArguments);
  }

  get process(): Figd {
    if (this.#process === undefined) throw new Error('not launched');
    return this.#process;
  }

  get eventsSocket(): string {
    return join(this.directory, 'run', 'events.sock');
  }

  get controlSocket(): string {
    return join(this.directory, 'run', 'control.sock');
  }

  /** Runs a client command against this daemon. */
  command(...args: string[]): Promise<Ended> {
    return figd([...args, '--local.directory', join(this.directory, 'run')]);
  }

  async status(): Promise<StatusDocument> {
    const client = await LocalClient.connect(this.eventsSocket);
    try {
      return (await client.request('status')) as StatusDocument;
    } finally {
      client.close();
    }
  }

  /** Waits until the status satisfies the condition. */
  statusWhere(what: string, holds: (status: StatusDocument) => boolean, ms = 15_000): Promise<StatusDocument> {
    return until(
      what,
      async () => {
        const status = await this.status().catch(() => undefined);
        return status !== undefined && holds(status) ? status : undefined;
      },
      ms,
    );
  }

  reaches(state: OverallState, ms = 15_000): Promise<StatusDocument> {
    return this.statusWhere(`state ${state}`, (status) => status.state === state, ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.child.kill('SIGKILL');
    await this.process.ended;
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A line of the local protocol, as far as tests look at it. */
export interface Line {
  readonly method?: string;
  readonly params: {
    readonly seq: number;
    readonly channel: string;
    readonly message: unknown;
    readonly reason: string;
    readonly epoch: string;
  };
  /** The line itself, without its line feed. */
  readonly text: string;
  /** When it was read, in unix milliseconds of the test's own clock. */
  readonly arrivedAt: number;
}

/** The venue's frame inside the line of an event, byte for byte. */
export function frameOf({ text }: Line): string {
  return text.slice(text.indexOf('"message":') + '"message":'.length, -2);
}

/** A consumer that keeps every line it gets, bytes and all, as `socat` would. */
export class RawConsumer implements Disposable {
  readonly lines: Line[] = [];
  readonly ended: Promise<void>;
  readonly #socket: import('node:net').Socket;

  private constructor(socket: import('node:net').Socket) {
    this.#socket = socket;
    let rest = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      const pieces = (rest + part).split('\n');
      rest = pieces.pop() ?? '';
      const arrivedAt = Date.now();
      for (const text of pieces) this.lines.push({ ...JSON.parse(text), text, arrivedAt });
    });
    this.ended = once(socket, 'close').then(() => undefined);
  }

  /** Connects and subscribes to everything, from the oldest event on. */
  static async subscribe(path: string, params: object = { from: 'oldest' }): Promise<RawConsumer> {
    const { connect } = await import('node:net');
    const socket = connect(path);
    const consumer = new RawConsumer(socket);
    await once(socket, 'connect');
    socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params })}\n`);
    return consumer;
  }

  /** Reads nothing until {@link resume}. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  events(): readonly Line[] {
    return this.lines.filter(({ method }) => method === 'event');
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
