import { Worker } from 'node:worker_threads';
import { contentsOf, MemoryLedger } from '../../log/memory-ledger.ts';
import type { Answers, FromThread, Question, ThreadStart, ToThread } from './messages.ts';
import { threadCode } from './thread-code.ts';
import type { TroubleSubject } from './troubles.ts';

/** Beyond these the reserved memory of a second thread is of no use: it holds a few blocks at a time. */
const threadLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 };

/** A disk that takes so long is not merely busy. */
const silenceMs = 10_000;

export type Opened = Extract<FromThread, { tell: 'opened' }>;
export type Figures = Extract<FromThread, { tell: 'figures' }>;

/** What is told of a thread. None of it may throw. */
export interface ThreadListener {
  readonly onTrouble: (of: TroubleSubject, message: string | null) => void;
  readonly onFigures: (figures: Figures) => void;
  /** The directory is this daemon's alone, as far as is known again. */
  readonly onClaimed: () => void;
  /** It has ended of itself, and answers nothing any more. */
  readonly onEnded: (why: string) => void;
}

/** The other thread, seen from here. */
export class Thread {
  /** Where it ends before that, nothing is known of what was kept. */
  readonly opened: Promise<Opened>;
  readonly #listener: ThreadListener;
  readonly #worker: Worker;
  #isOurs = false;
  readonly #waiting = new Map<number, (answer: Answers[keyof Answers] | undefined) => void>();
  #lastId = 0;
  #isSilent = false;
  #isOver = false;

  constructor(start: ThreadStart, listener: ThreadListener) {
    this.#listener = listener;
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

  /** Whether the directory is this daemon's alone. */
  get isOurs(): boolean {
    return this.#isOurs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  post(message: ToThread): void {
    if (!this.#isOver) this.#worker.postMessage(message);
  }

  /** Resolves with undefined where there is nobody to answer any more. */
  ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']] | undefined> {
    if (this.#isOver) return Promise.resolve(undefined);
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve } = Promise.withResolvers<Answers[Q['ask']] | undefined>();
    this.#waiting.set(id, resolve as (answer: Answers[keyof Answers] | undefined) => void);
    this.post({ id, question });
    // A question that is never answered must not keep the process from ending.
    const silence = setTimeout(() => this.#fallSilent(), silenceMs).unref();
    return promise.finally(() => clearTimeout(silence));
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
        this.#isOurs = message.isOurs;
        opened(message);
        break;
      case 'trouble':
        this.#listener.onTrouble(message.of, message.message);
        break;
      case 'claimed':
        this.#isOurs = message.isOurs;
        if (message.isOurs) this.#listener.onClaimed();
        break;
      case 'figures':
        this.#listener.onFigures(message);
        break;
      case 'answer':
        if (this.#isSilent) this.#listener.onTrouble('thread', null);
        this.#isSilent = false;
        this.#waiting.get(message.id)?.(message.answer);
        this.#waiting.delete(message.id);
        break;
    }
  }

  #fallSilent(): void {
    if (this.#isOver) return;
    this.#isSilent = true;
    const message = `the disk has not answered for ${silenceMs / 1_000} s; events are kept in memory only`;
    this.#listener.onTrouble('thread', message);
  }

  #fail(message: string, opened: (message: Opened) => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isOurs = false;
    for (const answer of this.#waiting.values()) answer(undefined);
    this.#waiting.clear();
    const ledger = contentsOf(new MemoryLedger(Date.now()));
    opened({ tell: 'opened', isTaken: false, isOurs: false, wasDamaged: true, ledger });
    this.#listener.onEnded(message);
  }
}
