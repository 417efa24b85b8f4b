import { LocalClient, type LocalNotification } from '../../adapters/local-client.ts';
import {
  ConnectionClosedError,
  type LocalSocketError,
  NoAnswerError,
  NotRunningError,
} from '../../adapters/local-socket-errors.ts';
import type { EventParams, From, Lost, SubscribeResult } from '../../protocol/local.ts';
import { memberBytes } from '../../protocol/raw-json.ts';
import type { LostRange } from './event-line.ts';
import { pause } from './pause.ts';

/** What a follower of the log gets, in order. */
export type Followed =
  /** An event; `bytes` is its `params` as the daemon sent it, with the venue's own bytes inside. */
  | { readonly kind: 'event'; readonly event: EventParams; readonly bytes: Buffer }
  /** Events that will never come, in their place. `to` is null where an epoch ended and nobody knows how many it had. */
  | ({ readonly kind: 'lost' } & LostRange)
  /** The connection ended; the follower tries to come back until it can. */
  | { readonly kind: 'interrupted'; readonly cause: LocalSocketError }
  /** It is back, and the next event is `from`, or later if channels were chosen. */
  | { readonly kind: 'resumed'; readonly from: number };

/** What to follow. */
export interface FollowRequest {
  readonly path: string;
  /** Patterns such as `rfq.*`; all channels when empty. */
  readonly channels: readonly string[];
  readonly from: From;
  /** Told when the daemon has not even ticked for {@link muteAfterMs}, and when it is heard again. */
  readonly onMute?: (mute: boolean) => void;
}

/** A daemon ticks every second: three missed in a row are no coincidence. */
export const muteAfterMs = 3_500;

/** Delays between tries to come back: quick for a restart, then patient. */
const firstDelayMs = 100;
const longestDelayMs = 2_000;

/**
 * Follows the daemon's log through any number of its restarts, each event once: after an interruption it goes on behind
 * the last event it had. Ends when `end` is aborted.
 *
 * @throws {LocalSocketError} when the daemon cannot be reached the first time; {@link RpcError} when it refuses the
 * subscription
 */
export async function* followEvents(request: FollowRequest, end: AbortSignal): AsyncGenerator<Followed, void, void> {
  const cursor = new Cursor(request.from);
  let delayMs = 0;
  while (!end.aborted) {
    try {
      for await (const item of followConnection(request, cursor, end)) {
        delayMs = 0;
        yield item;
      }
    } catch (error) {
      if (!cursor.started || !passes(error)) throw error;
      if (delayMs === 0) yield { kind: 'interrupted', cause: error };
      delayMs = Math.min(longestDelayMs, Math.max(firstDelayMs, delayMs * 2));
      await pause(delayMs, end);
    }
  }
}

/** Follows one connection until `end`. @throws what ended it */
async function* followConnection(
  { path, channels, onMute }: FollowRequest,
  cursor: Cursor,
  end: AbortSignal,
): AsyncGenerator<Followed, void, void> {
  const client = await LocalClient.connect(path);
  const close = () => client.close();
  end.addEventListener('abort', close);
  const pulse = new Pulse(onMute);
  try {
    if (end.aborted) return;
    const params = { ...(channels.length > 0 && { channels }), from: cursor.from };
    yield* cursor.subscribed((await client.request('subscribe', params)) as SubscribeResult);
    for await (const notification of client.notifications()) {
      pulse.beat();
      const item = cursor.next(notification);
      if (item === undefined) continue;
      yield item;
      // What the reader took its time with was not the daemon's silence.
      pulse.beat();
    }
    if (client.ended !== undefined) throw client.ended;
  } catch (error) {
    if (!end.aborted) throw error;
  } finally {
    end.removeEventListener('abort', close);
    pulse.stop();
    client.close();
  }
}

/** Notices when the daemon is not heard any more although the connection stands. */
class Pulse {
  readonly #onMute: (mute: boolean) => void;
  readonly #timer: NodeJS.Timeout;
  #mute = false;

  constructor(onMute: (mute: boolean) => void = () => undefined) {
    this.#onMute = onMute;
    this.#timer = setTimeout(() => {
      this.#mute = true;
      this.#onMute(true);
    }, muteAfterMs);
  }

  beat(): void {
    this.#timer.refresh();
    if (!this.#mute) return;
    this.#mute = false;
    this.#onMute(false);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** The place in the log: what has been had, and therefore what to ask for. */
class Cursor {
  #from: From;
  #started = false;

  constructor(from: From) {
    this.#from = from;
  }

  /** Where a subscription has to start. */
  get from(): From {
    return this.#from;
  }

  /** Whether there has been a subscription: from then on nothing may be missed. */
  get started(): boolean {
    return this.#started;
  }

  /** Takes note of where a subscription did start, and tells what that means. */
  *subscribed({ epoch, from, resumed, reason }: SubscribeResult): Generator<Followed, void, void> {
    const wanted = this.#from;
    if (!resumed && typeof wanted === 'object' && 'since' in wanted) {
      yield { kind: 'lost', from: null, to: reason === 'epoch' ? null : from - 1, reason: reason ?? 'expired' };
    } else if (!resumed && isPosition(wanted)) {
      if (reason === 'epoch') yield { kind: 'lost', from: wanted.seq, to: null, reason };
      else if (from > wanted.seq) yield { kind: 'lost', from: wanted.seq, to: from - 1, reason: 'expired' };
    }
    this.#from = { epoch, seq: from };
    if (this.#started) yield { kind: 'resumed', from };
    this.#started = true;
  }

  /** What a notification brings, if anything; what has been had already is passed over. */
  next({ method, params, line }: LocalNotification): Followed | undefined {
    if (method === 'event') {
      const event = params as EventParams;
      return this.#advance(event.seq)
        ? { kind: 'event', event, bytes: memberBytes(line, 'params') ?? line }
        : undefined;
    }
    if (method === 'lost') {
      const { from, to, reason } = params as Lost;
      return this.#advance(to) ? { kind: 'lost', from, to, reason } : undefined;
    }
    return undefined;
  }

  #advance(seq: number): boolean {
    if (!isPosition(this.#from) || seq < this.#from.seq) return false;
    this.#from = { epoch: this.#from.epoch, seq: seq + 1 };
    return true;
  }
}

function isPosition(from: From): from is { readonly epoch: string; readonly seq: number } {
  return typeof from === 'object' && 'seq' in from;
}

/** Whether what stands in the way may pass: a daemon that stops, is away, hangs or starts. */
function passes(error: unknown): error is LocalSocketError {
  return [NotRunningError, NoAnswerError, ConnectionClosedError].some((kind) => error instanceof kind);
}
