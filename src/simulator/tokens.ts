import type { Clock } from './ports.ts';
import { hex } from './random.ts';

/** Which token endpoint a token came from; it decides the form of account replies. */
export type TokenStyle = 'json' | 'oauth2';

/** An access token as the venue knows it. */
export interface AccessToken {
  readonly value: string;
  readonly clientId: string;
  readonly style: TokenStyle;
  readonly issuedAt: number;
  /** Unix ms; from then on the token is refused and its sessions are closed. */
  readonly expiresAt: number;
}

/** A refresh token of the OAuth2 endpoint. */
export interface RefreshToken {
  readonly value: string;
  readonly clientId: string;
  readonly expiresAt: number;
}

/** Issued tokens are recognisable by prefix, so that leak tests can search for them anywhere. */
export const accessTokenPrefix = 'figsim-access-';
export const refreshTokenPrefix = 'figsim-refresh-';

/** Issues tokens and knows which are valid. Expired tokens are forgotten whenever a new one is issued. */
export class TokenIssuer {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #access = new Map<string, AccessToken>();
  readonly #refresh = new Map<string, RefreshToken>();

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Issues an access token that lives for `life` ms. */
  issueAccess(clientId: string, style: TokenStyle, life: number): AccessToken {
    const issuedAt = this.#clock.now();
    this.#forgetExpired(issuedAt);
    const value = accessTokenPrefix + hex(this.#random, 40);
    const token = { value, clientId, style, issuedAt, expiresAt: issuedAt + life };
    this.#access.set(value, token);
    return token;
  }

  /** Issues a refresh token that lives for `life` ms. */
  issueRefresh(clientId: string, life: number): RefreshToken {
    const value = refreshTokenPrefix + hex(this.#random, 40);
    const token = { value, clientId, expiresAt: this.#clock.now() + life };
    this.#refresh.set(value, token);
    return token;
  }

  /** The valid access token with this value. */
  access(value: string): AccessToken | undefined {
    return unexpired(this.#access.get(value), this.#clock.now());
  }

  /** The valid refresh token with this value. */
  refresh(value: string): RefreshToken | undefined {
    return unexpired(this.#refresh.get(value), this.#clock.now());
  }

  /** Makes one refresh token useless. */
  revokeRefresh(value: string): void {
    this.#refresh.delete(value);
  }

  /** Makes every token issued so far useless. */
  revokeAll(): void {
    this.#access.clear();
    this.#refresh.clear();
  }

  #forgetExpired(now: number): void {
    for (const tokens of [this.#access, this.#refresh]) {
      for (const [value, token] of tokens) if (token.expiresAt <= now) tokens.delete(value);
    }
  }
}

function unexpired<Token extends { readonly expiresAt: number }>(
  token: Token | undefined,
  now: number,
): Token | undefined {
  return token !== undefined && token.expiresAt > now ? token : undefined;
}
