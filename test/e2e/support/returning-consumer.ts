import { connect, type Socket } from 'node:net';
import type { Lost, SubscribeResult } from '../../../src/protocol/local.ts';

/** Every line that any consumer was given, by epoch and number: it must be the same for all, at all times. */
export class Told {
  readonly lines = new Map<string, Map<number, string>>();
  /** What was wrong, in words. */
  readonly faults: string[] = [];

  note(epoch: string, seq: number, text: string): void {
    const lines = this.lines.get(epoch) ?? new Map<number, string>();
    this.lines.set(epoch, lines);
    const known = lines.get(seq);
    if (known !== undefined && known !== text) this.faults.push(`${seq} of ${epoch} was ${known}, and is ${text}`);
    lines.set(seq, text);
  }
}

export interface ConsumerOptions {
  readonly path: string;
  readonly told: Told;
  readonly channels?: readonly string[];
  /** After so many events on each connection it reads no more, until {@link ReturningConsumer.hurry}. */
  readonly readsOnly?: number;
}

interface Range extends Lost {
  readonly epoch: string;
}

/** A consumer as it should be: it remembers its position, and comes back with it whenever it is cut off. */
export class ReturningConsumer implements Disposable {
  readonly lost: Range[] = [];
  /** Answers to `subscribe` that said that something is missing. */
  readonly unresumed: SubscribeResult[] = [];
  /** Numbers it was given, by epoch. */
  readonly seqs = new Map<string, number[]>();
  /** How many events came on the present connection. */
  received = 0;
  epoch: string | null = null;
  next = 0;
  readonly #options: ConsumerOptions;
  #readsOnly: number;
  #socket: Socket | null = null;
  #isDone = false;
  #rest = '';

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#readsOnly = options.readsOnly ?? Number.POSITIVE_INFINITY;
    void this.#run();
  }

  /** Comes back, and from now on reads without a stop. */
  hurry(): void {
    this.#readsOnly = Number.POSITIVE_INFINITY;
    this.cut();
  }

  /** Ends the present connection; it comes back. */
  cut(): void {
    this.#socket?.destroy();
  }

  [Symbol.dispose](): void {
    this.#isDone = true;
    this.#socket?.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#isDone) {
      const socket = connect(this.#options.path);
      this.#socket = socket;
      this.#rest = '';
      this.received = 0;
      socket.setEncoding('utf8').on('data', (part: string) => this.#read(socket, part));
      socket.on('connect', () => socket.write(`${JSON.stringify(this.#subscription())}\n`));
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.once('close', resolve));
      // Nobody may be there yet to come back to.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #subscription(): object {
    const { channels = ['*'] } = this.#options;
    const from = this.epoch === null ? 'oldest' : { epoch: this.epoch, seq: this.next };
    return { jsonrpc: '2.0', id: 1, method: 'subscribe', params: { channels, from, ticks: false } };
  }

  #read(socket: Socket, part: string): void {
    const pieces = (this.#rest + part).split('\n');
    this.#rest = pieces.pop() ?? '';
    for (const text of pieces) {
      // What comes after it stopped reading it has never seen.
      if (this.received >= this.#readsOnly) break;
      this.#take(text);
    }
    if (this.received >= this.#readsOnly) socket.pause();
  }

  #take(text: string): void {
    const { method, params, result, error } = JSON.parse(text);
    if (error !== undefined) this.#fault(`refused: ${text}`);
    else if (result !== undefined) this.#begin(result);
    else if (method === 'lost') this.#skip(params);
    else if (method === 'event') this.#event(params.seq, text);
  }

  #begin(result: SubscribeResult): void {
    if (!result.resumed) this.unresumed.push(result);
    else if (this.epoch !== null && (this.epoch !== result.epoch || this.next !== result.from)) {
      this.#fault(`resumed at ${result.from} of ${result.epoch}, not at ${this.next} of ${this.epoch}`);
    }
    this.epoch = result.epoch;
    this.next = result.from;
  }

  #skip(lost: Lost): void {
    if (lost.from < this.next || lost.to < lost.from || (this.#isWhole && lost.from !== this.next)) {
      this.#fault(`${this.next} was next, and ${lost.from} to ${lost.to} is lost`);
    }
    this.lost.push({ ...lost, epoch: this.epoch ?? '' });
    this.next = lost.to + 1;
  }

  #event(seq: number, text: string): void {
    const epoch = this.epoch ?? '';
    if (seq < this.next || (this.#isWhole && seq !== this.next)) this.#fault(`${this.next} was next, and ${seq} came`);
    const seqs = this.seqs.get(epoch) ?? [];
    this.seqs.set(epoch, seqs);
    seqs.push(seq);
    this.#options.told.note(epoch, seq, text);
    this.next = seq + 1;
    this.received += 1;
  }

  get #isWhole(): boolean {
    return this.#options.channels === undefined;
  }

  #fault(what: string): void {
    this.#options.told.faults.push(`${this.#options.channels ?? '*'}: ${what}`);
  }
}
