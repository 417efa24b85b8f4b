import { headerOf } from '../../gateway/http-headers.ts';
import type { Timers } from '../../protocol/request-table.ts';
import type { AnswerTaker } from './exchange.ts';
import { Refusal } from './refusal.ts';

/** An answer that fits into a line of the control socket. */
export interface RestAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

/** The largest body that is answered in one line, in bytes: the venue's documented pages are far smaller. */
const mostBytes = 16 * 1_048_576;
/** However slowly an answer drips in, it is given up so long after its head. */
const longestMs = 60_000;

/** Takes an answer as a whole, as long as it fits and somebody waits for it. */
export class WholeAnswer implements AnswerTaker, Disposable {
  readonly #clock: Timers;
  readonly #caller: AbortSignal;
  readonly #enough = new AbortController();
  readonly #leave = () => this.#enough.abort();
  #deadline: unknown;
  #status = 0;
  #contentType: string | null = null;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #trouble: Refusal | null = null;

  /** @param caller aborted when nobody waits for the answer any more */
  constructor(clock: Timers, caller: AbortSignal) {
    this.#clock = clock;
    this.#caller = caller;
    if (caller.aborted) this.#leave();
    else caller.addEventListener('abort', this.#leave);
  }

  /** Aborted when no more of the answer is wanted. */
  get signal(): AbortSignal {
    return this.#enough.signal;
  }

  head(status: number, _reason: string, headers: readonly string[]): void {
    this.#status = status;
    this.#contentType = headerOf(headers, 'content-type') ?? null;
    this.#deadline = this.#clock.setTimeout(() => {
      const message = `the answer was not at its end within ${longestMs} ms; ${this.#bytes} bytes of it have come`;
      this.#giveUp(new Refusal(504, 'reply-timeout', message, { sent: true }));
    }, longestMs);
  }

  data(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes <= mostBytes) this.#chunks.push(chunk);
    else {
      const message = `the answer is larger than ${mostBytes} bytes, which fit into a line; use gateway.sock for it`;
      this.#giveUp(new Refusal(502, 'bad-reply', message, { sent: true }));
    }
    return true;
  }

  end(): void {
    this.#clock.clearTimeout(this.#deadline);
  }

  broken(error: Error): void {
    this.end();
    const message = `the answer broke off after ${this.#bytes} bytes: ${error.message}`;
    this.#trouble ??= new Refusal(502, 'connection-lost', message, { sent: true });
  }

  /** @throws {Refusal} where it is not whole */
  get answer(): RestAnswer {
    if (this.#trouble !== null) throw this.#trouble;
    const body = Buffer.concat(this.#chunks, this.#bytes).toString('utf8');
    return { status: this.#status, contentType: this.#contentType, body };
  }

  /** Nothing is waited for any more. */
  [Symbol.dispose](): void {
    this.end();
    this.#caller.removeEventListener('abort', this.#leave);
  }

  #giveUp(trouble: Refusal): void {
    this.#trouble ??= trouble;
    this.#chunks.length = 0;
    this.#enough.abort();
  }
}
