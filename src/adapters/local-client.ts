import { createConnection, type Socket } from 'node:net';
import { EncodedError, isRecord } from '../protocol/json-rpc.ts';
import { type Hello, localProtocolVersion } from '../protocol/local.ts';
import { memberBytes } from '../protocol/raw-json.ts';
import { LineSplitter } from './line-splitter.ts';

/** Something stands between us and the daemon behind a local socket; the message says what, and names the socket. */
export class LocalSocketError extends Error {
  override readonly name: string = 'LocalSocketError';
}

/** Nothing listens on the socket, or it does not exist. */
export class NotRunningError extends LocalSocketError {
  override readonly name = 'NotRunningError';
  readonly path: string;

  constructor(path: string, options?: ErrorOptions) {
    super(`not running: no daemon at ${path}; start it with figd run`, options);
    this.path = path;
  }
}

/** The socket, or a directory above it, is closed to this user. */
export class AccessDeniedError extends LocalSocketError {
  override readonly name = 'AccessDeniedError';
  readonly path: string;

  constructor(path: string, options?: ErrorOptions) {
    super(`permission denied: ${path}`, options);
    this.path = path;
  }
}

/** Something accepts connections and does not answer in time: a daemon that hangs, most likely. */
export class NoAnswerError extends LocalSocketError {
  override readonly name = 'NoAnswerError';
}

/** What listens there speaks something else, or another version of the local protocol. */
export class NotFigdError extends LocalSocketError {
  override readonly name = 'NotFigdError';
}

/** The connection ended; with the daemon's own reason where it said `bye`. */
export class ConnectionClosedError extends LocalSocketError {
  override readonly name = 'ConnectionClosedError';
}

/** A line of the daemon that answers no request. */
export interface LocalNotification {
  readonly method: string;
  readonly params: unknown;
  /** The whole line as it came, without its line feed. */
  readonly line: Buffer;
}

interface PendingRequest {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: NodeJS.Timeout;
}

/** A result, and the line it came in. */
interface Reply {
  readonly result: unknown;
  readonly line: Buffer;
}

/** How long a healthy daemon may take to greet, or to answer out of its own memory. */
export const answerDeadlineMs = 2_000;

/** Reading pauses when this many notifications wait for the consumer of {@link LocalClient.notifications}. */
const inboxHighWater = 256;

/** One connection to a socket of the daemon, greeted and ready for requests. */
export class LocalClient {
  /** What the daemon said on connecting. */
  readonly hello: Hello;
  readonly #path: string;
  readonly #socket: Socket;
  readonly #pending = new Map<number, PendingRequest>();
  #inbox: LocalNotification[] = [];
  #wake: (() => void) | undefined;
  #lastId = 0;
  #bye: string | undefined;
  #cause: Error | undefined;
  #ended: LocalSocketError | undefined;
  #closed = false;

