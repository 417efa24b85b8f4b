import { type Failure, FailureError, failure } from './failure.ts';
import type { RpcErrorObject } from './json-rpc.ts';

/** Timers, injected so that the same code runs in real and in virtual time. */
export interface Timers {
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** The venue's answer to a call, right or wrong, and the frame it came in. */
export type RpcAnswer = (
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: RpcErrorObject }
) & { readonly frame?: Uint8Array };

/** The call did not leave, so it has not been executed. After any other failure it may have been. */
export class NotSentError extends FailureError {
  override readonly name: string = 'NotSentError';
}

/** Calls given up whose late replies are waited for, so that those are known when they come. */
const abandonedRemembered = 1_024;

interface PendingCall {
  readonly method: string;
  readonly resolve: (answer: RpcAnswer) => void;
  readonly reject: (error: FailureError) => void;
  readonly deadline: unknown;
}

/**
 * The calls in flight on one session. Each ends exactly once: with the venue's answer, at its deadline, or when the
 * session goes, whichever comes first.
 */
export class RequestTable {
  readonly #timers: Timers;
  readonly #pending = new Map<number, PendingCall>();
  /** Calls that nobody waits for any more, and that the venue has not answered. */
  readonly #abandoned = new Set<number>();
  #lastId = 0;
  #ended: Failure | null = null;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#pending.size;
  }

  /**
   * Sends a call and waits for its answer.
   * @param params as JSON, which goes out as it is
   * @param send writes the request to the wire; it may throw, and the call then fails at once
   * @throws {FailureError} `reply-timeout` at the deadline, or what ended the session; a {@link NotSentError} where the
   * call did not leave
   */
  call(method: string, params: string, deadlineMs: number, send: (request: string) => void): Promise<RpcAnswer> {
    if (this.#ended !== null) return Promise.reject(new NotSentError(this.#ended));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const deadline = this.#timers.setTimeout(() => {
        this.#pending.delete(id);
        this.#abandon(id);
        reject(new FailureError(failure('reply-timeout', `no reply to ${method} within ${Math.round(deadlineMs)} ms`)));
      }, deadlineMs);
      this.#pending.set(id, { method, resolve, reject, deadline });
      try {
        send(`{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}`);
      } catch {
        this.#take(id);
        reject(new NotSentError(failure('connection-lost', `${method} could not be sent`)));
      }
    });
  }

  /**
   * Settles the call a reply belongs to. Returns false when none is pending under that id. An id of null stands for a
   * request the venue could not read (JSON-RPC 2.0, section 5): where a single call is unanswered, it is that one.
   * @param frame the reply as it came
   */
  settle(id: string | number | null, result: unknown, error: RpcErrorObject | null, frame?: Uint8Array): boolean {
    const call = this.#take(id === null ? this.#onlyOne() : Number(id));
    if (call === undefined) return false;
    const whole = frame === undefined ? {} : { frame };
    call.resolve(error === null ? { ok: true, result, ...whole } : { ok: false, error, ...whole });
    return true;
  }

  /** Whether a reply that settled nothing is the late one to a call that was given up. */
  wasGivenUp(id: string | number | null): boolean {
    return id !== null && this.#abandoned.delete(Number(id));
  }

  /** Rejects every pending call, and every later one, with what ended the session. */
  end(reason: Failure): void {
    this.#ended ??= reason;
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(new FailureError(reason));
  }

  /** The call that an answer without an id is about; 0 where it may be about more than one, those given up included. */
  #onlyOne(): number {
    const [only = 0] = this.#pending.size === 1 && this.#abandoned.size === 0 ? this.#pending.keys() : [];
    return only;
  }

  #abandon(id: number): void {
    this.#abandoned.add(id);
    if (this.#abandoned.size <= abandonedRemembered) return;
    for (const oldest of this.#abandoned.keys().take(1)) this.#abandoned.delete(oldest);
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    if (call === undefined) return undefined;
    this.#pending.delete(id);
    this.#timers.clearTimeout(call.deadline);
    return call;
  }
}
