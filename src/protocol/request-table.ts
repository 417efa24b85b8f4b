import { type Failure, FailureError, failure } from './failure.ts';
import type { RpcErrorObject } from './json-rpc.ts';

/** Timers, injected so that the same code runs in real and in virtual time. */
export interface Timers {
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** The venue's answer to a call, right or wrong. */
export type RpcAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: RpcErrorObject };

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
   * @param send writes the request to the wire; it may throw, and the call then fails at once
   * @throws {FailureError} `reply-timeout` at the deadline, or what ended the session
   */
  call(
    method: string,
    params: Readonly<Record<string, unknown>>,
    deadlineMs: number,
    send: (request: string) => void,
  ): Promise<RpcAnswer> {
    if (this.#ended !== null) return Promise.reject(new FailureError(this.#ended));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const deadline = this.#timers.setTimeout(() => {
        this.#pending.delete(id);
        reject(new FailureError(failure('reply-timeout', `no reply to ${method} within ${deadlineMs} ms`)));
      }, deadlineMs);
      this.#pending.set(id, { method, resolve, reject, deadline });
      try {
        send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      } catch {
        this.#take(id);
        reject(new FailureError(failure('connection-lost', `${method} could not be sent`)));
      }
    });
  }

  /**
   * Settles the call a reply belongs to. Returns false when none is pending under that id. An id of null stands for a
   * request the venue could not read (JSON-RPC 2.0, section 5): where a single call is pending, it is that one.
   */
  settle(id: string | number | null, result: unknown, error: RpcErrorObject | null): boolean {
    const [only] = this.#pending.size === 1 ? this.#pending.keys() : [];
    const call = this.#take(id === null ? (only ?? 0) : Number(id));
    if (call === undefined) return false;
    call.resolve(error === null ? { ok: true, result } : { ok: false, error });
    return true;
  }

  /** Rejects every pending call, and every later one, with what ended the session. */
  end(reason: Failure): void {
    this.#ended ??= reason;
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(new FailureError(reason));
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    if (call === undefined) return undefined;
    this.#pending.delete(id);
    this.#timers.clearTimeout(call.deadline);
    return call;
  }
}
