import { Agents } from './agents.ts';
import { type HttpAnswer, isSuccess } from './http-failures.ts';
import { bodyOfRefusal, refusalPatienceMs } from './refusal-body.ts';
import { request } from './undici.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** How requests reach the venue: over the network in life, in memory in a simulation. */
export interface Http {
  /** Sends one request, once. Rejects only where there is no answer at all, or half of a success. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Closes every connection, idle or not. */
  close(): Promise<void>;
}

/** An answer larger than this is refused: the venue's documented pages are far smaller. */
const largestAnswerBytes = 16 * 1024 * 1024;

export interface HttpTimeouts {
  /** Milliseconds for TCP and TLS. */
  readonly connect: number;
  /** Milliseconds until the answer's head, and between two parts of its body. */
  readonly reply: number;
}

/** Nothing here unpacks what is compressed, and without a word a venue may choose to (RFC 9110, 12.5.3). */
const uncompressed = { 'accept-encoding': 'identity' };

/** However slowly an answer drips in, it is given up after this long. */
const longestExchangeMs = 60_000;

/** HTTP to the venue: one pool of connections, every step with a deadline, no redirects followed. */
export class HttpClient implements Http {
  readonly #timeouts: () => HttpTimeouts;
  readonly #agents: Agents;

  /**
   * @param timeouts as they are whenever a request is sent
   * @param proxy that other hosts than this machine are reached through
   */
  constructor(timeouts: () => HttpTimeouts, proxy: URL | null = null) {
    this.#timeouts = timeouts;
    this.#agents = new Agents(() => timeouts().connect, proxy, { maxResponseSize: largestAnswerBytes });
  }

  async send({ url, method, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    const deadline = AbortSignal.timeout(longestExchangeMs);
    const { reply } = this.#timeouts();
    const answer = await request(this.#agents.current, url, {
      headersTimeout: reply,
      bodyTimeout: reply,
      method: method as 'GET',
      headers: { ...uncompressed, ...headers },
      ...(body === undefined ? {} : { body }),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    const { statusCode: status, headers: told, body: content } = answer;
    if (isSuccess(status)) return { status, headers: told, body: await content.text() };
    const words = await bodyOfRefusal(content, refusalPatienceMs, largestAnswerBytes);
    signal?.throwIfAborted();
    return { status, headers: told, body: words };
  }

  async close(): Promise<void> {
    await this.#agents.destroy();
  }
}
