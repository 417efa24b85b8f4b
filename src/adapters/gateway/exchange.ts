import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { HttpAnswer } from '../http-failures.ts';

/** Takes an answer as it comes. */
export interface AnswerTaker {
  /** @param headers names and values by turns, as the venue wrote them */
  head(status: number, reason: string, headers: readonly string[]): void;
  /** @returns false where no more is wanted until `resume` is called */
  data(chunk: Buffer, resume: () => void): boolean;
  end(): void;
  /** The answer broke off in the middle of its body. */
  broken(error: Error): void;
}

export interface Outgoing {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
}

/** How an exchange ended: its answer was handed on to its end, or was held back, or broke off after its head. */
export type ExchangeEnd = 'handed on' | 'held back' | 'broken';

/** An exchange failed before the head of an answer came. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  /** Whether the venue may have got the request. */
  readonly isSent: boolean;

  constructor(cause: unknown, isSent: boolean) {
    super('no answer', { cause });
    this.isSent = isSent;
  }
}

const unauthorized = 401;
/** An answer held back is handed on after all when it grows beyond this: a refusal is short. */
const mostHeldBytes = 65_536;

/** One request and its answer, handed on chunk by chunk as fast as it is taken. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly ended: Promise<ExchangeEnd>;
  readonly #taker: AnswerTaker;
  readonly #onHead: (head: Pick<HttpAnswer, 'status' | 'headers'>) => void;
  readonly #settle: { readonly resolve: (end: ExchangeEnd) => void; readonly reject: (error: ExchangeError) => void };
  #controller: Dispatcher.DispatchController | null = null;
  #aborted: Error | null = null;
  /** Of the answer; null before its head. */
  #status: number | null = null;
  #holds: boolean;
  #held: { readonly hand: () => void; readonly chunks: Buffer[]; bytes: number } | null = null;

  /** @param holdsRefusal whether an answer 401 is held back, to be handed on by {@link handHeld} or never */
  constructor(
    taker: AnswerTaker,
    onHead: (head: Pick<HttpAnswer, 'status' | 'headers'>) => void,
    holdsRefusal: boolean,
  ) {
    this.#taker = taker;
    this.#onHead = onHead;
    this.#holds = holdsRefusal;
    const { promise, resolve, reject } = Promise.withResolvers<ExchangeEnd>();
    this.ended = promise;
    this.#settle = { resolve, reject };
  }

  /** Whether the venue has refused the token. */
  get isRefused(): boolean {
    return this.#status === unauthorized;
  }

  /** Ends it at once, wherever it is. */
  abort(reason: Error): void {
    this.#aborted ??= reason;
    if (this.#controller !== null) this.#controller.abort(reason);
    // It waits for a connection, and is dropped when it is its turn.
    else this.#settle.reject(new ExchangeError(reason, false));
  }

  /** Hands on the answer that was held back. */
  handHeld(): void {
    if (this.#held === null) return;
    const { hand, chunks } = this.#held;
    this.#held = null;
    hand();
    for (const chunk of chunks) this.#taker.data(chunk, () => undefined);
    this.#taker.end();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#aborted !== null) controller.abort(this.#aborted);
    else this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: HttpAnswer['headers'],
    reason = '',
  ): void {
    // Interim answers (RFC 9110, 15.2) concern this connection.
    if (status < 200) return;
    this.#status = status;
    this.#onHead({ status, headers });
    const raw = texts(controller.rawHeaders);
    const hand = () => this.#taker.head(status, reason, raw);
    if (this.#holds && status === unauthorized) this.#held = { hand, chunks: [], bytes: 0 };
    else hand();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const held = this.#held;
    if (held !== null) {
      held.bytes += chunk.length;
      held.chunks.push(chunk);
      if (held.bytes <= mostHeldBytes) return;
      this.#held = null;
      held.hand();
      for (const each of held.chunks) this.#take(controller, each);
      return;
    }
    this.#take(controller, chunk);
  }

  onResponseEnd(): void {
    if (this.#held === null) this.#taker.end();
    this.#settle.resolve(this.#held === null ? 'handed on' : 'held back');
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#status === null || this.#held !== null) {
      this.#held = null;
      this.#settle.reject(new ExchangeError(error, this.#controller !== null));
      return;
    }
    this.#taker.broken(error);
    this.#settle.resolve('broken');
  }

  #take(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#taker.data(chunk, () => controller.resume())) controller.pause();
  }
}

function texts(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  // Header values are octets (RFC 9110, 5.5): latin1 keeps each as it is.
  return Array.isArray(raw) ? raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))) : [];
}
