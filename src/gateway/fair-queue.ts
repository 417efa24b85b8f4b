import type { CallerId } from './caller.ts';
import type { Slip } from './slip.ts';

/** One who asks, with the requests that hold room in the limit and those that wait for it. */
export interface Line {
  /** Null for figd itself. */
  readonly caller: CallerId | null;
  /** How many of the limit's requests it holds. */
  used: number;
  /** Oldest first. */
  readonly waiting: Set<Waiter>;
}

export function newLine(caller: CallerId | null): Line {
  return { caller, used: 0, waiting: new Set() };
}

/** A request that waits. */
export interface Waiter {
  readonly line: Line;
  readonly admit: (slip: Slip) => void;
  readonly refuse: (reason: unknown) => void;
  /** Ends what watches over its wait. */
  readonly settled: () => void;
}

/** More are refused at once: nobody needs so many answers that late. */
const mostWaitingOfOne = 128;
const mostWaiting = 1_024;

/**
 * Who waits for room in the limit. figd goes before its callers, and these take turns: one request of each in a round,
 * however many more it has.
 */
export class FairQueue {
  readonly #own: Line;
  /** Callers that wait, in the order of their turns. */
  readonly #turns = new Set<Line>();
  #size = 0;

  /** @param own the line of figd itself */
  constructor(own: Line) {
    this.#own = own;
  }

  get size(): number {
    return this.#size;
  }

  get isFigdWaiting(): boolean {
    return this.#own.waiting.size > 0;
  }

  /** Whether nobody more may wait in a line: it is long, or all together are, and it is no shorter than the others. */
  isFullFor(line: Line): boolean {
    if (line.waiting.size >= mostWaitingOfOne) return true;
    return this.#size >= mostWaiting && this.#longest().waiting.size <= line.waiting.size + 1;
  }

  /**
   * Lets one more wait, behind those of its line.
   * @returns who has to leave for it where all together are too many: the last of the longest line
   */
  join(waiter: Waiter): Waiter | undefined {
    const displaced = this.#size >= mostWaiting ? [...this.#longest().waiting].at(-1) : undefined;
    const { line } = waiter;
    line.waiting.add(waiter);
    if (line !== this.#own) this.#turns.add(line);
    this.#size += 1;
    return displaced;
  }

  leave(waiter: Waiter): void {
    if (!waiter.line.waiting.delete(waiter)) return;
    this.#size -= 1;
    if (waiter.line.waiting.size === 0) this.#turns.delete(waiter.line);
  }

  /** Takes out whoever is next among those there is room for. */
  take(hasRoom: (line: Line) => boolean): Waiter | undefined {
    const line = this.#next(hasRoom);
    const [first] = line?.waiting ?? [];
    if (line === undefined || first === undefined) return undefined;
    this.leave(first);
    // Its turn is over.
    if (this.#turns.delete(line)) this.#turns.add(line);
    return first;
  }

  /** How many will have been served before one that joins that line now. */
  ahead(line: Line): number {
    const before = line.waiting.size;
    if (line === this.#own) return before;
    let ahead = this.#own.waiting.size + before;
    for (const other of this.#turns) if (other !== line) ahead += Math.min(before, other.waiting.size);
    return ahead;
  }

  #next(hasRoom: (line: Line) => boolean): Line | undefined {
    // Where there is no room for figd there is none for callers.
    if (this.#own.waiting.size > 0) return hasRoom(this.#own) ? this.#own : undefined;
    for (const line of this.#turns) if (hasRoom(line)) return line;
    return undefined;
  }

  #longest(): Line {
    let longest = this.#own;
    for (const line of this.#turns) if (line.waiting.size > longest.waiting.size) longest = line;
    return longest;
  }
}
