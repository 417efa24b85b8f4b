import type { SignatureSettings } from '../config/settings.ts';
import { FailureError, failure } from '../protocol/failure.ts';
import { type SignedRequest, signatureHeaders } from './signature.ts';
import type { Vault } from './vault.ts';

export interface RestAccess {
  readonly restUrl: string;
  /** Whether requests carry the venue's signature. */
  readonly sign: boolean;
  readonly signature: SignatureSettings;
}

/** Where a request goes. */
export interface RestTarget {
  readonly origin: string;
  /** Path and query as they go over the wire. */
  readonly path: string;
  /** Path and query below the base of the API: what is signed, and what may be allowed. */
  readonly uri: string;
}

/** The venue's REST API: where a path of it is, and what proves to it who asks. */
export class RestEntrance {
  readonly isSigned: boolean;
  readonly #access: RestAccess;
  readonly #vault: Vault;
  readonly #prefix: string;

  constructor(access: RestAccess, vault: Vault) {
    this.isSigned = access.sign;
    this.#access = access;
    this.#vault = vault;
    this.#prefix = new URL(access.restUrl).pathname.replace(/\/$/, '');
  }

  /**
   * The address of a path: writing it as a URL escapes some characters and resolves dots, and what is signed must be
   * what is sent.
   * @throws {FailureError} `internal` for a path that does not begin with a slash, or leaves the base of the API
   */
  target(path: string): RestTarget {
    // Without its slash a path could continue the name of the host, and take the token there.
    if (!path.startsWith('/')) throw new FailureError(failure('internal', 'the path of a REST call begins with /'));
    const { origin, pathname, search } = new URL(this.#access.restUrl + path);
    // `/..`, also as `/%2e%2e`, leads out of it: what is compared with gateway.allow would not be what is asked for.
    if (!pathname.startsWith(`${this.#prefix}/`)) {
      throw new FailureError(failure('internal', 'the path of a REST call stays below venue.restUrl'));
    }
    return { origin, path: `${pathname}${search}`, uri: `${pathname}${search}`.slice(this.#prefix.length) };
  }

  /**
   * The headers that prove who asks: a token and, where the venue wants it, a signature.
   * @param wall unix milliseconds
   */
  proof(token: string, request: SignedRequest, wall: number): Readonly<Record<string, string>> {
    const authorization = `Bearer ${token}`;
    if (!this.isSigned) return { authorization };
    const key = { secret: this.#vault.clientSecret, ...this.#access.signature };
    return { authorization, ...signatureHeaders(request, key, wall / 1_000) };
  }
}
