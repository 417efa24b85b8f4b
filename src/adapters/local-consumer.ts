import type { Socket } from 'node:net';
import type { LeavingCaller } from '../gateway/caller.ts';
import type { Cursor } from '../log/cursor.ts';
import { encodeNotification } from '../protocol/json-rpc.ts';
import type { Bye, Tick } from '../protocol/local.ts';
import type { LocalRequest } from '../protocol/local-requests.ts';
import { EventWriter } from './event-writer.ts';
import { RequestReader, type SharedReading } from './request-reader.ts';

export interface ConsumerPorts {
  /** Bytes that may wait in this connection's socket. */
  readonly bufferBytes: number;
  /** Answers a request, or throws an {@link RpcError}. The line it came in holds only until this returns. */
  readonly handle: (consumer: LocalConsumer, request: LocalRequest, line: Buffer) => unknown;
  readonly onClosed: (consumer: LocalConsumer) => void;
  readonly reading: SharedReading;
  /** The newest sequence number given. */
  readonly head: () => number;
  /** Runs a function in the next turn of the event loop, or where many wait, in a later one. */
  readonly schedule: (run: () => void) => void;
  /** Unexpected errors in `handle`. */
  readonly onBug: (error: unknown) => void;
}

/** How long a client may take to read why it is cut off, in milliseconds. */
const lastWordGraceMs = 1_000;
/** The same where it has only said that it will ask nothing more, and is still reading what it asked for. */
const lastRepliesGraceMs = 10_000;

/**
 * One connection of a local client. What it gets is bounded by what it reads: events wait in the log, not here, and a
 * client that does not read its replies is not read either.
 */
export class LocalConsumer implements LeavingCaller {
  readonly id: number;
  readonly connectedAt: number;
  readonly #socket: Socket;
  readonly #ports: ConsumerPorts;
  readonly #reader: RequestReader;
  readonly #events: EventWriter;
  readonly #gone = new AbortController();
  #ticks = false;
  #leaving = false;

  constructor(id: number, connectedAt: number, socket: Socket, ports: ConsumerPorts) {
    this.id = id;
    this.connectedAt = connectedAt;
    this.#socket = socket;
    this.#ports = ports;
    this.#events = new EventWriter(socket, ports);
    const reader = {
      handle: (request: LocalRequest, line: Buffer) => ports.handle(this, request, line),
      write: (line: string) => this.write(line),
      hasRoom: () => this.#events.hasRoom,
      giveUp: (reason: string) => this.#partWith(reason, lastWordGraceMs),
      onDone: () => this.#partWith('the client asks nothing more', lastRepliesGraceMs),
      onBug: ports.onBug,
    };
    this.#reader = new RequestReader(socket, reader, ports.reading);
    socket.on('drain', () => this.#drained());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      // Else it would be read for, from the journal, to the end.
      this.unfollow();
      this.#gone.abort();
      this.#ports.onClosed(this);
    });
  }

  get cursor(): Cursor | null {
    return this.#events.cursor;
  }

  /** Whether the connection has ended, so that no answer reaches it any more. */
  get isGone(): boolean {
    return this.#socket.destroyed;
  }

  /** Aborted when the connection ends. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Whether it reads what is long past, in turns of its own, and need not be told of what is new. */
  get isCatchingUp(): boolean {
    return this.#events.isCatchingUp;
  }

  /** Begins to deliver from the cursor, in the place of any earlier subscription. */
  follow(cursor: Cursor, ticks: boolean): void {
    if (this.#leaving) return;
    // The next turn begins after the reply to `subscribe`, which is written when the handler returns.
    this.#events.follow(cursor);
    this.#ticks = ticks;
  }

  unfollow(): void {
    this.#events.follow(null);
    this.#ticks = false;
  }

  /** Writes an already encoded line. */
  write(line: string): void {
    if (!this.#leaving) this.#socket.write(line);
  }

  /** Writes a tick to a subscriber who wants them and reads what it gets. */
  tick(tick: Omit<Tick, 'position'>): void {
    const { cursor, hasRoom } = this.#events;
    // One whose epoch has ended is told so, and has no place in the new one.
    if (!this.#ticks || !hasRoom || cursor === null || !cursor.isCurrent) return;
    this.write(encodeNotification('tick', { ...tick, position: cursor.position } satisfies Tick));
  }

  /** Says why, and ends the connection once the client has read that, or at the latest after `graceMs`. */
  bye(reason: string, graceMs: number): void {
    if (this.#leaving) {
      this.#destroyIn(graceMs);
      return;
    }
    // The events it has not seen yet it can ask for again; those in the socket it still gets.
    this.pump();
    this.#partWith(reason, graceMs);
  }

  /** Delivers what the log holds for this consumer, as far as its socket takes it. */
  pump(): void {
    this.#events.pump();
  }

  /** Whether lines of a range, in the log's own memory, wait in the socket. */
  holds(from: number, to: number): boolean {
    return this.#events.holds(from, to);
  }

  #drained(): void {
    this.#reader.readOn();
    // Not at once: many that read fast, far behind, would drain one after the other and hold up what is new.
    this.#events.pumpSoon();
  }

  #partWith(reason: string, graceMs: number): void {
    const bye: Bye = { reason, head: this.#ports.head() };
    this.write(encodeNotification('bye', bye));
    this.#leaving = true;
    this.#events.follow(null);
    this.#reader.stop();
    this.#socket.end();
    this.#destroyIn(graceMs);
  }

  #destroyIn(graceMs: number): void {
    const deadline = setTimeout(() => this.#socket.destroy(), graceMs);
    this.#socket.once('close', () => clearTimeout(deadline));
  }
}
