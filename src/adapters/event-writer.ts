import type { Socket } from 'node:net';
import type { Cursor } from '../log/cursor.ts';
import type { Batch } from '../log/journal.ts';
import { encodeNotification } from '../protocol/json-rpc.ts';
import { together } from './together.ts';

export interface EventWriterOptions {
  /** Bytes that may wait in the socket. */
  readonly bufferBytes: number;
  /** Runs a function in the next turn of the event loop. */
  readonly schedule: (run: () => void) => void;
}

/** How much a consumer is given at a time; between two slices other consumers have their turn. */
const sliceBytes = 262_144;
/** A reader this many events behind the head is catching up; anybody may be a few behind after a burst. */
const farBehind = 1_000;
/** Fetched lines are memory of this connection's own. */
const fetchBytes = 131_072;

/** Sequence numbers, the last included. */
interface Range {
  readonly from: number;
  readonly to: number;
}

const nothing: Range = { from: 1, to: 0 };

/**
 * Brings the events of a cursor to a socket, as far as that takes them: from memory in the turn in which they come, and
 * from the journal, at its own pace, where it has fallen behind.
 */
export class EventWriter {
  readonly #socket: Socket;
  readonly #options: EventWriterOptions;
  /** Below its high-water mark a socket does not tell when it has drained, so waiting for that could take for ever. */
  readonly #bufferBytes: number;
  #cursor: Cursor | null = null;
  #isFetching = false;
  #isScheduled = false;
  /** What was written from the log's memory and may still wait in the socket, oldest first. */
  #held: (Range & { readonly bytes: number })[] = [];
  #heldBytes = 0;

  constructor(socket: Socket, options: EventWriterOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#bufferBytes = Math.max(options.bufferBytes, socket.writableHighWaterMark);
  }

  get cursor(): Cursor | null {
    return this.#cursor;
  }

  /** Whether the socket takes more. */
  get hasRoom(): boolean {
    return this.#room > 0;
  }

  /** Whether it reads what is long past, in turns of its own, and need not be told of what is new. */
  get isCatchingUp(): boolean {
    return this.#isScheduled && this.#cursor !== null && this.#cursor.lag > farBehind;
  }

  /**
   * Writes from this cursor from the next turn on, in the place of any other; from none with null, or where the
   * connection has ended.
   */
  follow(wanted: Cursor | null): void {
    const cursor = this.#socket.destroyed ? null : wanted;
    this.#cursor = cursor;
    if (cursor !== null) this.pumpSoon();
  }

  /** Delivers what the log holds, as far as the socket takes it. */
  pump(): void {
    const cursor = this.#cursor;
    if (cursor === null || this.#isFetching || cursor.lag === 0) return;
    const room = this.#room;
    if (room <= 0) return;
    if (cursor.isBehind) {
      void this.#fetch(cursor, room);
      return;
    }
    const from = cursor.position;
    const batch = cursor.read(Math.min(sliceBytes, room));
    // What waits keeps the memory it is a part of. Neighbouring lines share theirs; those that a filter passes may be a
    // megabyte apart.
    const isApart = this.#socket.writableLength > 0 && !cursor.filter.passesAll;
    this.#write(isApart ? apart(batch) : batch);
    if (isApart) this.#hold(nothing, batch);
    else this.#hold({ from: batch.lost === null ? from : batch.lost.to + 1, to: batch.next - 1 }, batch);
    if (cursor.lag > 0 && this.hasRoom) this.pumpSoon();
  }

  /** Delivers in the next turn, or in one of the next where many read what is past. */
  pumpSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.schedule(() => {
      this.#isScheduled = false;
      this.pump();
    });
  }

  /** Whether bytes of the log's memory that belong to lines in a range wait in the socket. */
  holds(from: number, to: number): boolean {
    if (this.#held.length === 0 || this.#socket.writableLength === 0) return false;
    // A consumer that subscribed again may have gone back: its ranges need not be in order.
    return this.#held.some((range) => range.from <= to && range.to >= from);
  }

  async #fetch(cursor: Cursor, room: number): Promise<void> {
    this.#isFetching = true;
    const batch = await cursor.fetch(Math.min(fetchBytes, room));
    this.#isFetching = false;
    // Meanwhile it may follow another one, and the connection may have ended.
    if (this.#cursor === cursor && !this.#socket.destroyed) this.#write(batch);
    else batch.release?.();
    // Many that read the journal must not hold up what is new either.
    this.pumpSoon();
  }

  #write({ lost, chunks, release }: Batch): void {
    // What was cut off in the middle of a write is left to the collector.
    const written = release === undefined ? undefined : (error?: Error | null) => error == null && release();
    const last = chunks.at(-1);
    if (last !== undefined && lost === null && chunks.length === 1) {
      this.#socket.write(last, written);
      return;
    }
    this.#socket.cork();
    if (lost !== null) this.#socket.write(encodeNotification('lost', lost));
    for (const chunk of chunks) this.#socket.write(chunk, chunk === last ? written : undefined);
    this.#socket.uncork();
  }

  /** A socket that took all at once, as is the rule, holds nothing. */
  #hold(range: Range, { bytes }: Batch): void {
    const waiting = this.#socket.writableLength;
    if (waiting === 0) {
      if (this.#held.length > 0) this.#held = [];
      this.#heldBytes = 0;
      return;
    }
    // A filter that passes nothing must not add to what a stalled socket holds.
    if (bytes === 0) return;
    this.#held.push({ ...range, bytes });
    this.#heldBytes += bytes;
    // What was written later accounts for all that waits: the first is through.
    for (
      let [first] = this.#held;
      first !== undefined && this.#heldBytes - first.bytes >= waiting;
      [first] = this.#held
    ) {
      this.#held.shift();
      this.#heldBytes -= first.bytes;
    }
  }

  get #room(): number {
    return this.#bufferBytes - this.#socket.writableLength;
  }
}

/** The same lines in memory of their own. */
function apart(batch: Batch): Batch {
  return batch.chunks.length === 0 ? batch : { ...batch, chunks: [together(batch.chunks, batch.bytes)] };
}
