import type { Socket } from 'node:net';
import { EncodedError, isRecord } from '../protocol/json-rpc.ts';
import type { Hello } from '../protocol/local.ts';
import { memberBytes } from '../protocol/raw-json.ts';
import { excerpt, type Greeting, greet, parseLine } from './local-greeting.ts';
import { ConnectionClosedError, type LocalSocketError, NoAnswerError } from './local-socket-errors.ts';

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
  readonly deadline: NodeJS.Timeout | undefined;
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
   * @param deadlineMs null: as long as the connection stands
   * @throws {EncodedError} when the daemon answers with an error, {@link NoAnswerError} at the deadline,
   * {@link ConnectionClosedError} when the connection ends first.
   */
  async request(method: string, params: object = {}, deadlineMs: number | null = answerDeadlineMs): Promise<unknown> {
    return (await this.#ask(method, JSON.stringify(params), deadlineMs)).result;
  }

  /** As {@link request}, with parameters that are JSON on one line, and the result as the JSON that came. */
  async requestJson(method: string, params: string, deadlineMs: number | null): Promise<string> {
    const { line } = await this.#ask(method, params, deadlineMs);
    return memberBytes(line, 'result')?.toString('utf8') ?? 'null';
  }

  #ask(method: string, params: string, deadlineMs: number | null): Promise<Reply> {
    if (this.#socket.destroyed) return Promise.reject(this.#ended ?? this.#closedHere());
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const giveUp = (ms: number) => {
        this.#pending.delete(id);
        reject(new NoAnswerError(`${this.#path} did not answer ${method} within ${ms / 1_000} s`));
      };
      const deadline = deadlineMs === null ? undefined : setTimeout(giveUp, deadlineMs, deadlineMs);
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
    const message = parseLine(line);
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
