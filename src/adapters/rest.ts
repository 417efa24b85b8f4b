import type { Clock } from '../protocol/clock.ts';
import { FailureError, failure } from '../protocol/failure.ts';
import { pathOf } from '../protocol/path.ts';
import type { OwnHttp } from './budgeted-http.ts';
import type { HttpRequest } from './http-client.ts';
import { type HttpAnswer, networkFailure } from './http-failures.ts';
import type { RestEntrance, RestTarget } from './rest-entrance.ts';
import type { Vault } from './vault.ts';

export interface RestOptions {
  readonly entrance: RestEntrance;
  readonly http: OwnHttp;
  readonly vault: Vault;
  readonly clock: Clock;
}

export interface RestRequest {
  readonly method: string;
  /** Path with its query, as it follows the host. */
  readonly path: string;
  readonly body?: string;
  /** Aborted when nobody wants the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

/** Figd's own calls of the venue's REST API. */
export class Rest {
  readonly #options: RestOptions;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /**
   * Sends one request, once, as soon as the venue's limit allows, with the token in use then. The venue's answer comes
   * back whatever its status.
   * @throws {FailureError} `token-refused` while there is no token, `rate-limited`, or what the network said
   */
  async call(request: RestRequest): Promise<HttpAnswer> {
    const { entrance, http } = this.#options;
    const what = `${request.method} ${pathOf(request.path)}`;
    const target = entrance.target(request.path);
    try {
      return await http.send(() => this.#make(what, target, request), request.signal);
    } catch (error) {
      throw error instanceof FailureError ? error : new FailureError(networkFailure(what, error));
    }
  }

  #make(what: string, { origin, path, uri }: RestTarget, { method, body, signal }: RestRequest): HttpRequest {
    const { entrance, vault, clock } = this.#options;
    const token = vault.tokenAt(clock.monotonic());
    if (token === null) throw new FailureError(failure('token-refused', `${what}: there is no access token yet`));
    const headers = {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...entrance.proof(token.value, { method, target: uri, body: body ?? '' }, clock.wall()),
    };
    return {
      method,
      url: origin + path,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    };
  }
}
