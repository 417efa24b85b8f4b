import { setTimeout } from 'node:timers/promises';
import { LocalClient } from '../../../src/adapters/local-client.ts';
import { isRecord, RpcError } from '../../../src/protocol/json-rpc.ts';

/** What became of one call. */
export interface CallOutcome {
  readonly key: string;
  /** Whether it got its own answer and nothing else; undefined where it got none. */
  readonly isOwn?: boolean;
  /** The code of figd's own error, and whether the call may have been executed. */
  readonly error?: { readonly code: string; readonly sent: boolean; readonly message: string };
}

export interface CrowdOptions {
  readonly socket: string;
  readonly callers: number;
  /** Milliseconds that the venue takes for the answer to a call, at most. */
  readonly delayMs: number;
  readonly timeoutMs: number;
  readonly isOver: () => boolean;
}

/** What a program does that was told no: all of them trying at once again would take a core for nothing. */
export const restAfterRefusal = (): Promise<void> => setTimeout(10);

/** Many local programs, each of which calls `simulator/echo` again and again, several at a time, until all is over. */
export async function crowd(options: CrowdOptions): Promise<readonly CallOutcome[]> {
  const all = await Promise.all(Array.from({ length: options.callers }, (_, caller) => program(caller, options)));
  return all.flat();
}

/** As many as figd reads of one connection at a time. */
const atATime = 8;
/** Longer than any call may take: who waits for so long was forgotten. */
const hungAfterMs = 5_000;

async function program(caller: number, { socket, delayMs, timeoutMs, isOver }: CrowdOptions) {
  const client = await LocalClient.connect(socket, 10_000);
  const outcomes: CallOutcome[] = [];
  let made = 0;
  const worker = async (): Promise<void> => {
    while (!isOver()) {
      made += 1;
      const params = { key: `${caller}:${made}`, delayMs: (made * 37 + caller) % delayMs, price: made / 8 };
      const outcome = await call(client, params, timeoutMs);
      outcomes.push(outcome);
      if (outcome.error !== undefined) await restAfterRefusal();
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  client.close();
  return outcomes;
}

async function call(client: LocalClient, params: { readonly key: string }, timeoutMs: number): Promise<CallOutcome> {
  const { key } = params;
  try {
    const result = await client.request(
      'call',
      { method: 'simulator/echo', params, timeoutMs },
      timeoutMs + hungAfterMs,
    );
    return { key, isOwn: JSON.stringify(result) === JSON.stringify(params) };
  } catch (error) {
    if (!(error instanceof RpcError) || !isRecord(error.data) || error.data['figd'] !== true) throw error;
    const { code, sent } = error.data;
    return { key, error: { code: String(code), sent: sent === true, message: error.message } };
  }
}
