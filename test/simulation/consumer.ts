import type { Core } from '../../src/daemon/core.ts';
import { Cursor } from '../../src/log/cursor.ts';
import type { Batch } from '../../src/log/journal.ts';
import type { Lost } from '../../src/protocol/local.ts';

/** An event as it stands in a line. */
export interface Heard {
  readonly epoch: string;
  readonly seq: number;
  readonly channel: string;
  readonly session: number;
  /** The venue's frame, or figd's own fact, as text. */
  readonly message: string;
  /** Whether it was read some time after it came, because something had to be read from the disk before. */
  readonly isLate: boolean;
}

/** What a consumer is told that it will never get. */
export interface Loss extends Lost {
  readonly epoch: string;
  /** Told in the answer to `subscribe`, which knows no other reason than that nothing so old is there. */
  readonly isAtOnce: boolean;
}

export interface ConsumerPorts {
  readonly onEvent: (heard: Heard) => void;
  readonly onLost: (loss: Loss) => void;
  readonly onProblem: (problem: string) => void;
}

const sliceBytes = 65_536;
const head =
  /^\{"jsonrpc":"2\.0","method":"event","params":\{"seq":(\d+),"channel":"([^"]+)","receivedAt":[\d.]+,"session":(\d+),(?:"encoding":"\w+",)?"message":/;

/** A program on the local socket, without the socket: a cursor that is read when there is something to read. */
export class Consumer {
  readonly #ports: ConsumerPorts;
  #cursor: Cursor | null = null;
  #isFetching = false;
  #epoch = '';
  #next = 1;
  /** Where it was in each epoch when it connected the last time. */
  readonly #ended = new Map<string, number>();
  isStalled = false;

  constructor(ports: ConsumerPorts) {
    this.#ports = ports;
  }

  /** Connects to a run of the daemon and goes on where it was, as far as that run allows. */
  connect({ log }: Core): void {
    this.#ended.set(this.#epoch, this.#next);
    // An epoch that could not be kept gives way to the one before it: a program that remembers where it was goes on there.
    const epoch = this.#ended.has(log.epoch) ? log.epoch : this.#epoch;
    const from = epoch === '' ? 'oldest' : { epoch, seq: this.#ended.get(epoch) ?? this.#next };
    const [cursor, result] = Cursor.open(log, { from });
    const { onLost, onProblem } = this.#ports;
    this.#isFetching = false;
    this.#cursor = cursor;
    if (result.reason === 'expired' && typeof from === 'object')
      onLost({ epoch: result.epoch, from: from.seq, to: result.from - 1, reason: 'expired', isAtOnce: true });
    if (!result.resumed && result.reason !== 'epoch' && this.#epoch !== result.epoch) onProblem('a new epoch, untold');
    this.#epoch = result.epoch;
    this.#next = result.from;
  }

  /** Whether it has all that there is. */
  get isInStep(): boolean {
    return this.#cursor !== null && !this.#isFetching && this.#cursor.lag === 0;
  }

  /** The daemon is gone, or has said bye. */
  disconnect(): void {
    this.#cursor = null;
  }

  /** Reads what there is. */
  pump(isLate = false): void {
    const cursor = this.#cursor;
    if (cursor === null || this.isStalled || this.#isFetching) return;
    while (cursor.lag > 0) {
      if (cursor.isBehind) {
        this.#fetch(cursor);
        return;
      }
      this.#deliver(cursor.read(sliceBytes), isLate);
    }
  }

  #fetch(cursor: Cursor): void {
    this.#isFetching = true;
    void cursor.fetch(sliceBytes).then((batch) => {
      // Meanwhile it may have connected to another run.
      if (this.#cursor !== cursor) return;
      this.#isFetching = false;
      this.#deliver(batch, true);
      this.pump(true);
    });
  }

  #deliver({ lost, chunks }: Batch, isLate = false): void {
    if (lost !== null) {
      if (lost.from !== this.#next) this.#ports.onProblem(`lost begins at ${lost.from}, not at ${this.#next}`);
      this.#ports.onLost({ ...lost, epoch: this.#epoch, isAtOnce: false });
      this.#next = lost.to + 1;
    }
    for (const chunk of chunks) {
      for (const line of chunk.toString('utf8').split('\n')) if (line !== '') this.#take(line, isLate);
    }
  }

  #take(line: string, isLate: boolean): void {
    const [prefix = '', seq, channel = '', session] = head.exec(line) ?? [];
    if (prefix === '') {
      this.#ports.onProblem(`not an event: ${line.slice(0, 120)}`);
      return;
    }
    const message = line.slice(prefix.length, -2);
    const heard = { epoch: this.#epoch, seq: Number(seq), channel, session: Number(session), message, isLate };
    if (heard.seq !== this.#next) this.#ports.onProblem(`event ${heard.seq} came where ${this.#next} was due`);
    this.#next = heard.seq + 1;
    this.#ports.onEvent(heard);
  }
}