  /** @param greeting a connection whose `hello` has been read */
  private constructor(greeting: Greeting) {
    this.hello = greeting.hello;
    this.#path = greeting.path;
    this.#socket = greeting.socket;
    this.#socket.on('error', (error) => {
      this.#cause ??= error;
    });
    this.#socket.on('close', () => this.#end());
    greeting.lines.onLine = (line) => this.#receive(line);
  }

  /**
   * Connects and waits for the daemon's `hello`.
   *
   * @throws {NotRunningError} when nothing listens, {@link AccessDeniedError}, {@link NoAnswerError} when no `hello`
   * comes in time, {@link NotFigdError} when something else comes, {@link ConnectionClosedError} when it hangs up.
   */
  static async connect(path: string, deadlineMs = answerDeadlineMs): Promise<LocalClient> {
    return await greet(path, deadlineMs, (greeting) => new LocalClient(greeting));
  }

  /** What ended the connection; undefined while it stands, and when {@link close} ended it. */
  get ended(): LocalSocketError | undefined {
    return this.#ended;
  }

  /**
   * Sends a request and waits for its result. A reply waits behind notifications while their consumer is slow.
   *
   * @throws {EncodedError} when the daemon answers with an error, {@link NoAnswerError} at the deadline,
   * {@link ConnectionClosedError} when the connection ends first.
   */
  async request(method: string, params: object = {}, deadlineMs = answerDeadlineMs): Promise<unknown> {
    return (await this.#ask(method, JSON.stringify(params), deadlineMs)).result;
  }

  /** As {@link request}, with parameters that are JSON on one line, and the result as the JSON that came. */
  async requestJson(method: string, params: string, deadlineMs: number): Promise<string> {
    const { line } = await this.#ask(method, params, deadlineMs);
    return memberBytes(line, 'result')?.toString('utf8') ?? 'null';
  }

  #ask(method: string, params: string, deadlineMs: number): Promise<Reply> {
    if (this.#socket.destroyed) return Promise.reject(this.#ended ?? this.#closedHere());
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.#pending.delete(id);
        reject(new NoAnswerError(`${this.#path} did not answer ${method} within ${deadlineMs / 1_000} s`));
      }, deadlineMs);
      this.#pending.set(id, { resolve, reject, deadline });
      this.#socket.write(`{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}\n`);
    });
  }

  /**
   * What the daemon says unasked, in order, until the connection ends; then {@link ended} says why. For one consumer.
   * Reading from the socket pauses while it is slow, so that what it has not taken waits with the daemon, not here.
   */
  async *notifications(): AsyncGenerator<LocalNotification, void, void> {
    while (!this.#closed) {
      const batch = this.#inbox;
      this.#inbox = [];
      this.#socket.resume();
      for (const notification of batch) {
        yield notification;
        if (this.#closed) return;
      }
      if (batch.length > 0) continue;
      if (this.#ended !== undefined) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends the connection: {@link notifications} returns and pending requests are rejected. */
  close(): void {
    this.#closed = true;
    this.#socket.destroy();
    this.#rejectPending(this.#closedHere());
    this.#wake?.();
  }

  #receive(line: Buffer): void {
    const message = parse(line);
    if (message === undefined) {
      this.#socket.destroy(new Error(`it sent a line that is not JSON: ${excerpt(line)}`));
      return;
    }
    const { id, method, params } = message;
    if (typeof id === 'number') {
      this.#settle(id, message, line);
    } else if (id === null && this.#pending.size === 1) {
      // The daemon could not read the request whose error this is.
      for (const only of this.#pending.keys()) this.#settle(only, message, line);
    } else if (typeof method === 'string') {
      if (method === 'bye' && isRecord(params)) this.#bye = String(params['reason']);
      this.#inbox.push({ method, params, line });
      if (this.#inbox.length >= inboxHighWater) this.#socket.pause();
      this.#wake?.();
    }
  }

  #settle(id: number, { result, error }: Record<string, unknown>, line: Buffer): void {
    const request = this.#pending.get(id);
    if (request === undefined) return;
    this.#pending.delete(id);
    clearTimeout(request.deadline);
    if (isRecord(error)) {
      const { code, message, data } = error;
      const json = memberBytes(line, 'error')?.toString('utf8') ?? '{}';
      request.reject(new EncodedError({ code: Number(code), message: String(message), data }, json));
    } else {
      request.resolve({ result, line });
    }
  }

  #end(): void {
    if (!this.#closed) {
      const reason = this.#bye ?? this.#cause?.message;
      this.#ended = new ConnectionClosedError(
        `the daemon at ${this.#path} closed the connection${reason === undefined ? '' : `: ${reason}`}`,
        { cause: this.#cause },
      );
      this.#rejectPending(this.#ended);
    }
    this.#wake?.();
  }

  #rejectPending(error: Error): void {
    for (const { reject, deadline } of this.#pending.values()) {
      clearTimeout(deadline);
      reject(error);
    }
    this.#pending.clear();
  }

  #closedHere(): ConnectionClosedError {
    return new ConnectionClosedError(`the connection to ${this.#path} was closed here`);
  }
}

interface Greeting {
  readonly path: string;
  readonly socket: Socket;
  readonly lines: LineSplitter;
  readonly hello: Hello;
}

/** Connects and reads the first line; `adopt` takes over before the second can be missed. */
function greet<T>(path: string, deadlineMs: number, adopt: (greeting: Greeting) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const lines = new LineSplitter();
    const deadline = setTimeout(() => {
      const seconds = deadlineMs / 1_000;
      fail(new NoAnswerError(`${path} accepts connections but says no hello within ${seconds} s`));
    }, deadlineMs);
    const onError = (error: NodeJS.ErrnoException) => fail(connectError(path, error));
    const onClose = () => fail(new ConnectionClosedError(`${path} closed the connection without a hello`));
    const fail = (error: Error) => {
      clearTimeout(deadline);
      // The listeners stay: a socket destroyed while it connects may still report an error, which then changes nothing.
      socket.destroy();
      reject(error);
    };
    lines.onLine = (line) => {
      try {
        const hello = readHello(path, line);
        clearTimeout(deadline);
        socket.off('error', onError).off('close', onClose);
        resolve(adopt({ path, socket, lines, hello }));
      } catch (error) {
        lines.onLine = () => undefined;
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    };
    socket.on('data', (chunk: Buffer) => lines.push(chunk));
    socket.on('error', onError).on('close', onClose);
  });
}

function readHello(path: string, line: Buffer): Hello {
  const message = parse(line);
  const params = message?.['params'];
  if (message?.['method'] === 'bye' && isRecord(params)) {
    throw new ConnectionClosedError(`the daemon at ${path} turned us away: ${String(params['reason'])}`);
  }
  if (message?.['method'] !== 'hello' || !isRecord(params)) {
    throw new NotFigdError(`${path} is not a socket of figd: its first line is ${excerpt(line)}`);
  }
  if (params['protocol'] !== localProtocolVersion) {
    const versions = `protocol ${String(params['protocol'])}, this command ${localProtocolVersion}`;
    throw new NotFigdError(`the daemon at ${path} speaks ${versions}; use the figd it was started from`);
  }
  return params as unknown as Hello;
}

function connectError(path: string, error: NodeJS.ErrnoException): Error {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
      return new NotRunningError(path, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new AccessDeniedError(path, { cause: error });
    case 'EAGAIN': // The queue of connections it has not accepted is full.
      return new NoAnswerError(`${path} is full of connections that nobody accepts`, { cause: error });
    default:
      return new LocalSocketError(`cannot connect to ${path}: ${error.message}`, { cause: error });
  }
}

function parse(line: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function excerpt(line: Buffer): string {
  return JSON.stringify(line.toString('utf8', 0, 60));
}
