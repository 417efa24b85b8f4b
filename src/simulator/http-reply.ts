import type { HttpReply, HttpRequest, TextReply } from './ports.ts';

/** A JSON reply. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): TextReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** An error reply in the form of the venue's guides. */
export function httpError(
  status: number,
  message: string,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): TextReply {
  return json(status, { code: status, message, reason: [reason] }, headers);
}

/** The reply to a request with these mistakes. */
export function badRequest(problems: readonly string[]): TextReply {
  return json(400, { code: 400, message: 'Bad Request', reason: problems });
}

/** The bytes of a body; what is generated is generated whole. */
export function bodyBytes(body: HttpRequest['body'] | HttpReply['body']): Uint8Array {
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Uint8Array ? body : Buffer.concat([...body.chunks()]);
}

/** A body as text, where its bytes are UTF-8. */
export function bodyText(body: HttpRequest['body'] | HttpReply['body']): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(bodyBytes(body));
}
