import { cut } from '../protocol/text.ts';
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

/** Tells what was called; callers may send a thousand times as much. */
const longestLogged = 512;

/**
 * The record as the log may hold it: what a caller may make as long as it likes is cut.
 * @param redact blots out secrets, before the cut: half a secret is none that the log knows
 */
export function loggable({ method, path, ...rest }: AccessRecord, redact: (text: string) => string): AccessRecord {
  const fitting = (text: string) => (text.length <= longestLogged ? text : cut(redact(text), longestLogged));
  return { ...rest, method: fitting(method), ...(path === undefined ? {} : { path: fitting(path) }) };
}
