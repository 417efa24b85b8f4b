import type { Socket } from 'node:net';
import type { Cursor } from '../log/cursor.ts';
import { encodeError, encodeNotification, encodeResult, RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import { type Bye, maxRequestLineBytes } from '../protocol/local.ts';
import { BadRequest, type LocalRequest, parseRequest } from '../protocol/local-requests.ts';

export interface ConsumerPorts {
  /** Bytes that may wait in this connection's socket. */
  readonly bufferBytes: number;
  /** Answers a request, or throws an {@link RpcError}. */
  readonly handle: (consumer: LocalConsumer, request: LocalRequest) => unknown;
  readonly onClosed: (consumer: LocalConsumer) => void;
  /** Runs a function in the next turn of the event loop. */
  readonly schedule: (run: () => void) => void;
  /** Unexpected errors in `handle`. */
  readonly onBug: (error: unknown) => void;
}

const lineFeed = 0x0a;
/** How much a consumer is given at a time; between two slices other consumers have their turn. */
const sliceBytes = 262_144;
/** How long a client may take to read why it is cut off, in milliseconds. */
const longLineGraceMs = 1_000;
const strictDecoder = new TextDecoder('utf-8', { fatal: true });

/**
 * One connection of a local client. What it gets is bounded by what it reads: events wait in the log, not here, and a
 * client that does not read its replies is not read either.
 */
export class LocalConsumer {
  readonly id: number;
  readonly connectedAt: number;
  readonly #socket: Socket;
  readonly #ports: ConsumerPorts;
  #unfinished: Buffer[] = [];
  #unfinishedBytes = 0;
  #cursor: Cursor | null = null;
  #ticks = false;
  #leaving = false;
  #pumpScheduled = false;

  constructor(id: number, connectedAt: number, socket: Socket, ports: ConsumerPorts) {
    this.id = id;
    this.connectedAt = connectedAt;
    this.#socket = socket;
    this.#ports = ports;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#drained());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#ports.onClosed(this));
  }

  get cursor(): Cursor | null {
    return this.#cursor;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Begins to deliver from the cursor, in the place of any earlier subscription. */
  follow(cursor: Cursor, ticks: boolean): void {
    this.#cursor = cursor;
    this.#ticks = ticks;
    // After the reply to `subscribe`, which is written when the handler returns.
    this.#schedulePump();
  }

  unfollow(): void {
    this.#cursor = null;
    this.#ticks = false;
  }

  /** Writes an already encoded line. */
  write(line: string): void {
    if (!this.#leaving) this.#socket.write(line);
  }

  /** Writes a tick to a subscriber who wants them and reads what it gets. */
  tick(line: string): void {
    if (this.#ticks && this.#hasRoom()) this.write(line);
  }

  /** Says why, and ends the connection once the client has read that, or at the latest after `graceMs`. */
  bye(bye: Bye, graceMs: number): void {
    if (this.#leaving) return;
    // The events it has not seen yet it can ask for again; those in the socket it still gets.
    this.pump();
    this.write(encodeNotification('bye', bye));
    this.#leave(graceMs);
  }

  /** Delivers what the log holds for this consumer, as far as its socket takes it. */
  pump(): void {
    const cursor = this.#cursor;
    if (cursor === null || this.#leaving || cursor.lag === 0 || !this.#hasRoom()) return;
    const lost = cursor.skipLost();
    this.#socket.cork();
    if (lost !== null) this.#socket.write(encodeNotification('lost', lost));
    const room = this.#bufferBytes - this.#socket.writableLength;
    for (const chunk of cursor.read(Math.min(sliceBytes, Math.max(1, room))).chunks) this.#socket.write(chunk);
    this.#socket.uncork();
    if (cursor.lag > 0 && this.#hasRoom()) this.#schedulePump();
  }

  #hasRoom(): boolean {
    return this.#socket.writableLength < this.#bufferBytes;
  }

  /** Below its high-water mark a socket does not tell when it has drained, so waiting for that could take for ever. */
  get #bufferBytes(): number {
    return Math.max(this.#ports.bufferBytes, this.#socket.writableHighWaterMark);
  }

  #schedulePump(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    this.#ports.schedule(() => {
      this.#pumpScheduled = false;
      this.pump();
    });
  }

  #drained(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
    this.pump();
  }

  #receive(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      const line = this.#finish(chunk.subarray(start, end));
      start = end + 1;
      if (line.length > maxRequestLineBytes) this.#refuseLongLine();
      else if (line.length > 0) this.#answer(line);
      if (this.#leaving) return;
      if (!this.#hasRoom()) {
        this.#stopListening(chunk.subarray(start));
        return;
      }
    }
    if (start < chunk.length) {
      this.#unfinished.push(chunk.subarray(start));
      this.#unfinishedBytes += chunk.length - start;
    }
    if (this.#unfinishedBytes > maxRequestLineBytes) this.#refuseLongLine();
    else if (!this.#hasRoom()) this.#socket.pause();
  }

  /** Replies pile up unread: what else was asked waits until they are taken. */
  #stopListening(unheard: Buffer): void {
    this.#socket.pause();
    if (unheard.length > 0) this.#socket.unshift(unheard);
  }

  #finish(rest: Buffer): Buffer {
    if (this.#unfinishedBytes === 0) return rest;
    const line = Buffer.concat([...this.#unfinished, rest]);
    this.#unfinished = [];
    this.#unfinishedBytes = 0;
    return line;
  }

  #answer(bytes: Buffer): void {
    let request: LocalRequest;
    try {
      request = parseRequest(strictDecoder.decode(bytes));
    } catch (error) {
      const bad =
        error instanceof BadRequest ? error : new BadRequest(null, rpcErrorCode.parseError, 'the line is not UTF-8');
      this.write(encodeError(bad.id, bad));
      return;
    }
    const { id } = request;
    const settle = (answer: unknown) => {
      if (id !== undefined) this.write(encodeResult(id, answer));
    };
    const refuse = (error: unknown) => {
      if (!(error instanceof RpcError)) this.#ports.onBug(error);
      const told =
        error instanceof RpcError
          ? error
          : new RpcError(rpcErrorCode.internalError, 'internal failure in figd; see its log');
      if (id !== undefined) this.write(encodeError(id, told));
    };
    try {
      const answer = this.#ports.handle(this, request);
      // Caught behind `settle`: what a method resolves with may turn out not to be writable as JSON.
      if (answer instanceof Promise) answer.then(settle).catch(refuse);
      else settle(answer);
    } catch (error) {
      refuse(error);
    }
  }

  #refuseLongLine(): void {
    const message = `the line is longer than ${maxRequestLineBytes} bytes`;
    this.write(encodeError(null, new RpcError(rpcErrorCode.invalidRequest, message)));
    this.#unfinished = [];
    this.#unfinishedBytes = 0;
    this.#leave(longLineGraceMs);
  }

  #leave(graceMs: number): void {
    this.#leaving = true;
    this.#cursor = null;
    this.#socket.pause();
    this.#socket.removeAllListeners('data');
    // Unread input would turn the end of the connection into a reset that swallows our last words.
    this.#socket.on('data', () => undefined);
    this.#socket.resume();
    this.#socket.end();
    const deadline = setTimeout(() => this.#socket.destroy(), graceMs);
    this.#socket.once('close', () => clearTimeout(deadline));
  }
}
