import type { Clock } from '../protocol/clock.ts';

/** Does a small piece of work. @returns whether there may be more to do */
export type Piece = () => boolean;

export interface TurnsPorts {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Runs a function in the next turn of the event loop. */
  readonly schedule: (run: () => void) => void;
}

/**
 * How long strangers may hold up one turn of the event loop, in milliseconds. A piece that has begun is not
 * interrupted: the largest, an answer to `outages` with 10,000 gaps, takes about two.
 */
const budgetMs = 1;

/**
 * What local clients ask for, done a piece at a time: one piece for each of them in a round, and not more in one turn
 * of the event loop than {@link budgetMs} allow. However much is asked, events are handed out in between.
 */
export class Turns {
  readonly #ports: TurnsPorts;
  readonly #waiting: Piece[] = [];
  #scheduled = false;

  constructor(ports: TurnsPorts) {
    this.#ports = ports;
  }

  /** Pieces that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Has a piece of work done, behind what waits already, and again for as long as it says that there is more. */
  enter(piece: Piece): void {
    this.#waiting.push(piece);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#ports.schedule(() => {
      this.#scheduled = false;
      this.#run();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #run(): void {
    const { clock } = this.#ports;
    const end = clock.monotonic() + budgetMs;
    do {
      const piece = this.#waiting.shift();
      if (piece === undefined) return;
      if (piece()) this.#waiting.push(piece);
    } while (clock.monotonic() < end);
  }
}
