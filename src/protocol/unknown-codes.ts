import type { Failure } from './failure.ts';
import { cut } from './text.ts';

/** Something the venue said in a code that figd does not know. */
export interface UnknownCode {
  /** The kind of code and its number, such as `close 4777`; `other` for all that came when the list was full. */
  readonly what: string;
  readonly count: number;
  /** Unix milliseconds. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** What the latest failure of it said: free of secrets, 200 characters at most. */
  readonly message: string;
}

/** More codes than any venue has: a list that is full is a venue that makes them up. */
const mostCodes = 64;
const other = 'other';
const longestMessage = 200;

/** Counts what the venue says that figd does not know, so that somebody can teach it. In bounded memory. */
export class UnknownCodes {
  /** The one noted longest ago first. */
  readonly #codes = new Map<string, UnknownCode>();

  /**
   * Counts the failure if it carries a code that figd does not know.
   * @param wallMs unix milliseconds
   */
  note({ unknown, message }: Failure, wallMs: number): void {
    if (unknown === undefined) return;
    const what = this.#codes.has(unknown) || this.#codes.size < mostCodes ? unknown : other;
    const { count, firstAt } = this.#codes.get(what) ?? { count: 0, firstAt: wallMs };
    this.#codes.delete(what);
    this.#codes.set(what, { what, count: count + 1, firstAt, lastAt: wallMs, message: cut(message, longestMessage) });
  }

  /** The one noted last first. */
  list(): readonly UnknownCode[] {
    return [...this.#codes.values()].reverse();
  }
}
