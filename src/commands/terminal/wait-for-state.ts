import { LocalClient } from '../../adapters/local-client.ts';
import { ConnectionClosedError, NoAnswerError, NotRunningError } from '../../adapters/local-socket-errors.ts';
import { isRecord } from '../../protocol/json-rpc.ts';
import { stateChannel } from '../../protocol/local.ts';
import type { OverallState } from '../../protocol/status.ts';
import { pause } from './pause.ts';

/** How long to wait before knocking again at a daemon that is not there yet. */
const knockAgainMs = 100;

/**
 * Resolves with true when the daemon behind `path` reaches `wanted`, and with false when `end` is aborted first. A
 * daemon that is not running yet, hangs or restarts meanwhile is waited for; from one that runs, news come by
 * themselves.
 *
 * @throws {LocalSocketError} when the socket is closed to this user, or is not figd's
 */
export async function waitForState(path: string, wanted: OverallState, end: AbortSignal): Promise<boolean> {
  while (!end.aborted) {
    try {
      if (await follow(path, wanted, end)) return true;
    } catch (error) {
      if (!passes(error)) throw error;
    }
    await pause(knockAgainMs, end);
  }
  return false;
}

/** Follows one connection; false when it ends, or the wait does. */
async function follow(path: string, wanted: OverallState, end: AbortSignal): Promise<boolean> {
  const client = await LocalClient.connect(path);
  const close = () => client.close();
  end.addEventListener('abort', close);
  try {
    if (end.aborted) return false;
    if (client.hello.state === wanted) return true;
    // A state that changed between hello and here comes with the next tick, within a second.
    const subscribed = client.request('subscribe', { channels: [stateChannel], from: 'now', ticks: true });
    subscribed.catch(close);
    for await (const { method, params } of client.notifications()) {
      if (stateIn(method, params) === wanted) return true;
    }
    await subscribed;
    return false;
  } finally {
    end.removeEventListener('abort', close);
    client.close();
  }
}

function stateIn(method: string, params: unknown): unknown {
  if (!isRecord(params)) return undefined;
  if (method === 'tick') return params['state'];
  const { channel, message } = params;
  return method === 'event' && channel === stateChannel && isRecord(message) ? message['state'] : undefined;
}

/** Whether what stands in the way may pass: a daemon that starts, stops or hangs. */
function passes(error: unknown): boolean {
  return [NotRunningError, NoAnswerError, ConnectionClosedError].some((kind) => error instanceof kind);
}
