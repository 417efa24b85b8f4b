import type { Line } from './fair-queue.ts';
import type { RateLimit } from './venue-count.ts';

/** Leave to send one request. It is given back once, in one of three ways; what comes after that is ignored. */
export interface Slip {
  /** The head of the answer came. */
  answered(told: RateLimit): void;
  /** There is no answer, and the venue may have counted the request. */
  failed(): void;
  /** The request never left, so that the venue cannot have counted it. */
  unsent(): void;
}

/** What became of a request: what the venue told with its answer, or why there is none. */
export type Outcome = RateLimit | 'failed' | 'unsent';

/** A request that was let through, and the place that it holds in the limit. */
export class Ticket implements Slip {
  /** Null for a token request. */
  readonly line: Line | null;
  readonly enteredAt: number;
  /** How many places were free again, of all that were ever taken, when it took its own. */
  readonly freedBefore: number;
  /** When it was over; its place is free a minute later. */
  endedAt = 0;
  #end: ((ticket: Ticket, outcome: Outcome) => void) | null;

  constructor(
    line: Line | null,
    enteredAt: number,
    freedBefore: number,
    end: (ticket: Ticket, outcome: Outcome) => void,
  ) {
    this.line = line;
    this.enteredAt = enteredAt;
    this.freedBefore = freedBefore;
    this.#end = end;
  }

  answered(told: RateLimit): void {
    this.#over(told);
  }

  failed(): void {
    this.#over('failed');
  }

  unsent(): void {
    this.#over('unsent');
  }

  #over(outcome: Outcome): void {
    const end = this.#end;
    this.#end = null;
    end?.(this, outcome);
  }
}
