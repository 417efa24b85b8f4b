import { RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import type { Lost, SubscribeParams, SubscribeResult } from '../protocol/local.ts';
import { ChannelFilter } from './channels.ts';
import type { Batch, EventLog } from './event-log.ts';

/** A reader's place in the log. It costs a number: the log knows nothing of its readers. */
export class Cursor {
  readonly filter: ChannelFilter;
  readonly #log: EventLog;
  #position: number;

  private constructor(log: EventLog, filter: ChannelFilter, position: number) {
    this.#log = log;
    this.filter = filter;
    this.#position = position;
  }

  /**
   * Opens a cursor where a subscriber asked for it, or, where that is gone, at the oldest event there is.
   * @throws {RpcError} −32602 when the position lies beyond what the log has given out
   */
  static open(log: EventLog, { channels = ['*'], from = 'now' }: SubscribeParams): [Cursor, SubscribeResult] {
    const filter = new ChannelFilter(log.channels, channels);
    const { epoch, head, oldest } = log;
    const at = (position: number, missed?: 'epoch' | 'expired'): [Cursor, SubscribeResult] => [
      new Cursor(log, filter, position),
      {
        epoch,
        from: position,
        head,
        resumed: missed === undefined,
        ...(missed === undefined ? {} : { reason: missed }),
      },
    ];
    if (from === 'now') return at(head + 1);
    if (from === 'oldest') return at(oldest);
    if (from.epoch !== epoch) return at(oldest, 'epoch');
    if (from.seq > head + 1) {
      throw new RpcError(rpcErrorCode.invalidParams, `from.seq ${from.seq} lies beyond the next event, ${head + 1}`);
    }
    return from.seq < oldest ? at(oldest, 'expired') : at(from.seq);
  }

  /** The sequence number read next. */
  get position(): number {
    return this.#position;
  }

  /** How many events lie between the cursor and the head. */
  get lag(): number {
    return this.#log.head + 1 - this.#position;
  }

  /** Moves past a range the log no longer holds, and tells which; null where nothing is missing. */
  skipLost(): Lost | null {
    const { oldest } = this.#log;
    if (this.#position >= oldest) return null;
    const lost: Lost = { from: this.#position, to: oldest - 1, reason: 'expired' };
    this.#position = oldest;
    return lost;
  }

  /** The next lines that pass the filter, up to about `maxBytes`; the cursor moves behind them. */
  read(maxBytes: number): Batch {
    const batch = this.#log.read(this.#position, this.filter, maxBytes);
    this.#position = batch.next;
    return batch;
  }
}
