import type { Histogram } from '../histogram.ts';
import { numberAt, timeAt } from '../mark.ts';
import type { Received } from './api.ts';

/** Checks that the events of one consumer come in order, each once. */
export class Tally {
  #latency: Histogram | null = null;
  #next = 1;
  #messages = 0;
  #missing = 0;
  #doubled = 0;
  #told = 0;
  #lastAt = 0;

  /** The largest number there was. */
  get reached(): number {
    return this.#next - 1;
  }

  /** When it came, in nanoseconds; 0 before the first. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** Begins anew with the event `next`. @param latency where latencies are recorded, if anywhere */
  expect(next: number, latency: Histogram | null = null): void {
    this.#latency = latency;
    this.#next = next;
    this.#messages = 0;
    this.#missing = 0;
    this.#doubled = 0;
    this.#told = 0;
    this.#lastAt = 0;
  }

  /** The event that ends at `end`, read at `now` (nanoseconds). */
  take(bytes: Uint8Array, end: number, now: number): void {
    const number = numberAt(bytes, end);
    this.#messages += 1;
    this.#latency?.record(now - timeAt(bytes, end));
    if (number < this.#next) {
      this.#doubled += 1;
      return;
    }
    this.#missing += number - this.#next;
    this.#next = number + 1;
    this.#lastAt = now;
  }

  /** The contender said that so many events are lost. */
  tell(lost: number): void {
    this.#told += lost;
  }

  /** What there was, `last` being the number of the last event sent. */
  received(last: number): Received {
    const { reached } = this;
    return {
      messages: this.#messages,
      missing: this.#missing + Math.max(0, last - reached),
      doubled: this.#doubled,
      told: this.#told,
      complete: reached >= last,
    };
  }
}

/** The sum over several consumers. */
export function sum(parts: readonly Received[]): Received {
  const add = (what: 'messages' | 'missing' | 'doubled' | 'told') =>
    parts.reduce((total, part) => total + part[what], 0);
  return {
    messages: add('messages'),
    missing: add('missing'),
    doubled: add('doubled'),
    told: add('told'),
    complete: parts.every(({ complete }) => complete),
  };
}
