import { type EchoStats, noteExecution } from './echo-stats.ts';
import { isRecord, type RpcCall, type RpcOutcome } from './rpc.ts';

/**
 * The method `simulator/echo`, which is not the venue's: it lets a test see which calls were executed, and how often.
 * Whoever counts its own `key` finds out what has come twice.
 */
export const echoMethod = 'simulator/echo';

/** Answers with its parameters, or with the `error` among them, after `delayMs`. Counted at once. */
export function echo(stats: EchoStats, { params }: RpcCall): { readonly reply: RpcOutcome; readonly delayMs: number } {
  const { key, delayMs, error } = params;
  noteExecution(stats, typeof key === 'string' ? key : undefined);
  const isError = isRecord(error) && typeof error['code'] === 'number' && typeof error['message'] === 'string';
  return {
    reply: isError ? { error: error as unknown as { code: number; message: string } } : { result: params },
    delayMs: typeof delayMs === 'number' ? delayMs : 0,
  };
}
