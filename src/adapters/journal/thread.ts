import { Worker } from 'node:worker_threads';
import { MemoryLedger } from '../../log/memory-ledger.ts';
import type { Retention } from './journal-file.ts';
import type { Answers, FromThread, Question, ThreadStart, ToThread } from './messages.ts';
import { threadCode } from './thread-code.ts';

export interface ThreadOptions extends Retention {
  readonly directory: string;
}

/** Why something is not written, by what it is. */
export type Troubles = Readonly<Record<'journal' | 'ledger' | 'sequence' | 'thread', string | null>>;

/** Beyond these the reserved memory of a second thread is of no use: it holds a few blocks at a time. */
const threadLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 };

type Opened = Extract<FromThread, { tell: 'opened' }>;

/** The other thread, seen from here. */
export class Thread {
  /** Where it ends before that, nothing is known of what was kept. */
  readonly opened: Promise<Opened>;
  troubles: Troubles = { journal: null, ledger: null, sequence: null, thread: null };
  onTrouble: (of: keyof Troubles, message: string | null) => void = (of, message) => {
    this.troubles = { ...this.troubles, [of]: message };
  };
  onFigures: (figures: Extract<FromThread, { tell: 'figures' }>) => void = () => undefined;
  /** Whether the directory is this daemon's alone. */
  isOurs = false;
  /** Told whenever it is. */
  onClaimed: () => void = () => undefined;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: Answers[keyof Answers] | undefined) => void>();
  #lastId = 0;
  #isOver = false;

  constructor({ directory, retainFor, retainBytes }: ThreadOptions) {
    const start: ThreadStart = { directory, retainFor, retainBytes };
    this.#worker = new Worker(threadCode, {
      eval: typeof threadCode === 'string',
      workerData: start,
      // No environment: it may hold credentials.
      env: {},
      // What Node was told about the main thread, such as what to load first, is not meant for this one.
      execArgv: [],
      resourceLimits: threadLimits,
    });
    const opened = Promise.withResolvers<Opened>();
    this.opened = opened.promise;
    this.#worker.on('message', (message: FromThread) => this.#receive(message, opened.resolve));
    const fail = (message: string) => this.#fail(message, opened.resolve);
    this.#worker.on('error', (error: Error) => fail(`the journal's thread ended: ${error.message}`));
    this.#worker.on('exit', () => fail("the journal's thread ended"));
  }

  post(message: ToThread): void {
    if (!this.#isOver) this.#worker.postMessage(message);
  }

  /** Resolves with undefined where there is nobody to answer any more. */
  ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']] | undefined> {
    if (this.#isOver) return Promise.resolve(undefined);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve as (answer: Answers[keyof Answers] | undefined) => void);
      this.post({ id, question });
    });
  }

  async close(deadlineMs: number): Promise<void> {
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, deadlineMs);
    await Promise.race([this.ask({ ask: 'close' }), deadline.promise]);
    clearTimeout(timer);
    await this.end();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#worker.terminate();
  }

  #receive(message: FromThread, opened: (message: Opened) => void): void {
    switch (message.tell) {
      case 'opened':
        this.isOurs = message.isOurs;
        opened(message);
        break;
      case 'trouble':
        this.onTrouble(message.of, message.message);
        break;
      case 'claimed':
        this.isOurs = message.isOurs;
        if (this.isOurs) this.onClaimed();
        break;
      case 'figures':
        this.onFigures(message);
        break;
      case 'answer':
        this.#waiting.get(message.id)?.(message.answer);
        this.#waiting.delete(message.id);
        break;
    }
  }

  #fail(message: string, opened: (message: Opened) => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onTrouble('thread', `${message}; events are kept in memory only until figd is started again`);
    for (const answer of this.#waiting.values()) answer(undefined);
    this.#waiting.clear();
    const ledger = new MemoryLedger(Date.now());
    const { unfinished: _, ...memory } = ledger.recall();
    opened({ tell: 'opened', isTaken: false, isOurs: false, wasDamaged: true, ledger: { ...memory, gaps: [] } });
  }
}
