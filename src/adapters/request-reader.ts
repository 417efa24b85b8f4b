import type { Socket } from 'node:net';
import { encodeError, encodeResult, RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import { maxRequestLineBytes } from '../protocol/local.ts';
import { BadRequest, type LocalRequest, parseRequest } from '../protocol/local-requests.ts';
import type { BytePool } from './byte-pool.ts';
import { HalfLine, type Overflow } from './half-line.ts';
import type { Turns } from './turns.ts';

/** An answer that is waited for before the next request of the connection is heard: what it says has to hold by then. */
export class InOrder {
  readonly answer: Promise<unknown>;

  constructor(answer: Promise<unknown>) {
    this.answer = answer;
  }
}

export interface ReaderPorts {
  /** Answers a request, or throws an {@link RpcError}. The line it came in holds only until this returns. */
  readonly handle: (request: LocalRequest, line: Buffer) => unknown;
  /** Writes an encoded line to the client. */
  readonly write: (line: string) => void;
  /** Whether the client reads what it is written. */
  readonly hasRoom: () => boolean;
  /** Ends the connection, for the reason given: nothing sensible is to be expected of this client. */
  readonly giveUp: (reason: string) => void;
  /** The client will ask nothing more, and everything is answered. */
  readonly onDone: () => void;
  /** Unexpected errors in `handle`. */
  readonly onBug: (error: unknown) => void;
}

/** What the readers of all connections share. */
export interface SharedReading {
  readonly turns: Turns;
  readonly halfLines: BytePool;
}

const lineFeed = 0x0a;
const nothing: Buffer = Buffer.alloc(0);
/** How many requests of one client may be under way at the venue; the next ones wait until it has answered. */
const mostUnanswered = 8;

/**
 * Reads the requests of one connection and answers them, one a turn. Of what it has sent, one chunk (64 KiB) waits here
 * and as much again in the stream, then it is not read any more; nor is a client that does not read its replies.
 */
export class RequestReader {
  readonly #socket: Socket;
  readonly #ports: ReaderPorts;
  readonly #turns: Turns;
  readonly #halfLines: BytePool;
  readonly #halfLine: HalfLine;
  readonly #piece = () => this.#takeTurn();
  /** What has been read and not been looked at. While there is any, the socket is paused. */
  #unheard: Buffer = nothing;
  #isWaiting = false;
  #unanswered = 0;
  /** Whether the next request waits for the answer to the one before. */
  #isHeld = false;
  #ended = false;
  #stopped = false;

  constructor(socket: Socket, ports: ReaderPorts, { turns, halfLines }: SharedReading) {
    this.#socket = socket;
    this.#ports = ports;
    this.#turns = turns;
    this.#halfLines = halfLines;
    this.#halfLine = new HalfLine(halfLines);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => {
      this.#ended = true;
      this.#waitForTurn();
    });
    socket.on('close', () => this.stop());
  }

  /** Goes on where reading stopped because the client did not read. */
  readOn(): void {
    this.#waitForTurn();
  }

  /**
   * Hears no more requests. What still comes is taken in and forgotten: unread input would turn the end of the
   * connection into a reset that swallows our last words.
   */
  stop(): void {
    this.#stopped = true;
    this.#halfLine.clear();
    this.#waitForTurn();
  }

  #receive(chunk: Buffer): void {
    this.#socket.pause();
    this.#unheard = this.#unheard.length === 0 ? chunk : Buffer.concat([this.#unheard, chunk]);
    this.#waitForTurn();
  }

  #waitForTurn(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#turns.enter(this.#piece);
  }

  #takeTurn(): boolean {
    if (this.#stopped) this.#unheard = nothing;
    else if (this.#unheard.length > 0) {
      if (this.#mustWait()) return this.#rest();
      this.#hearLine();
    }
    if (this.#unheard.length > 0) return true;
    if (this.#ended && this.#unanswered === 0 && !this.#stopped) this.#ports.onDone();
    else this.#socket.resume();
    return this.#rest();
  }

  /** Takes no more turns until something happens. */
  #rest(): false {
    this.#isWaiting = false;
    return false;
  }

  /** Replies pile up unread, or are long in coming: what else was asked waits until they are taken. */
  #mustWait(): boolean {
    return this.#isHeld || !this.#ports.hasRoom() || this.#unanswered >= mostUnanswered;
  }

  #hearLine(): void {
    const end = this.#unheard.indexOf(lineFeed);
    const part = end === -1 ? this.#unheard : this.#unheard.subarray(0, end);
    const isWhole = end !== -1 && this.#halfLine.length === 0;
    const overflow = isWhole ? tooLong(part) : this.#halfLine.append(part);
    if (overflow !== null) {
      this.#refuse(overflow);
      return;
    }
    this.#unheard = end === -1 ? nothing : this.#unheard.subarray(end + 1);
    if (end === -1) return;
    const line = isWhole ? part : this.#halfLine.view();
    if (line.length > 0) this.#answer(line);
    this.#halfLine.clear();
  }

  #answer(line: Buffer): void {
    const { handle, write, onBug } = this.#ports;
    let request: LocalRequest;
    try {
      request = parseRequest(line);
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      write(encodeError(error.id, error));
      return;
    }
    const { id } = request;
    const settle = (answer: unknown) => {
      if (id !== undefined) write(encodeResult(id, answer));
    };
    const refuse = (error: unknown) => {
      if (!(error instanceof RpcError)) onBug(error);
      const told =
        error instanceof RpcError
          ? error
          : new RpcError(rpcErrorCode.internalError, 'internal failure in figd; see its log');
      if (id !== undefined) write(encodeError(id, told));
    };
    try {
      const handled = handle(request, line);
      const answer = handled instanceof InOrder ? this.#hold(handled.answer) : handled;
      // Caught behind `settle`: what a method resolves with may turn out not to be writable as JSON.
      if (answer instanceof Promise) this.#await(answer.then(settle).catch(refuse));
      else settle(answer);
    } catch (error) {
      refuse(error);
    }
  }

  #hold(answer: Promise<unknown>): Promise<unknown> {
    this.#isHeld = true;
    return answer.finally(() => {
      this.#isHeld = false;
    });
  }

  #await(answered: Promise<void>): void {
    this.#unanswered += 1;
    void answered.then(() => {
      this.#unanswered -= 1;
      this.#waitForTurn();
    });
  }

  #refuse(overflow: Overflow): void {
    const message =
      overflow === 'line too long'
        ? `the line is longer than ${maxRequestLineBytes} bytes`
        : `the unfinished lines of all connections are longer than ${this.#halfLines.most} bytes together`;
    this.#ports.write(encodeError(null, new RpcError(rpcErrorCode.invalidRequest, message)));
    this.#ports.giveUp(message);
  }
}

function tooLong(line: Buffer): Overflow | null {
  return line.length > maxRequestLineBytes ? 'line too long' : null;
}
