import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import type { LeavingCaller } from '../gateway/caller.ts';
import { Cursor, type CursorParams } from '../log/cursor.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Clock } from '../protocol/clock.ts';
import { encodeNotification, RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import type { OutageReport } from '../protocol/ledger.ts';
import {
  controlSocketName,
  eventsSocketName,
  type Hello,
  localProtocolVersion,
  type SubscribeParams,
  type SubscribeResult,
} from '../protocol/local.ts';
import { type LocalRequest, parseOutages, parseSubscribe } from '../protocol/local-requests.ts';
import type { OverallState, StatusDocument } from '../protocol/status.ts';
import { BytePool } from './byte-pool.ts';
import { LocalConsumer } from './local-consumer.ts';
import { createLocalServer, listenLocally, listenOnInherited, prepareDirectory } from './local-sockets.ts';
import { encodeOutages } from './outages-reply.ts';
import { InOrder } from './request-reader.ts';
import type { InheritedSockets } from './socket-activation.ts';
import { Turns } from './turns.ts';

/**
 * A method of the control socket. It may throw an {@link RpcError}.
 * @param line the request as it came, which holds only until this returns
 */
export type ControlMethod = (params: Readonly<Record<string, unknown>>, caller: LeavingCaller, line: Buffer) => unknown;

/** What may change while the server runs. */
export interface LocalLimits {
  readonly maxConsumers: number;
  /** Bytes that may wait in the socket of each connection made from then on. */
  readonly consumerBuffer: number;
}

export interface LocalServerOptions extends LocalLimits {
  readonly directory: string;
  readonly version: string;
  /** Sockets that are there already and are listened on in the place of files in the directory. */
  readonly inherited?: InheritedSockets;
}

export interface LocalServerPorts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly schedule: (run: () => void) => void;
  readonly state: () => OverallState;
  readonly status: () => StatusDocument;
  /** The gaps that were not over at that moment, unix milliseconds. */
  readonly outages: (since: number) => OutageReport;
  readonly control: Readonly<Record<string, ControlMethod>>;
  /** Seconds from the first waiting event to the last write of a turn. */
  readonly onFanout: (seconds: number) => void;
  readonly onBug: (error: unknown) => void;
}

const eventsMode = 0o660;
const controlMode = 0o600;
const tickMs = 1_000;
const byeGraceMs = 1_000;
/** Beyond the consumers there is room for this many short questions such as `figd status`. */
const spareConnections = 64;
/** Its owner may well have scripts that ask often, and hardly ever as many at a time. */
const mostControlConnections = 256;
/** So many are told at a time why they are not served, and have a descriptor for that long; others are just closed. */
const mostFarewells = 64;
/** Memory for long lines whose end has not come yet, of all connections together. */
const halfLineBytes = 16 * 1_048_576;
const readMethods = ['subscribe', 'unsubscribe', 'status', 'outages', 'ping'];

/** One of the sockets, and those who are served there. */
interface Door {
  readonly name: string;
  readonly mode: number;
  /** Descriptor of the socket where this process was given it. */
  readonly inherited: number | undefined;
  readonly isControl: boolean;
  readonly places: () => number;
  readonly inside: Set<LocalConsumer>;
}

/** Serves the event log and the status to local clients, and the control methods to their owner. */
export class LocalServer {
  readonly #options: LocalServerOptions;
  readonly #ports: LocalServerPorts;
  readonly #consumers = new Map<number, LocalConsumer>();
  readonly #servers = new Map<Server, Door>();
  #limits: LocalLimits;
  readonly #requests: Turns;
  /** Apart from the requests: reading on is cheap, and must not wait for answers that are not. */
  readonly #catchingUp: Turns;
  readonly #halfLines = new BytePool(() => halfLineBytes);
  #lastId = 0;
  #ticker: NodeJS.Timeout | undefined;
  #detach: (() => void) | undefined;

  constructor(options: LocalServerOptions, ports: LocalServerPorts) {
    this.#options = options;
    this.#limits = options;
    this.#ports = ports;
    this.#requests = new Turns(ports);
    this.#catchingUp = new Turns(ports);
  }

