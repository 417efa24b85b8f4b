import { createHmac } from 'node:crypto';
import { bodyBytes } from './http-reply.ts';
import type { VenueOptions } from './options.ts';
import type { HttpRequest } from './ports.ts';

/**
 * What a correct signature is. `either` takes what the venue's documentation can be read as: hex, over the request URI
 * with or without its `/v1`.
 */
export type SignatureRule =
  | 'either'
  | { readonly encoding: 'hex' | 'base64'; readonly omitPrefix?: string | undefined };

/**
 * What is wrong with the signature of a request, in words for its sender; `undefined`: nothing.
 * @param now unix ms
 */
export function signatureProblem(
  { clientSecret, signature, signatureSkew }: VenueOptions,
  request: HttpRequest,
  now: number,
): string | undefined {
  const { 'x-fig-timestamp': timestamp, 'x-fig-signature': presented } = request.headers;
  if (timestamp === undefined || presented === undefined) return 'X-FIG-Timestamp and X-FIG-Signature are required';
  if (!/^\d{1,15}$/.test(timestamp)) return 'X-FIG-Timestamp must be unix seconds';
  if (Math.abs(now - 1000 * Number(timestamp)) > signatureSkew) return 'X-FIG-Timestamp is too far from now';
  const { method, path, body } = request;
  const signed = (uri: string, encoding: 'hex' | 'base64'): string =>
    createHmac('sha256', clientSecret)
      .update(`${timestamp}\n${method}\n${uri}\n`)
      .update(bodyBytes(body))
      .digest(encoding);
  const expected =
    signature === 'either'
      ? [signed(path, 'hex'), signed(withoutPrefix(path, '/v1'), 'hex')]
      : [signed(withoutPrefix(path, signature.omitPrefix), signature.encoding)];
  return expected.includes(presented) ? undefined : 'X-FIG-Signature does not match the request';
}

function withoutPrefix(path: string, prefix = ''): string {
  return prefix !== '' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
}
