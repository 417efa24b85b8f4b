import { rewriteJson } from './json-text.ts';

/** Names of members that hold secrets, in lower case. */
const secretNames: ReadonlySet<string> = new Set([
  'clientsecret',
  'client_secret',
  'access_token',
  'refresh_token',
  'token',
  'secret',
  'password',
  'apisecret',
  'apikey',
  'privatekey',
  'passphrase',
]);

/** Like a member of such a name, in a text that is not JSON. */
const looksSecret = new RegExp(`["']?\\b(?:${[...secretNames].join('|')})\\b["']?\\s*[:=]`, 'i');

const placeholder = '"[hidden; --reveal shows it]"';

/** How a body of the venue's is to be shown. */
export interface Showing {
  readonly reveal: boolean;
  /** Laid out over lines, if it is JSON. */
  readonly pretty: boolean;
}

/**
 * The body of a REST reply as it may be shown: unless `reveal`, the values of members that hold secrets are replaced.
 * When nothing is hidden and it need not be pretty, it comes back unchanged. A text that is not JSON, in which values
 * cannot be told apart, is withheld whole when it seems to hold a secret.
 */
export function showBody(body: string, { reveal, pretty }: Showing): string {
  if (!isJson(body))
    return reveal || !looksSecret.test(body) ? body : '[not JSON, and it seems to hold a secret; --reveal shows it]';
  const hides = (key: string) => !reveal && secretNames.has(key.toLowerCase());
  return rewriteJson(body, { hides, placeholder, ...(pretty ? { indent: 2 } : {}) });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
