import type { CallerId } from './caller.ts';

/** A call of a local program as the log tells it: never its parameters, headers, bodies or result. */
export interface AccessRecord {
  readonly door: 'call' | 'rest';
  /** Number of the caller's connection. */
  readonly caller: CallerId;
  /** The JSON-RPC method, or the method of HTTP. */
  readonly method: string;
  /** Of a REST call, without its query. */
  readonly path?: string;
  /** What became of it: `ok`, an HTTP status, `rpc` and the venue's code, or the code of figd's own refusal or failure. */
  readonly status: string;
  /** From its arrival to its answer, in milliseconds. */
  readonly ms: number;
}
