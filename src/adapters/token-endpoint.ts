import type { Grant, TokenRequest } from '../machines/token.events.ts';
import type { Clock } from '../protocol/clock.ts';
import { type Failure, FailureError, failure } from '../protocol/failure.ts';
import { isRecord, parseJson } from '../protocol/json-rpc.ts';
import type { Http } from './http-client.ts';
import { type HttpAnswer, isSuccess, networkFailure, statusFailure, venueWords } from './http-failures.ts';
import type { Vault } from './vault.ts';
import { addressWords, clientRefusals } from './wire-codes.ts';

export interface TokenEndpointOptions {
  readonly url: string;
  /** `json`: the quickstart's body of clientId and clientSecret; `oauth2`: RFC 6749, 4.4 and 6. */
  readonly style: 'json' | 'oauth2';
  readonly http: Http;
  readonly vault: Vault;
  readonly clock: Clock;
}

const what = 'token request';

/** Request timeout, too early, too many requests: to be asked again as it was. */
const sayNothing: readonly number[] = [408, 425, 429];

/** Exchanges credentials, or a refresh token, for an access token, and puts what it gets into the vault. */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  /**
   * Asks once. A refresh token that is refused is dropped, so that the next request uses the credentials.
   * @param signal aborted when nobody waits for the answer any more; a late answer is then thrown away
   * @throws {FailureError} `refresh-token-refused`, or what the venue or the network said
   */
  async request({ generation, kind }: TokenRequest, signal: AbortSignal): Promise<Grant> {
    const { vault } = this.#options;
    const { credentialsVersion } = vault;
    const refreshToken = kind === 'refresh' ? vault.refreshToken : null;
    const requestedAt = this.#options.clock.monotonic();
    const answer = await this.#ask(refreshToken, signal);
    if (refreshToken !== null && isRefusal(answer.status)) {
      vault.dropRefreshToken();
      throw new FailureError(failure('refresh-token-refused', this.#refusal(answer).message));
    }
    const grant = this.#read(answer);
    signal.throwIfAborted();
    // A refresh token of credentials that were replaced meanwhile would keep the old ones in use.
    const isCurrent = vault.credentialsVersion === credentialsVersion;
    const expiresAt = requestedAt + grant.lifeMs;
    vault.keep({ value: grant.accessToken, generation, expiresAt }, isCurrent ? grant.refreshToken : null);
    return { lifeMs: grant.lifeMs };
  }

  async #ask(refreshToken: string | null, signal: AbortSignal): Promise<HttpAnswer> {
    const { url, style, http } = this.#options;
    const headers = {
      accept: 'application/json',
      'content-type': style === 'json' ? 'application/json' : 'application/x-www-form-urlencoded',
    };
    try {
      return await http.send({ method: 'POST', url, headers, body: this.#body(refreshToken), signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new FailureError(networkFailure(what, error));
    }
  }

  #body(refreshToken: string | null): string {
    const { clientId, clientSecret } = this.#options.vault;
    if (this.#options.style === 'json') return JSON.stringify({ clientId, clientSecret });
    const grant =
      refreshToken === null
        ? { grant_type: 'client_credentials' }
        : { grant_type: 'refresh_token', refresh_token: refreshToken };
    return new URLSearchParams({ ...grant, client_id: clientId, client_secret: clientSecret }).toString();
  }

  #read(answer: HttpAnswer): { accessToken: string; refreshToken: string | null; lifeMs: number } {
    if (!isSuccess(answer.status)) throw new FailureError(this.#refusal(answer));
    const body = parse(answer.body);
    const accessToken = body['access_token'];
    const lifeMs = Number(body['expires_in']) * 1_000;
    if (typeof accessToken !== 'string' || accessToken === '') {
      throw new FailureError(failure('bad-reply', `${what}: the answer has no access_token`));
    }
    if (!(lifeMs > 0 && Number.isFinite(lifeMs))) {
      throw new FailureError(failure('bad-reply', `${what}: expires_in is not a number of seconds above zero`));
    }
    const refreshToken = body['refresh_token'];
    return { accessToken, refreshToken: typeof refreshToken === 'string' ? refreshToken : null, lifeMs };
  }

  #refusal(answer: HttpAnswer): Failure {
    const { vault, clock } = this.#options;
    const found = statusFailure(what, answer, (text) => vault.quote(text), clock.wall());
    const error = parse(answer.body)['error'];
    const isRefused =
      answer.status === 401 || (answer.status === 400 && typeof error === 'string' && clientRefusals.includes(error));
    if (!isRefused) return found;
    const isForAddress = addressWords.test(venueWords(answer.body));
    return failure(isForAddress ? 'address-refused' : 'credentials-refused', found.message);
  }
}

/**
 * Whether a status refuses a refresh token: 400 and 401 by RFC 6749 (5.2), others by identity providers that see it
 * otherwise. Where they mean something else, the request with the credentials that follows gets the same answer.
 */
function isRefusal(status: number): boolean {
  return status >= 400 && status <= 499 && !sayNothing.includes(status);
}

function parse(body: string): Record<string, unknown> {
  const value = parseJson(body);
  return isRecord(value) ? value : {};
}
