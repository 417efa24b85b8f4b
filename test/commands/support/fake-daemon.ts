import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OverallState } from '../../../src/protocol/status.ts';

interface Request {
  readonly id: number;
  readonly method: string;
  readonly params?: Record<string, unknown>;
}

type Handler = (params: Record<string, unknown>, connection: Connection) => unknown;

/** One client of the fake daemon. */
export class Connection {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Sends raw bytes, in chunks as given. */
  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  notify(method: string, params: unknown): void {
    this.send(`${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`);
  }

  event(seq: number, channel = 'rfq.maker', message: unknown = { rfqId: seq }): void {
    this.notify('event', { seq, channel, receivedAt: Date.now(), session: 1, message });
  }

  hangUp(reason?: string): void {
    if (reason !== undefined) this.notify('bye', { reason, head: 0 });
    this.#socket.end();
  }
}

/** A server that speaks the local protocol as scripted: what tests say it answers, and nothing else. */
export class FakeDaemon {
  readonly directory: string;
  /** Every request received, in order. */
  readonly requests: Request[] = [];
  readonly connections: Connection[] = [];
  readonly handlers = new Map<string, Handler>();
  epoch = 'e1';
  state: OverallState = 'live';
  /** Accepts connections and says nothing, like a process that is stopped. */
  hangs = false;
  #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Without `start`, a directory in which no daemon runs. */
  static prepare(): FakeDaemon {
    return new FakeDaemon(mkdtempSync(join(tmpdir(), 'figd-test-')));
  }

  static async start(): Promise<FakeDaemon> {
    const daemon = FakeDaemon.prepare();
    await daemon.start();
    return daemon;
  }

  path(name: 'events.sock' | 'control.sock' = 'events.sock'): string {
    return join(this.directory, name);
  }

  async start(): Promise<void> {
    this.#servers = await Promise.all([this.#listen(this.path()), this.#listen(this.path('control.sock'))]);
  }

  /** Answers `subscribe` as the daemon does, then lets `then` send. */
  onSubscribe(from: number, then: (connection: Connection) => void, extra: object = {}): void {
    this.handlers.set('subscribe', (_params, connection) => {
      setImmediate(() => then(connection));
      return { epoch: this.epoch, from, head: from - 1, resumed: true, ...extra };
    });
  }

  /** Ends as a crash does: every connection is cut and the sockets are gone. */
  async stop(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
    this.#servers = [];
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true });
  }

  #listen(path: string): Promise<Server> {
    const server = createServer((socket) => this.#accept(socket));
    return new Promise((resolve) => server.listen(path, () => resolve(server)));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    if (this.hangs) return;
    const connection = new Connection(socket);
    this.connections.push(connection);
    const { epoch, state } = this;
    connection.notify('hello', { protocol: 1, version: '0.1.0', epoch, head: 9, oldest: 1, state });
    let rest = '';
    socket.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#answer(JSON.parse(line), connection);
    });
  }

  #answer(request: Request, connection: Connection): void {
    this.requests.push(request);
    const { id, method, params = {} } = request;
    const result = this.handlers.get(method)?.(params, connection);
    if (result === undefined) return;
    const body = result instanceof Error ? { error: { code: -32602, message: result.message } } : { result };
    connection.send(`${JSON.stringify({ jsonrpc: '2.0', id, ...body })}\n`);
  }
}
