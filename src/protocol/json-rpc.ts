/** JSON-RPC 2.0 error codes (https://www.jsonrpc.org/specification#error_object). */
export const rpcErrorCode = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** figd's own (server-defined range): the venue session is not live, so the call was not sent. */
  notLive: -32000,
  /** figd's own: the venue answered the REST call with a failure figd classified. */
  venueFailure: -32001,
  /** figd's own: `local.maxConsumers` have subscribed already. */
  tooManyConsumers: -32002,
  /** figd's own: `gateway.allow` does not name what was asked for, or figd keeps it for itself. */
  notAllowed: -32003,
  /** figd's own: what is to be reloaded cannot be used; `data` has the problems. */
  badConfiguration: -32004,
} as const;

export type RpcId = string | number | null;

export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** A JSON-RPC error as an exception, for request handlers to throw. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** An error that is JSON already: the venue's own, to be passed on as it came. */
export class EncodedError extends RpcError {
  readonly json: string;

  constructor({ code, message, data }: RpcErrorObject, json: string) {
    super(code, message, data);
    this.json = json;
  }
}

/** A result that is JSON already. */
export class EncodedResult {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

/** A reply without `result` would be none, so a method with nothing to say answers null. */
export function encodeResult(id: RpcId, result: unknown): string {
  if (result instanceof EncodedResult) return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result.json}}\n`;
  return `${JSON.stringify({ jsonrpc: '2.0', id, result: result ?? null })}\n`;
}

/** An error of figd's own says so in its data: that tells it from the venue's, whatever their codes. */
export function encodeError(id: RpcId, error: RpcErrorObject): string {
  const { code, message, data } = error;
  const own = () => JSON.stringify({ code, message, data: { figd: true, ...(isRecord(data) ? data : {}) } });
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${error instanceof EncodedError ? error.json : own()}}\n`;
}

export function encodeNotification(method: string, params: unknown): string {
  return `${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a text that may not be JSON: null where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
