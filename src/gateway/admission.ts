import { failure } from '../protocol/failure.ts';
import { NotSentError, type Timers } from '../protocol/request-table.ts';
import type { Caller, CallerId } from './caller.ts';

export interface AdmissionLimits {
  /** Calls that may be under way at a time. */
  readonly calls: number;
  /** What all of them may weigh together. One that weighs more is let in when it would be alone. */
  readonly weight: number;
}

interface Waiting {
  readonly caller: Caller;
  readonly weight: number;
  readonly admit: (leave: () => void) => void;
  readonly refuse: (error: NotSentError) => void;
  readonly deadline: unknown;
}

/**
 * Lets calls out to the venue, so many at a time: what figd itself has to say there must not wait behind them. Those who
 * have to wait take turns, one call of each caller in a round, however many one of them has made.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #timers: Timers;
  /** The callers who wait, in the order of their turns. */
  readonly #lines = new Map<CallerId, Waiting[]>();
  #calls = 0;
  #weight = 0;

  constructor(limits: AdmissionLimits, timers: Timers) {
    this.#limits = limits;
    this.#timers = timers;
  }

  /**
   * Waits for the call's turn.
   * @returns what to do when the call is over
   * @throws {NotSentError} `too-many-calls` at the deadline, or what {@link turnAway} says
   */
  enter(caller: Caller, weight: number, deadlineMs: number): Promise<() => void> {
    if (this.#lines.size === 0 && this.#hasRoom(weight)) return Promise.resolve(this.#admit(weight));
    return new Promise((admit, refuse) => {
      const deadline = this.#timers.setTimeout(() => {
        this.#remove(waiting);
        const { calls } = this.#limits;
        refuse(
          new NotSentError(failure('too-many-calls', `no turn in ${deadlineMs} ms: ${calls} calls are under way`)),
        );
        this.#letIn();
      }, deadlineMs);
      const waiting: Waiting = { caller, weight, admit, refuse, deadline };
      this.#lines.set(caller.id, [...(this.#lines.get(caller.id) ?? []), waiting]);
    });
  }

  /** Calls under way with their weight, and those that wait for their turn, of so many callers. */
  view(): { readonly calls: number; readonly weight: number; readonly waiting: number; readonly callers: number } {
    const waiting = this.#lines.values().reduce((sum, line) => sum + line.length, 0);
    return { calls: this.#calls, weight: this.#weight, waiting, callers: this.#lines.size };
  }

  /** Refuses all who wait. */
  turnAway(error: NotSentError): void {
    for (const waiting of [...this.#lines.values()].flat()) {
      this.#remove(waiting);
      waiting.refuse(error);
    }
  }

  #hasRoom(weight: number): boolean {
    if (this.#calls === 0) return true;
    return this.#calls < this.#limits.calls && this.#weight + weight <= this.#limits.weight;
  }

  #admit(weight: number): () => void {
    this.#calls += 1;
    this.#weight += weight;
    return () => {
      this.#calls -= 1;
      this.#weight -= weight;
      this.#letIn();
    };
  }

  #letIn(): void {
    for (const [id, [next]] of this.#lines) {
      if (next === undefined) continue;
      if (next.caller.isGone) {
        this.#remove(next);
        next.refuse(new NotSentError(failure('connection-lost', 'the caller is gone')));
      } else {
        if (!this.#hasRoom(next.weight)) return;
        this.#remove(next);
        next.admit(this.#admit(next.weight));
      }
      this.#toTheEnd(id);
    }
  }

  /** A loop over the lines comes by here again. */
  #toTheEnd(id: CallerId): void {
    const line = this.#lines.get(id);
    if (line === undefined) return;
    this.#lines.delete(id);
    this.#lines.set(id, line);
  }

  #remove(waiting: Waiting): void {
    this.#timers.clearTimeout(waiting.deadline);
    const { id } = waiting.caller;
    const line = this.#lines.get(id)?.filter((each) => each !== waiting) ?? [];
    if (line.length > 0) this.#lines.set(id, line);
    else this.#lines.delete(id);
  }
}
