import type { Core } from '../../src/daemon/core.ts';
import { Cursor } from '../../src/log/cursor.ts';

/** An event as it stands in a line. */
export interface Heard {
  readonly seq: number;
  readonly channel: string;
  readonly session: number;
  /** The venue's frame, or figd's own fact, as text. */
  readonly message: string;
}

const sliceBytes = 65_536;
const head =
  /^\{"jsonrpc":"2\.0","method":"event","params":\{"seq":(\d+),"channel":"([^"]+)","receivedAt":[\d.]+,"session":(\d+),(?:"encoding":"\w+",)?"message":/;

/** A program on the local socket, without the socket: a cursor that is read when there is something to read. */
export class Consumer {
  readonly #onEvent: (heard: Heard) => void;
  readonly #onLost: (from: number, to: number) => void;
  readonly #onProblem: (problem: string) => void;
  #cursor: Cursor | null = null;
  #epoch = '';
  #next = 1;
  isStalled = false;

  constructor(
    onEvent: (heard: Heard) => void,
    onLost: (from: number, to: number) => void,
    onProblem: (problem: string) => void,
  ) {
    this.#onEvent = onEvent;
    this.#onLost = onLost;
    this.#onProblem = onProblem;
  }

  /** Connects to a run of the daemon and goes on where it was, as far as that run allows. */
  connect({ log }: Core): void {
    const from = this.#epoch === '' ? 'oldest' : { epoch: this.#epoch, seq: this.#next };
    const [cursor, result] = Cursor.open(log, { from });
    this.#cursor = cursor;
    this.#epoch = result.epoch;
    this.#next = result.from;
    if (result.from !== 1) this.#onProblem(`a new epoch begins at ${result.from}`);
  }

  /** Reads what there is. */
  pump(): void {
    const cursor = this.#cursor;
    if (cursor === null || this.isStalled) return;
    while (cursor.lag > 0) {
      const { lost, chunks } = cursor.read(sliceBytes);
      if (lost !== null) {
        if (lost.from !== this.#next) this.#onProblem(`lost begins at ${lost.from}, not at ${this.#next}`);
        this.#onLost(lost.from, lost.to);
        this.#next = lost.to + 1;
      }
      for (const chunk of chunks) {
        for (const line of chunk.toString('utf8').split('\n')) if (line !== '') this.#take(line);
      }
    }
  }

  #take(line: string): void {
    const [prefix = '', seq, channel = '', session] = head.exec(line) ?? [];
    if (prefix === '') {
      this.#onProblem(`not an event: ${line.slice(0, 120)}`);
      return;
    }
    const heard = { seq: Number(seq), channel, session: Number(session), message: line.slice(prefix.length, -2) };
    if (heard.seq !== this.#next) this.#onProblem(`event ${heard.seq} came where ${this.#next} was due`);
    this.#next = heard.seq + 1;
    this.#onEvent(heard);
  }
}
