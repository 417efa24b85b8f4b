import { RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import type { From, Lost, SubscribeParams, SubscribeResult } from '../protocol/local.ts';
import { ChannelFilter } from './channels.ts';
import type { EventLog } from './event-log.ts';
import type { Batch } from './journal.ts';

/** What a subscriber asks for, with a position in the place of a moment. */
export interface CursorParams extends Omit<SubscribeParams, 'from'> {
  readonly from?: Exclude<From, { readonly since: number }>;
}

/** A reader's place in the log. It costs a number: the log knows nothing of its readers. */
export class Cursor {
  readonly filter: ChannelFilter;
  readonly #log: EventLog;
  readonly #epoch: string;
  #position: number;

  private constructor(log: EventLog, filter: ChannelFilter, position: number) {
    this.#log = log;
    this.#epoch = log.epoch;
    this.filter = filter;
    this.#position = position;
  }

  /**
   * Opens a cursor where a subscriber asked for it, or, where that is gone, at the oldest event there is.
   * @throws {RpcError} −32602 when the position lies beyond what the log has given out
   */
  static open(log: EventLog, { channels = ['*'], from = 'now' }: CursorParams): [Cursor, SubscribeResult] {
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

  /** Whether the numbering it belongs to is the one in use. */
  get isCurrent(): boolean {
    return this.#epoch === this.#log.epoch;
  }

  /** The sequence number read next. */
  get position(): number {
    return this.#position;
  }

  /** How many events lie between the cursor and the head. */
  get lag(): number {
    return this.isCurrent ? this.#log.head + 1 - this.#position : 0;
  }

  /** Whether what it reads next is no longer in memory, and has to be fetched. */
  get isBehind(): boolean {
    return this.isCurrent && this.#log.journal !== null && this.#position < this.#log.oldestHeld;
  }

  /** The next lines in memory that pass the filter, up to about `maxBytes`; the cursor moves behind them. */
  read(maxBytes: number): Batch {
    const lost = this.#skipTo(this.#log.oldestHeld, 'expired');
    const batch = this.#log.read(this.#position, this.filter, maxBytes);
    this.#position = batch.next;
    return lost === null ? batch : { ...batch, lost };
  }

  /** The next lines from the journal. Only one fetch may be under way at a time, and no read beside it. */
  async fetch(maxBytes: number): Promise<Batch> {
    const from = this.#position;
    // What leaves the memory later may well be written by then.
    const { oldestHeld } = this.#log;
    const { filter } = this;
    const query = { epoch: this.#epoch, from, channels: filter.patterns, maxBytes };
    const batch = (await this.#log.journal?.read(query)) ?? null;
    if (batch === null || batch.next <= from) {
      const lost = this.#skipTo(oldestHeld, 'unwritten');
      return { chunks: [], bytes: 0, next: this.#position, lost };
    }
    this.#position = batch.next;
    return batch;
  }

  /** Moves to a position, and tells what it passed over; null where it is there already. */
  #skipTo(position: number, reason: Lost['reason']): Lost | null {
    if (this.#position >= position || !this.isCurrent) return null;
    const lost: Lost = { from: this.#position, to: position - 1, reason };
    this.#position = position;
    return lost;
  }
}
