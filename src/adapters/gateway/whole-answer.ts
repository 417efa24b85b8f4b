import { headerOf } from '../../gateway/http-headers.ts';
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

/** Takes an answer as a whole. */
export class WholeAnswer implements AnswerTaker {
  #status = 0;
  #contentType: string | null = null;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #trouble: Refusal | null = null;

  head(status: number, _reason: string, headers: readonly string[]): void {
    this.#status = status;
    this.#contentType = headerOf(headers, 'content-type') ?? null;
  }

  data(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes <= mostBytes) this.#chunks.push(chunk);
    return true;
  }

  end(): void {
    if (this.#bytes <= mostBytes) return;
    const message = `the answer has ${this.#bytes} bytes, and ${mostBytes} fit into a line; use gateway.sock for it`;
    this.#trouble = new Refusal(502, 'bad-reply', message, { sent: true });
  }

  broken(error: Error): void {
    const message = `the answer broke off after ${this.#bytes} bytes: ${error.message}`;
    this.#trouble = new Refusal(502, 'connection-lost', message, { sent: true });
  }

  /** @throws {Refusal} where it is not whole */
  get answer(): RestAnswer {
    if (this.#trouble !== null) throw this.#trouble;
    const body = Buffer.concat(this.#chunks, this.#bytes).toString('utf8');
    return { status: this.#status, contentType: this.#contentType, body };
  }
}
