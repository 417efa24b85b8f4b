import type { Clock } from '../protocol/clock.ts';
import { FailureError, failure } from '../protocol/failure.ts';
import type { Http } from './http-client.ts';
import { type HttpAnswer, networkFailure } from './http-failures.ts';
import type { RestEntrance } from './rest-entrance.ts';
import type { Vault } from './vault.ts';

export interface RestOptions {
  readonly entrance: RestEntrance;
  readonly http: Http;
  readonly vault: Vault;
  readonly clock: Clock;
}

export interface RestRequest {
  readonly method: string;
  /** Path with its query, as it follows the host. */
  readonly path: string;
  readonly body?: string;
}

/** Figd's own calls of the venue's REST API. */
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
    const { entrance, http, vault, clock } = this.#options;
    const token = vault.tokenAt(clock.monotonic());
    const what = `${method} ${path.split('?')[0]}`;
    if (token === null) throw new FailureError(failure('token-refused', `${what}: there is no access token yet`));
    const { origin, path: sent, uri } = entrance.target(path);
    const headers = {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...entrance.proof(token.value, { method, target: uri, body: body ?? '' }, clock.wall()),
    };
    try {
      return await http.send({ method, url: origin + sent, headers, ...(body === undefined ? {} : { body }) });
    } catch (error) {
      throw new FailureError(networkFailure(what, error));
    }
  }
}
