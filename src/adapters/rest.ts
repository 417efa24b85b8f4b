import type { Clock } from '../protocol/clock.ts';
import { FailureError, failure } from '../protocol/failure.ts';
import type { Http } from './http-client.ts';
import { type HttpAnswer, networkFailure } from './http-failures.ts';
import { type SigningKey, signatureHeaders } from './signature.ts';
import type { Vault } from './vault.ts';

export interface RestOptions {
  readonly restUrl: string;
  /** Whether requests carry the venue's signature. */
  readonly sign: boolean;
  readonly signature: Omit<SigningKey, 'secret'>;
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
    const { http, vault, clock } = this.#options;
    const token = vault.tokenAt(clock.monotonic());
    const what = `${method} ${path.split('?')[0]}`;
    if (token === null) throw new FailureError(failure('token-refused', `${what}: there is no access token yet`));
    const { url, uri } = this.#target(what, path);
    const headers = {
      accept: 'application/json',
      authorization: `Bearer ${token.value}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...this.#signature(method, uri, body ?? ''),
    };
    try {
      return await http.send({ method, url, headers, ...(body === undefined ? {} : { body }) });
    } catch (error) {
      throw new FailureError(networkFailure(what, error));
    }
  }

  /**
   * The address of a path, and the request URI as it stands on the wire: writing it as a URL escapes some characters
   * and resolves dots, and what is signed must be what is sent.
   */
  #target(what: string, path: string): { readonly url: string; readonly uri: string } {
    const { restUrl } = this.#options;
    // Without its slash a path could continue the name of the host, and take the token there.
    if (!path.startsWith('/')) throw new FailureError(failure('internal', `${what}: the path does not begin with /`));
    const target = new URL(restUrl + path);
    const prefix = new URL(restUrl).pathname.replace(/\/$/, '');
    return { url: target.href, uri: `${target.pathname}${target.search}`.slice(prefix.length) };
  }

  #signature(method: string, target: string, body: string): Readonly<Record<string, string>> {
    const { sign, signature, vault, clock } = this.#options;
    if (!sign) return {};
    const key = { ...signature, secret: vault.clientSecret };
    return { ...signatureHeaders({ method, target, body }, key, clock.wall() / 1_000) };
  }
}
