import type { Socket } from 'node:net';
import { encodeError, encodeResult, RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import { maxRequestLineBytes } from '../protocol/local.ts';
import { BadRequest, type LocalRequest, parseRequest } from '../protocol/local-requests.ts';

export interface ReaderPorts {
  /** Answers a request, or throws an {@link RpcError}. */
  readonly handle: (request: LocalRequest) => unknown;
  /** Writes an encoded line to the client. */
  readonly write: (line: string) => void;
  /** Whether the client reads what it is written. */
  readonly hasRoom: () => boolean;
  /** Ends the connection: nothing sensible is to be expected of this client. */
  readonly giveUp: () => void;
  /** Unexpected errors in `handle`. */
  readonly onBug: (error: unknown) => void;
}

const lineFeed = 0x0a;
const strictDecoder = new TextDecoder('utf-8', { fatal: true });

/** Reads the requests of one connection and answers them. A client that does not read its replies is not read either. */
export class RequestReader {
  readonly #socket: Socket;
  readonly #ports: ReaderPorts;
  readonly #onData = (chunk: Buffer) => this.#receive(chunk);
  #unfinished: Buffer[] = [];
  #unfinishedBytes = 0;
  #stopped = false;

  constructor(socket: Socket, ports: ReaderPorts) {
    this.#socket = socket;
    this.#ports = ports;
    socket.on('data', this.#onData);
  }

  /** Goes on where reading stopped because the client did not read. */
  readOn(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Hears no more requests. What still comes is taken in and forgotten. */
  stop(): void {
    this.#stopped = true;
    this.#unfinished = [];
    this.#unfinishedBytes = 0;
    this.#socket.pause();
    this.#socket.off('data', this.#onData);
    // Unread input would turn the end of the connection into a reset that swallows our last words.
    this.#socket.on('data', () => undefined);
    this.#socket.resume();
  }

  #receive(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      const line = this.#finish(chunk.subarray(start, end));
      start = end + 1;
      if (line.length > maxRequestLineBytes) this.#refuseLongLine();
      else if (line.length > 0) this.#answer(line);
      if (this.#stopped) return;
      if (!this.#ports.hasRoom()) {
        this.#stopListening(chunk.subarray(start));
        return;
      }
    }
    if (start < chunk.length) {
      this.#unfinished.push(chunk.subarray(start));
      this.#unfinishedBytes += chunk.length - start;
    }
    if (this.#unfinishedBytes > maxRequestLineBytes) this.#refuseLongLine();
    else if (!this.#ports.hasRoom()) this.#socket.pause();
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
    const { handle, write, onBug } = this.#ports;
    let request: LocalRequest;
    try {
      request = parseRequest(strictDecoder.decode(bytes));
    } catch (error) {
      const bad =
        error instanceof BadRequest ? error : new BadRequest(null, rpcErrorCode.parseError, 'the line is not UTF-8');
      write(encodeError(bad.id, bad));
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
      const answer = handle(request);
      // Caught behind `settle`: what a method resolves with may turn out not to be writable as JSON.
      if (answer instanceof Promise) answer.then(settle).catch(refuse);
      else settle(answer);
    } catch (error) {
      refuse(error);
    }
  }

  #refuseLongLine(): void {
    const message = `the line is longer than ${maxRequestLineBytes} bytes`;
    this.#ports.write(encodeError(null, new RpcError(rpcErrorCode.invalidRequest, message)));
    this.#ports.giveUp();
  }
}
