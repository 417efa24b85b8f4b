import { createHmac } from 'node:crypto';

/** What is signed of a request, as it stands on the wire. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** The exact bytes sent; a string stands for its UTF-8, and an empty one for no body. */
  readonly body: Uint8Array | string;
}

/** With what a request is signed, and how: the venue leaves encoding and path open (`venue.signature`). */
export interface SigningKey {
  readonly secret: string;
  readonly encoding: 'hex' | 'base64';
  /** Leading segments of the path that are not signed. */
  readonly omitPrefix?: string | undefined;
}

/** The headers that carry the venue's signature. */
export interface SignatureHeaders {
  readonly 'x-fig-timestamp': string;
  readonly 'x-fig-signature': string;
}

/**
 * The venue's documented signature: HMAC-SHA256, keyed with the client secret, over time, method, request URI and body,
 * each on a line of its own.
 * @param unixSeconds a fraction is dropped
 */
export function signatureHeaders(
  { method, target, body }: SignedRequest,
  { secret, encoding, omitPrefix = '' }: SigningKey,
  unixSeconds: number,
): SignatureHeaders {
  const timestamp = Math.floor(unixSeconds).toString();
  const uri = omitPrefix !== '' && target.startsWith(`${omitPrefix}/`) ? target.slice(omitPrefix.length) : target;
  const signature = createHmac('sha256', secret)
    .update(`${timestamp}\n${method.toUpperCase()}\n${uri}\n`)
    .update(body)
    .digest(encoding);
  return { 'x-fig-timestamp': timestamp, 'x-fig-signature': signature };
}
