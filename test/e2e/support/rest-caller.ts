import { Pool } from 'undici';

/** What became of one call: an answer of the venue's, or one of figd's own in its place. */
export interface CallEnd {
  readonly key: string;
  readonly status: number;
  /** The code of what figd answered itself; undefined where the venue did. */
  readonly refusal: string | undefined;
  readonly body: string;
}

/** A program that makes one REST call after the other on `gateway.sock`. */
export class RestCaller implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #name: string;
  readonly #method: 'POST' | 'PUT';
  #calls = 0;

  constructor(name: string, socketPath: string, method: 'POST' | 'PUT') {
    this.#name = name;
    this.#method = method;
    this.#pool = new Pool('http://fig', { socketPath, connections: 1 });
  }

  /** The simulator's echo answers with the body, and counts the key. */
  async echo(): Promise<CallEnd> {
    this.#calls += 1;
    const key = `${this.#name}-${this.#calls}`;
    const { statusCode, headers, body } = await this.#pool.request({
      method: this.#method,
      path: `/v1/simulator/echo/${key}`,
      headers: { 'x-request-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ key }),
    });
    const refusal = headers['x-figd-error'];
    return {
      key,
      status: statusCode,
      refusal: typeof refusal === 'string' ? refusal : undefined,
      body: await body.text(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}
