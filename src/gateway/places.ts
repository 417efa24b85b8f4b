import type { CallerId } from './caller.ts';
import { type Line, newLine } from './fair-queue.ts';
import { Fifo } from './fifo.ts';
import { type Outcome, Ticket } from './slip.ts';
import { windowMs } from './venue-count.ts';

/**
 * The places that requests hold in the limit, and whose they are. However long the network takes, a request that is over
 * holds its place for a minute more: only then is it certain that the venue counted it a minute ago.
 */
export class Places {
  /** Callers that hold places or wait for them. */
  readonly #lines = new Map<CallerId, Line>();
  /** Requests that are over and hold their places still, in the order in which they ended. */
  readonly #ended = new Fifo<Ticket>();
  /** How many places were ever taken, and how many of those are free again. */
  #taken = 0;
  #freed = 0;

  /** How many are held. */
  get used(): number {
    return this.#taken - this.#freed;
  }

  /** How many of them by requests that are not over. */
  get underWay(): number {
    return this.used - this.#ended.size;
  }

  /** When the first of them is free again (monotonic); infinity where all are held by requests that are not over. */
  get nextFreeAt(): number {
    return (this.#ended.at(0)?.endedAt ?? Number.POSITIVE_INFINITY) + windowMs;
  }

  /** The line of a caller; a new one where it holds and waits for nothing. */
  lineOf(caller: CallerId): Line {
    return this.#lines.get(caller) ?? newLine(caller);
  }

  /** Remembers a line. */
  keep(line: Line): void {
    if (line.caller !== null) this.#lines.set(line.caller, line);
  }

  /** Forgets a line that holds and waits for nothing. */
  drop(line: Line): void {
    if (line.caller !== null && line.used === 0 && line.waiting.size === 0) this.#lines.delete(line.caller);
  }

  /** @param line null for a token request */
  take(line: Line | null, now: number, end: (ticket: Ticket, outcome: Outcome) => void): Ticket {
    this.#taken += 1;
    if (line !== null) {
      if (line.used === 0) this.keep(line);
      line.used += 1;
    }
    return new Ticket(line, now, this.#freed, end);
  }

  /** The request is over, and holds its place for a minute more. */
  end(ticket: Ticket, now: number): void {
    ticket.endedAt = now;
    this.#ended.push(ticket);
  }

  /** The place is free. */
  free({ line }: Ticket): void {
    this.#freed += 1;
    if (line === null) return;
    line.used -= 1;
    this.drop(line);
  }

  /** Frees what has grown old. */
  age(now: number): void {
    while (this.nextFreeAt <= now) {
      const ticket = this.#ended.shift();
      if (ticket !== undefined) this.free(ticket);
    }
  }

  /** The earliest moment at which so many places are free again that are held now. */
  freeAt(places: number, now: number): number {
    if (places <= 0) return now;
    // What is not over holds its place for a minute at least.
    return (this.#ended.at(places - 1)?.endedAt ?? now) + windowMs;
  }

  /** The most requests that the venue may have in its count when it answers one. */
  mostCountedAt({ freedBefore }: Ticket): number {
    return this.#taken - freedBefore;
  }
}
