/** Names and values of headers by turns, as they stand on the wire: repeated ones stay apart, and in their order. */
export type HeaderList = readonly string[];

/** Of one connection only (RFC 9110, 7.6.1), or of a proxy on the way: they are not passed on. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What figd says itself, whatever the caller has said. */
const ownInRequests: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'expect',
  'host',
  'x-fig-signature',
  'x-fig-timestamp',
]);

/** The headers of a request as they may go to the venue. What figd says itself is left out. */
export function headersToVenue(headers: HeaderList): string[] {
  return without(headers, (name) => ownInRequests.has(name));
}

/** The headers of an answer as they may go to the caller. */
export function headersToCaller(headers: HeaderList): string[] {
  return without(headers, () => false);
}

/** The value of the first header of a name in lower case. */
export function headerOf(headers: HeaderList, wanted: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() === wanted) return headers[at + 1];
  }
  return undefined;
}

function without(headers: HeaderList, isOwn: (name: string) => boolean): string[] {
  const named = namedByConnection(headers);
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] ?? '').toLowerCase();
    if (hopByHop.has(name) || isOwn(name) || named?.has(name)) continue;
    kept.push(headers[at] ?? '', headers[at + 1] ?? '');
  }
  return kept;
}

/** Headers that `Connection` declares to be of this connection only; most name none. */
function namedByConnection(headers: HeaderList): ReadonlySet<string> | null {
  let named: Set<string> | null = null;
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() !== 'connection') continue;
    for (const option of (headers[at + 1] ?? '').split(',')) {
      const name = option.trim().toLowerCase();
      if (name === '' || name === 'keep-alive' || name === 'close') continue;
      named ??= new Set();
      named.add(name);
    }
  }
  return named;
}
