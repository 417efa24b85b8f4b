import { starPattern } from '../protocol/star-pattern.ts';

interface RestEntry {
  readonly isMethod: (method: string) => boolean;
  readonly isPath: (path: string) => boolean;
}

/** What the entries of `gateway.allow` let through; null where there is no list. */
type Allowed = { readonly calls: readonly ((method: string) => boolean)[]; readonly rest: readonly RestEntry[] } | null;

/**
 * What some servers read as a slash, a backslash, a dot or the end of a path, however often it is encoded.
 * `%252e` is a dot to a proxy that decodes and hands on to one that decodes again.
 */
const encodedSeparator = /%(?:25)*(?:2[ef]|5c|00)/i;
/** A segment that is a dot or two, also with parameters behind it, which some servers cut off first. */
const dotSegment = /(?:^|\/)\.{1,2}(?:[;/]|$)/;
/** What may stand in a path (RFC 3986, section 3.3). What is not in here would be written otherwise on its way. */
const plainPath = /^\/(?!\/)[\w\-.~!$&'()*+,;=:@/%]*$/;

/**
 * What local programs may ask of the venue: `gateway.allow`. An entry without a blank is a JSON-RPC method, one such as
 * `GET /v1/*` a REST call; in both, `*` stands for any text, slashes included. Without a list everything is allowed.
 */
export class Permissions {
  #allowed: Allowed = null;

  constructor(patterns: readonly string[] | undefined) {
    this.replace(patterns);
  }

  /** Another list holds from now on; what is under way goes on. */
  replace(patterns: readonly string[] | undefined): void {
    this.#allowed = patterns === undefined ? null : read(patterns);
  }

  allowsCall(method: string): boolean {
    return this.#allowed?.calls.some((isMethod) => isMethod(method)) ?? true;
  }

  /**
   * Where there is a list, paths are refused that the venue might read differently from how they are compared here: with
   * encoded or backward slashes, dot segments, or characters that do not belong into a path.
   * @param path without its query
   */
  allowsRest(httpMethod: string, path: string): boolean {
    if (this.#allowed === null) return true;
    return isUnambiguous(path) && this.#allowed.rest.some((entry) => entry.isMethod(httpMethod) && entry.isPath(path));
  }
}

/** What is told to whoever asked for something that is not on the list. */
export function notAllowedMessage(what: string): string {
  return `${what} is not allowed: gateway.allow of figd's configuration does not name it`;
}

function read(patterns: readonly string[]): Allowed {
  const calls: ((method: string) => boolean)[] = [];
  const rest: RestEntry[] = [];
  for (const pattern of patterns) {
    const [method = '', path] = pattern.split(' ');
    if (path === undefined) calls.push(starPattern(pattern));
    else rest.push({ isMethod: starPattern(method), isPath: starPattern(path) });
  }
  return { calls, rest };
}

function isUnambiguous(path: string): boolean {
  return plainPath.test(path) && !encodedSeparator.test(path) && !dotSegment.test(path);
}
