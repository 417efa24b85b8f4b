import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { isMarked } from '../mark.ts';
import { monotonic } from '../monotonic.ts';
import { FrameCutter } from '../wire/frames.ts';
import type { Protocol } from '../wire/protocols.ts';
import type { Tally } from './tally.ts';

/** Every subscriber reads into the same memory, one after the other: what is read is counted at once and not kept. */
const readBuffer = Buffer.allocUnsafe(262_144);
const confirmMs = 15_000;

export interface SubscriberOptions {
  readonly protocol: Protocol;
  readonly where: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly tally: Tally;
  /** Called after each read. */
  readonly onRead: () => void;
  /** Called with each frame that has no mark, or with all of them where `seesAll` is set. */
  readonly onOther?: (frame: Buffer) => void;
  readonly seesAll?: boolean;
  /** What to say instead of the protocol's own `subscribe`. */
  readonly subscribe?: Buffer;
  readonly isStalled?: boolean;
}

/** A connection that subscribes and counts what it gets. */
export class Subscriber {
  readonly tally: Tally;
  readonly #options: SubscriberOptions;
  readonly #socket: Socket;
  readonly #cutter: FrameCutter;
  readonly #confirmed = Promise.withResolvers<void>();
  #isConfirmed = false;
  #now = 0;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.tally = options.tally;
    this.#cutter = new FrameCutter(options.protocol.framing(), (bytes, start, end, messageEnd) =>
      this.#frame(bytes, start, end, messageEnd),
    );
    this.#socket = options.isStalled === true ? this.#stalled() : this.#reading();
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error) => this.#confirmed.reject(error));
    this.#socket.write(options.subscribe ?? options.protocol.subscribe);
  }

  /** Resolves when the subscription stands; at once for one that does not read. */
  async ready(): Promise<void> {
    if (this.#options.isStalled === true) return;
    const timer = setTimeout(() => this.#confirmed.reject(new Error('no subscription in 15 s')), confirmMs);
    await this.#confirmed.promise.finally(() => clearTimeout(timer));
  }

  /** Lets a stalled one read what it has left. */
  resume(): void {
    if (this.#options.isStalled === true) this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #reading(): Socket {
    const onread = {
      buffer: readBuffer,
      callback: (bytes: number) => {
        this.#take(readBuffer.subarray(0, bytes));
        return true;
      },
    };
    return connect({ ...this.#options.where, onread } as NetConnectOpts);
  }

  #stalled(): Socket {
    const socket = connect({ ...this.#options.where } as NetConnectOpts);
    socket.pause();
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    return socket;
  }

  #take(chunk: Buffer): void {
    if (this.#socket.destroyed) return;
    this.#now = monotonic();
    this.#cutter.take(chunk);
    this.#options.onRead();
  }

  #frame(bytes: Buffer, start: number, end: number, messageEnd: number): void {
    const marked = messageEnd !== -1 && isMarked(bytes, start, messageEnd);
    if (marked) this.tally.take(bytes, messageEnd, this.#now);
    if (marked && this.#options.seesAll !== true) return;
    const frame = bytes.subarray(start, end);
    this.#options.onOther?.(frame);
    if (!marked) this.#control(frame);
  }

  #control(frame: Buffer): void {
    const { confirms, answer } = this.#options.protocol;
    const reply = answer?.(frame) ?? null;
    if (reply !== null) this.#socket.write(reply);
    if (this.#isConfirmed || !confirms(frame)) return;
    this.#isConfirmed = true;
    this.#confirmed.resolve();
  }
}
