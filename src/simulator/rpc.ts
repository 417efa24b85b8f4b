import type { ReplyStyle } from './options.ts';

/** Error codes of JSON-RPC 2.0. The venue also uses −32700 for a refused authentication. */
export const rpcCode = {
  parseError: -32700,
  authenticationError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
} as const;

export type RpcId = string | number | null;

/** A call that has been understood; `id` is absent in a notification, which gets no reply. */
export interface RpcCall {
  readonly id?: RpcId;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface RpcError {
  readonly code: number;
  readonly message: string;
}

export type RpcOutcome = { readonly result: unknown } | { readonly error: RpcError };

export function rpcError(code: number, message: string): RpcOutcome {
  return { error: { code, message } };
}

/** What a frame from the client says, or the error it deserves with the id it can be given. */
export function parseCall(
  frame: string | Uint8Array,
): { readonly call: RpcCall } | { readonly id: RpcId; readonly error: RpcError } {
  const text = typeof frame === 'string' ? frame : new TextDecoder().decode(frame);
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return { id: null, error: { code: rpcCode.parseError, message: 'parse error' } };
  }
  if (!isRecord(data)) return { id: null, error: { code: rpcCode.invalidRequest, message: 'invalid request' } };
  const { id, method, params = {} } = data;
  if (id !== undefined && !isId(id)) {
    return { id: null, error: { code: rpcCode.invalidRequest, message: 'id must be a string, a number or null' } };
  }
  if (typeof method !== 'string') {
    return { id: id ?? null, error: { code: rpcCode.invalidRequest, message: 'method must be a string' } };
  }
  if (!isRecord(params)) {
    return { id: id ?? null, error: { code: rpcCode.invalidParams, message: 'params must be an object' } };
  }
  return { call: { method, params, ...(id === undefined ? {} : { id }) } };
}

/** Writes a reply in the style of a dialect: the quickstart leaves out `jsonrpc` and echoes `method`. */
export function writeReply(style: ReplyStyle, id: RpcId, method: string | undefined, outcome: RpcOutcome): string {
  if (style === 'jsonrpc') return JSON.stringify({ jsonrpc: '2.0', id, ...outcome });
  return JSON.stringify({ id, ...(method === undefined ? {} : { method }), ...outcome });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is RpcId {
  return value === null || typeof value === 'string' || typeof value === 'number';
}
