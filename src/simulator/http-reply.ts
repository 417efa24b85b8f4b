import type { HttpReply } from './ports.ts';

/** A JSON reply. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** An error reply in the form of the venue's guides. */
export function httpError(
  status: number,
  message: string,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return json(status, { code: status, message, reason: [reason] }, headers);
}
