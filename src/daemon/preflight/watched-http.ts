import type { Http, HttpRequest } from '../../adapters/http-client.ts';
import type { HttpAnswer } from '../../adapters/http-failures.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { ClockReading } from './clock-skew.ts';

const secondMs = 1_000;

/** Passes requests on, and keeps what the answers tell beyond their own matter. */
export class WatchedHttp implements Http {
  readonly #inner: Http;
  readonly #clock: Clock;
  #lastAnswer: HttpAnswer | null = null;
  #reading: ClockReading | null = null;

  constructor(inner: Http, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  /** The answer to the latest request; null where none came. */
  get lastAnswer(): HttpAnswer | null {
    return this.#lastAnswer;
  }

  /** What the `Date` of the latest answer that had one (RFC 9110, 6.6.1: whole seconds) tells of the venue's clock. */
  get clockReading(): ClockReading | null {
    return this.#reading;
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    this.#lastAnswer = null;
    const sentAt = this.#clock.wall();
    const answer = await this.#inner.send(request);
    const receivedAt = this.#clock.wall();
    this.#lastAnswer = answer;
    const { date } = answer.headers;
    const told = typeof date === 'string' ? Date.parse(date) : Number.NaN;
    if (!Number.isNaN(told)) {
      // It was written between the two moments, and within the second that it names.
      const earliest = told - receivedAt;
      const latest = told + secondMs - sentAt;
      this.#reading = { offsetMs: (earliest + latest) / 2, uncertaintyMs: (latest - earliest) / 2 };
    }
    return answer;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
