import { messageOf } from '../../protocol/text.ts';
import type { Retention } from './journal-file.ts';
import type { Answers, Question, ThreadStart, ToThread } from './messages.ts';
import { type Opened, Thread, type ThreadListener } from './thread.ts';

export interface LastingThreadOptions extends ThreadStart, Omit<ThreadListener, 'onEnded'> {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A new thread has taken over: it is to be told what the one before may not have written. */
  readonly onReplaced: () => void;
}

/** A thread that ends sooner than this after its start is likely to do so again. */
const steadyMs = 10_000;
const firstDelayMs = 1_000;
const longestDelayMs = 60_000;
const untilRestart = 'events are kept in memory only until figd is started again';

/**
 * The journal's thread through its own ends, such as for want of memory. The next one is started at once and asked again
 * what the last one did not answer; where it ends soon as well, others follow after longer and longer waits, in which
 * nobody waits for an answer.
 */
export class LastingThread {
  /** What the first one found. Where that ended before, no other is started: nothing is known to go on with. */
  readonly opened: Promise<Opened>;
  readonly #options: LastingThreadOptions;
  readonly #listener: ThreadListener;
  #retention: Retention;
  #thread: Thread;
  #startedAt: number;
  #delayMs = firstDelayMs;
  #replaced: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: LastingThreadOptions) {
    this.#options = options;
    this.#retention = options;
    const { onTrouble, onFigures, onClaimed } = options;
    this.#listener = { onTrouble, onFigures, onClaimed, onEnded: (why) => this.#ended(why) };
    this.#startedAt = options.now();
    let isOpen = false;
    this.#thread = new Thread(this.#start(), {
      ...this.#listener,
      onEnded: (why) => (isOpen ? this.#ended(why) : onTrouble('thread', `${why}; ${untilRestart}`)),
    });
    this.opened = this.#thread.opened.then((opened) => {
      isOpen = !this.#thread.isOver;
      return opened;
    });
  }

  /** Whether the directory is this daemon's alone. */
  get isOurs(): boolean {
    return this.#thread.isOurs;
  }

  /** What is posted while there is no thread is lost; see `onReplaced`. */
  post(message: ToThread): void {
    this.#thread.post(message);
  }

  /** Keeps events for so long, and so many, from now on. */
  retain({ retainFor, retainBytes }: Retention): void {
    this.#retention = { retainFor, retainBytes };
    this.post({ change: 'retention', retention: this.#retention });
  }

  /** Resolves with undefined where there is nobody to answer. */
  async ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']] | undefined> {
    const answer = await this.#thread.ask(question);
    if (answer !== undefined) return answer;
    await this.#replaced;
    return this.#thread.ask(question);
  }

  async close(deadlineMs: number): Promise<void> {
    this.#stop();
    await this.#thread.close(deadlineMs);
  }

  async end(): Promise<void> {
    this.#stop();
    await this.#thread.end();
  }

  #stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #start(): ThreadStart {
    const { directory } = this.#options;
    const { retainFor, retainBytes } = this.#retention;
    return { directory, retainFor, retainBytes };
  }

  #ended(why: string): void {
    if (this.#isOver) return;
    const { now, onTrouble } = this.#options;
    const wasSteady = now() - this.#startedAt >= steadyMs;
    const delayMs = wasSteady ? 0 : this.#delayMs;
    this.#delayMs = wasSteady ? firstDelayMs : Math.min(longestDelayMs, this.#delayMs * 2);
    const next = delayMs === 0 ? 'now' : `in ${delayMs / 1_000} s`;
    onTrouble('thread', `${why}; events are kept in memory, and another one is started ${next}`);
    // These were the troubles of that one.
    for (const subject of ['journal', 'ledger'] as const) onTrouble(subject, null);
    if (delayMs === 0) this.#replaced = this.#replace();
    else this.#timer = setTimeout(() => (this.#replaced = this.#replace()), delayMs).unref();
  }

  async #replace(): Promise<void> {
    const { now, onTrouble, onClaimed, onReplaced } = this.#options;
    this.#startedAt = now();
    const thread = this.#next();
    if (thread === null) return;
    const { isTaken } = await thread.opened;
    if (this.#isOver || isTaken) await thread.end();
    if (isTaken) this.#ended('another figd keeps its journal in the same directory');
    if (thread.isOver) return;
    this.#thread = thread;
    onTrouble('thread', null);
    if (thread.isOurs) onClaimed();
    onReplaced();
  }

  /** Null where this host has no thread to give. */
  #next(): Thread | null {
    try {
      return new Thread(this.#start(), this.#listener);
    } catch (error) {
      this.#ended(`the journal's thread cannot be started: ${messageOf(error)}`);
      return null;
    }
  }
}
