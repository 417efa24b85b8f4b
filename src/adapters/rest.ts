import { createHmac } from 'node:crypto';
import type { Clock } from '../protocol/clock.ts';
import { FailureError, failure } from '../protocol/failure.ts';
import type { HttpClient } from './http-client.ts';
import { type HttpAnswer, networkFailure } from './http-failures.ts';
import type { Vault } from './vault.ts';

export interface RestOptions {
  readonly restUrl: string;
  /** Whether requests carry the venue's signature. */
  readonly sign: boolean;
  readonly http: HttpClient;
  readonly vault: Vault;
  readonly clock: Clock;
}

export interface RestRequest {
  readonly method: string;
  /** Path with its query, as it follows the host. */
  readonly path: string;
  readonly body?: string;
}

/** Authenticated calls to the venue's REST API. */
export class Rest {
  readonly #options: RestOptions;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /**
   * Sends one request, once, with the token in use. The venue's answer comes back whatever its status.
   * @throws {FailureError} `token-refused` while there is no token, or what the network said
   */
  async call({ method, path, body }: RestRequest): Promise<HttpAnswer> {
    const { http, vault, restUrl } = this.#options;
    const token = vault.accessToken;
    const what = `${method} ${path.split('?')[0]}`;
    if (token === null) throw new FailureError(failure('token-refused', `${what}: there is no access token yet`));
    const headers = {
      accept: 'application/json',
      authorization: `Bearer ${token.value}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...this.#signature(method, path, body ?? ''),
    };
    try {
      return await http.send({ method, url: restUrl + path, headers, ...(body === undefined ? {} : { body }) });
    } catch (error) {
      throw new FailureError(networkFailure(what, error));
    }
  }

  /** The venue's documented signature: HMAC-SHA256 over time, method, request URI and the exact bytes of the body. */
  #signature(method: string, path: string, body: string): Record<string, string> {
    const { sign, vault, clock } = this.#options;
    if (!sign) return {};
    const timestamp = Math.floor(clock.wall() / 1_000).toString();
    const signed = `${timestamp}\n${method}\n${path}\n${body}`;
    return {
      'x-fig-timestamp': timestamp,
      'x-fig-signature': createHmac('sha256', vault.clientSecret).update(signed).digest('hex'),
    };
  }
}
