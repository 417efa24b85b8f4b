import { isRecord, type RpcCall, type RpcOutcome } from './rpc.ts';

/**
 * The method `simulator/echo`, which is not the venue's: it lets a test see which calls were executed, and how often.
 * Whoever counts its own `key` finds out what has come twice.
 */
export const echoMethod = 'simulator/echo';

/** So many keys are counted one by one; those that come later are counted in the sums only. */
const keysRemembered = 100_000;

export interface EchoStats {
  executed: number;
  /** Executions of a key that had been executed before. */
  repeated: number;
  /** How many keys there are in {@link timesByKey}. */
  keys: number;
  readonly timesByKey: Record<string, number>;
}

export function emptyEchoStats(): EchoStats {
  // Without a prototype, as a key may have any name.
  return { executed: 0, repeated: 0, keys: 0, timesByKey: Object.create(null) };
}

/** Answers with its parameters, or with the `error` among them, after `delayMs`. Counted at once. */
export function echo(stats: EchoStats, { params }: RpcCall): { readonly reply: RpcOutcome; readonly delayMs: number } {
  const { key, delayMs, error } = params;
  stats.executed += 1;
  if (typeof key === 'string') countKey(stats, key);
  const isError = isRecord(error) && typeof error['code'] === 'number' && typeof error['message'] === 'string';
  return {
    reply: isError ? { error: error as unknown as { code: number; message: string } } : { result: params },
    delayMs: typeof delayMs === 'number' ? delayMs : 0,
  };
}

function countKey(stats: EchoStats, key: string): void {
  const before = stats.timesByKey[key];
  if (before !== undefined) stats.repeated += 1;
  else if (stats.keys >= keysRemembered) return;
  else stats.keys += 1;
  stats.timesByKey[key] = (before ?? 0) + 1;
}