  /** Opens both sockets, or neither. @throws {AlreadyRunningError | LocalPathError} */
  async start(): Promise<void> {
    const { directory, inherited = {} } = this.#options;
    const isEveryOneInherited = inherited.events !== undefined && inherited.control !== undefined;
    if (!isEveryOneInherited) await prepareDirectory(directory);
    try {
      await this.#open({
        name: eventsSocketName,
        mode: eventsMode,
        inherited: inherited.events,
        isControl: false,
        places: () => this.#limits.maxConsumers + spareConnections,
        inside: new Set(),
      });
      await this.#open({
        name: controlSocketName,
        mode: controlMode,
        inherited: inherited.control,
        isControl: true,
        places: () => mostControlConnections,
        inside: new Set(),
      });
    } catch (error) {
      await this.stop('figd could not start');
      throw error;
    }
    this.#detach = this.#ports.log.attach({
      appended: () => this.#fanOut(),
      holds: (from, to) => this.#consumers.values().some((consumer) => consumer.holds(from, to)),
      renewed: () => this.#renewed(),
    });
    this.#ticker = setInterval(() => this.#tick(), tickMs);
  }

  /** Says bye to every client, waits until each has read it (a second at most), and removes the sockets. */
  async stop(reason: string): Promise<void> {
    clearInterval(this.#ticker);
    const closed = [...this.#servers.keys()].map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const consumer of this.#consumers.values()) {
      consumer.bye(reason, byeGraceMs);
    }
    this.#detach?.();
    await Promise.all(closed);
  }

  /** How busy it is: connections, what waits for its turn, and memory for lines that have not ended. */
  view(): object {
    const doors = [...this.#servers.values()].map(({ name, inside }) => [name, inside.size]);
    return {
      connections: { all: this.#consumers.size, ...Object.fromEntries(doors) },
      requestsWaiting: this.#requests.waiting,
      readersWaiting: this.#catchingUp.waiting,
      halfLineBytes: this.#halfLines.taken,
    };
  }

  /** The connections that have subscribed. */
  subscribers(): readonly (LocalConsumer & { readonly cursor: Cursor })[] {
    return [...this.#consumers.values()].filter(
      (consumer): consumer is LocalConsumer & { readonly cursor: Cursor } => consumer.cursor !== null,
    );
  }

  /** Other limits hold from now on. Whoever is there stays, also where there are too many now. */
  limit({ maxConsumers, consumerBuffer }: LocalLimits): void {
    this.#limits = { maxConsumers, consumerBuffer };
    for (const [server, door] of this.#servers) this.#hold(server, door);
  }

  #hold(server: Server, { places }: Door): void {
    server.maxConnections = places() + mostFarewells;
  }

  async #open(door: Door): Promise<void> {
    const path = join(this.#options.directory, door.name);
    const accept = (socket: Socket) => this.#accept(socket, door);
    const server = createLocalServer(accept);
    if (door.inherited === undefined) await listenLocally(path, door.mode, server);
    else await listenOnInherited(door.inherited, server);
    this.#hold(server, door);
    // A connection that could not be accepted is its client's trouble, not ours.
    server.on('error', this.#ports.onBug);
    this.#servers.set(server, door);
  }

  #accept(socket: Socket, door: Door): void {
    const { log, clock, onBug, state } = this.#ports;
    const { version } = this.#options;
    this.#lastId += 1;
    const consumer = new LocalConsumer(this.#lastId, clock.wall(), socket, {
      bufferBytes: this.#limits.consumerBuffer,
      handle: (from, request, line) => this.#handle(from, request, door.isControl ? line : null),
      onClosed: (closed) => {
        this.#consumers.delete(closed.id);
        door.inside.delete(closed);
      },
      reading: { turns: this.#requests, halfLines: this.#halfLines },
      head: () => log.head,
      schedule: (run) => this.#inTurn(run),
      onBug,
    });
    this.#consumers.set(consumer.id, consumer);
    const hello: Hello = {
      protocol: localProtocolVersion,
      version,
      epoch: log.epoch,
      head: log.head,
      oldest: log.oldest,
      state: state(),
    };
    consumer.write(encodeNotification('hello', hello));
    if (door.inside.size < door.places()) door.inside.add(consumer);
    else consumer.bye('too many connections', byeGraceMs);
  }

  /** All who read what is past, together, must not hold up what is new. */
  #inTurn(run: () => void): void {
    this.#catchingUp.enter(() => {
      run();
      return false;
    });
  }

  /** @param line the request as it came on the control socket; null on the other one */
  #handle(consumer: LocalConsumer, { method, params }: LocalRequest, line: Buffer | null): unknown {
    switch (method) {
      case 'subscribe':
        return this.#subscribe(consumer, params);
      case 'unsubscribe':
        consumer.unfollow();
        return { unsubscribed: true };
      case 'status':
        return this.#ports.status();
      case 'outages':
        return encodeOutages(this.#ports.outages(parseOutages(params, this.#ports.clock.wall())));
      case 'ping':
        return { now: this.#ports.clock.wall() };
      default:
        return this.#handleControl(consumer, method, params, line);
    }
  }

  #handleControl(
    consumer: LocalConsumer,
    method: string,
    params: Readonly<Record<string, unknown>>,
    line: Buffer | null,
  ): unknown {
    const run = Object.hasOwn(this.#ports.control, method) ? this.#ports.control[method] : undefined;
    if (run !== undefined && line !== null) return run(params, consumer, line);
    const offered = line !== null ? [...readMethods, ...Object.keys(this.#ports.control)] : readMethods;
    const hint =
      run === undefined ? `this socket offers ${offered.join(', ')}` : `${method} is on ${controlSocketName}`;
    throw new RpcError(rpcErrorCode.methodNotFound, `method not found; ${hint}`);
  }

  /** Opens the cursor at once, unless a moment has to be looked for. */
  #subscribe(consumer: LocalConsumer, params: Readonly<Record<string, unknown>>): unknown {
    const wanted = parseSubscribe(params);
    const { from = 'now' } = wanted;
    if (typeof from !== 'object' || !('since' in from)) return this.#follow(consumer, { ...wanted, from });
    return new InOrder(this.#followSince(consumer, wanted, from.since));
  }

  async #followSince(consumer: LocalConsumer, wanted: SubscribeParams, since: number): Promise<SubscribeResult> {
    const { log } = this.#ports;
    const seq = await log.firstSince(since);
    const missing = seq === log.oldest ? await log.missingBefore(since) : null;
    const result = this.#follow(consumer, { ...wanted, from: { epoch: log.epoch, seq } });
    return missing === null ? result : { ...result, resumed: false, reason: result.reason ?? missing };
  }

  #follow(consumer: LocalConsumer, wanted: CursorParams): SubscribeResult {
    const { maxConsumers } = this.#limits;
    if (consumer.cursor === null && this.subscribers().length >= maxConsumers) {
      throw new RpcError(
        rpcErrorCode.tooManyConsumers,
        `there are ${maxConsumers} consumers already (local.maxConsumers)`,
      );
    }
    const [cursor, result] = Cursor.open(this.#ports.log, wanted);
    consumer.follow(cursor, wanted.ticks ?? true);
    return result;
  }

  /** Positions of the epoch that has ended mean nothing any more: consumers come back and are told so. */
  #renewed(): void {
    const reason = 'a new epoch begins: the disk does not keep the sequence numbers any more';
    for (const consumer of this.subscribers()) consumer.bye(reason, byeGraceMs);
  }

  #fanOut(): void {
    const startedAt = this.#ports.clock.monotonic();
    // Were all who catch up to read on now, the others would wait for them.
    for (const consumer of this.#consumers.values()) if (!consumer.isCatchingUp) consumer.pump();
    this.#ports.onFanout((this.#ports.clock.monotonic() - startedAt) / 1_000);
  }

  #tick(): void {
    const { log, clock, state } = this.#ports;
    const tick = { head: log.head, state: state(), lastReceivedAt: log.lastReceivedAt, now: clock.wall() };
    for (const consumer of this.#consumers.values()) consumer.tick(tick);
  }
}
