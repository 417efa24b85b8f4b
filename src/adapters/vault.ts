import type { Secret } from '../config/secret.ts';
import { withoutEscapes } from '../protocol/raw-json.ts';
import { cut } from '../protocol/text.ts';

export interface AccessToken {
  readonly value: string;
  readonly generation: number;
  /** When it dies, in monotonic milliseconds. */
  readonly expiresAt: number;
}

export interface ApiKey {
  readonly clientId: Secret;
  readonly clientSecret: Secret;
}

const shown = '[secret]';
/** Redacting a shorter text would hit words that merely contain it. */
const shortestRedacted = 4;
const shortestRedactedId = 8;
const rememberedTokens = 8;
const longestQuote = 200;
/**
 * A word is looked at once, from its first letter, and only where a dot follows it: begun anew at each `eyJ` within one,
 * the search took time with the square of its length (64 KB: 2.5 s), and words come from local programs.
 */
const jwt = /(?<![\w-])(?=[\w-]+\.[\w-])(?<before>[\w-]*?)\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g;
/** Stops at a backslash too: in a line of JSON that begins the escape of a quote, and the line must stay JSON. */
const bearer = /\bBearer\s+[^\s"',\\]+/gi;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what the venue says must not steer a terminal or split a log line
const controls = /[\u0000-\u001f\u007f-\u009f]+/g;

/**
 * The only place in the process that holds secrets: credentials and tokens. Machines see generations and lives;
 * adapters that need a value ask here at the moment of use.
 */
export class Vault {
  #clientId: Secret;
  #clientSecret: Secret;
  /** Tokens and secrets of the past: they may still turn up in what the venue says. */
  readonly #past: string[] = [];
  #access: AccessToken | null = null;
  #refresh: string | null = null;
  #credentialsVersion = 0;
  /** Matches every secret in every form; null when they have changed. */
  #pattern: RegExp | null = null;
  /** The forms of all that opens a door; null when they have changed. */
  #keys: readonly Buffer[] | null = null;

  constructor(credentials: ApiKey) {
    this.#clientId = credentials.clientId;
    this.#clientSecret = credentials.clientSecret;
  }

  get clientId(): string {
    return this.#clientId.reveal();
  }

  get clientSecret(): string {
    return this.#clientSecret.reveal();
  }

  /** The newest token, alive or not. */
  get accessToken(): AccessToken | null {
    return this.#access;
  }

  /** The token to use at that moment (monotonic milliseconds): one that is known to be dead is not handed out. */
  tokenAt(now: number): AccessToken | null {
    return this.#access !== null && this.#access.expiresAt > now ? this.#access : null;
  }

  get refreshToken(): string | null {
    return this.#refresh;
  }

  /** Uses other credentials from now on. Tokens of the old ones stay redacted, and a refresh token of theirs is dropped. */
  replaceCredentials({ clientId, clientSecret }: ApiKey): void {
    this.#remember(this.clientSecret);
    this.#clientId = clientId;
    this.#clientSecret = clientSecret;
    this.dropRefreshToken();
    this.#forgetForms();
    this.#credentialsVersion += 1;
  }

  keep(access: AccessToken, refresh: string | null): void {
    this.#remember(this.#access?.value);
    this.#remember(this.#refresh);
    this.#access = access;
    this.#refresh = refresh;
    this.#forgetForms();
  }

  /** Uses the token the venue gave in an `auth` reply from now on, in the place of the one of that generation. */
  adopt(value: string, generation: number): void {
    if (this.#access?.generation !== generation) {
      // Too late to be used it is still a valid token.
      this.#remember(value);
      return;
    }
    this.#remember(this.#access.value);
    // How long it lives the venue does not tell: no shorter than the one it stands for.
    this.#access = { ...this.#access, value };
    this.#forgetForms();
  }

  /** The venue refused the token of that generation: it is not used any more. */
  forget(generation: number): void {
    if (this.#access?.generation !== generation) return;
    this.#remember(this.#access.value);
    this.#access = null;
  }

  /** Changes when the credentials do: what was asked for with the old ones is told apart from the rest by it. */
  get credentialsVersion(): number {
    return this.#credentialsVersion;
  }

  dropRefreshToken(): void {
    this.#remember(this.#refresh);
    this.#refresh = null;
  }

  /** Whether any secret stands in the text. */
  isTold(text: string): boolean {
    return this.redact(text) !== text;
  }

  /**
   * Whether one of our own tokens or client secrets stands in JSON, however it is spelled there. The client id opens no
   * door, and tokens that are not ours are whose they are. Quick, as what is searched may have megabytes.
   */
  holdsKey(json: Buffer): boolean {
    this.#keys ??= [...new Set([...this.#openers()].flatMap(forms))].map((form) => Buffer.from(form));
    const isIn = (bytes: Buffer): boolean => this.#keys?.some((key) => bytes.includes(key)) ?? false;
    if (isIn(json)) return true;
    const isEscaped = json.includes('\\u') || json.includes('\\/');
    return isEscaped && isIn(Buffer.from(withoutEscapes(json.toString('utf8'))));
  }

  /** The text with every secret, and everything that looks like a token, blotted out. */
  redact(text: string): string {
    this.#pattern ??= anyOf([...this.#secrets()].flatMap(forms));
    // In one pass: what was blotted out must not be searched again.
    const clean = text.replace(this.#pattern, shown);
    return clean.replace(jwt, `$<before>${shown}`).replace(bearer, `Bearer ${shown}`);
  }

  /** Words of the venue, fit to stand in a message: without secrets or control characters, and not long. */
  quote(text: string): string {
    return cut(this.redact(text).replace(controls, ' ').trim(), longestQuote);
  }

  *#openers(): Iterable<string> {
    yield* this.#past;
    const inUse = [this.#access?.value, this.#refresh, this.clientSecret];
    for (const secret of inUse) if (typeof secret === 'string' && secret.length >= shortestRedacted) yield secret;
  }

  *#secrets(): Iterable<string> {
    yield* this.#openers();
    if (this.clientId.length >= shortestRedactedId) yield this.clientId;
  }

  #forgetForms(): void {
    this.#pattern = null;
    this.#keys = null;
  }

  /** To be told of what is not used any more, the latest last. */
  #remember(secret: string | null | undefined): void {
    if (typeof secret !== 'string' || secret.length < shortestRedacted || this.#past.includes(secret)) return;
    this.#past.push(secret);
    this.#forgetForms();
    if (this.#past.length > rememberedTokens) this.#past.shift();
  }
}

/** How a secret may be spelled in what the venue says, or in a line of our own log that quotes it. */
function forms(secret: string): readonly string[] {
  // A token is what the venue says it is, and half a surrogate pair has no place in a URL.
  const text = secret.toWellFormed();
  const inUrls = [encodeURIComponent(text), new URLSearchParams({ x: text }).toString().slice('x='.length)];
  const inJson = inJsonText(secret);
  const asciiOnly = inJson.replace(/[\u007f-\uffff]/g, unicodeEscape);
  return [
    secret,
    ...inUrls,
    ...inUrls.map((url) => url.replace(/%../g, (octet) => octet.toLowerCase())),
    ...[inJson, asciiOnly, asciiOnly.replace(/[<>&='+]/g, unicodeEscape)].flatMap((json) => [
      json,
      json.replaceAll('/', '\\/'),
      inJsonText(json),
    ]),
  ];
}

function inJsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The longest first: where one secret begins with another, the rest of it must not stay. */
function anyOf(texts: readonly string[]): RegExp {
  const longestFirst = [...new Set(texts)].sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return /(?!)/;
  return new RegExp(longestFirst.map((text) => RegExp.escape(text)).join('|'), 'g');
}
