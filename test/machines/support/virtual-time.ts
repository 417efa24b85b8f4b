import { createClock } from '@sinonjs/fake-timers';
import { expect } from 'vitest';

/** Lets every promise that can settle do so, with all that follows from it. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Time that stands still until it is advanced. Between two timers every promise settles, as `tickAsync` does it, but
 * without its real millisecond for each: simulated hours of dials and drops take a moment.
 */
export class VirtualTime {
  readonly #clock = createClock();
  /** When each timer that is set fires. */
  readonly #due = new Map<number, number>();
  #slept = 0;
  #ticking = false;

  /** What actors are given for a clock. */
  readonly clock = {
    setTimeout: (run: () => void, ms: number): number => {
      const id = Number(
        this.#clock.setTimeout(() => {
          this.#due.delete(id);
          run();
        }, ms),
      );
      this.#due.set(id, this.#clock.now + this.#delay(ms));
      return id;
    },
    clearTimeout: (id: number): void => {
      this.#due.delete(id);
      this.#clock.clearTimeout(id);
    },
  };

  /** Monotonic milliseconds. */
  readonly now = (): number => this.#clock.now + this.#slept;

  async advance(ms: number): Promise<void> {
    const end = this.#clock.now + ms;
    await settle();
    for (let next = this.#nextTimer(); next <= end; next = this.#nextTimer()) {
      this.#tickTo(next);
      await settle();
    }
    this.#tickTo(end);
  }

  /** Advances to the next timer, and no further. */
  async toNextTimer(): Promise<void> {
    const next = this.#nextTimer();
    if (next === Number.POSITIVE_INFINITY) throw new Error('nothing waits: no timer is set');
    await this.advance(next - this.#clock.now);
  }

  /** The host sleeps: time passes, and every timer is late by as much. */
  sleep(ms: number): void {
    this.#slept += ms;
  }

  /** How many timers are set. */
  timers(): number {
    return this.#clock.countTimers();
  }

  expectNoTimers(): void {
    expect(this.timers()).toBe(0);
  }

  /** How long the clock really waits: as in Node, what no timer can keep fires after 1 ms. */
  #delay(ms: number): number {
    const shortest = this.#ticking ? 1 : 0;
    return ms < 2 ** 31 ? Math.max(ms, shortest) : 1;
  }

  #tickTo(moment: number): void {
    this.#ticking = true;
    this.#clock.tick(moment - this.#clock.now);
    this.#ticking = false;
  }

  #nextTimer(): number {
    return Math.min(...this.#due.values());
  }
}

/** A promise that the test settles. */
export function deferred<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
} {
  return Promise.withResolvers<T>();
}

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
