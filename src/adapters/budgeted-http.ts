import type { Lane, RequestBudget, Slip } from '../gateway/request-budget.ts';
import type { Clock } from '../protocol/clock.ts';
import { type FailureCode, FailureError } from '../protocol/failure.ts';
import type { Http, HttpRequest } from './http-client.ts';
import { type HttpAnswer, networkFailure } from './http-failures.ts';
import { rateLimitOf } from './rate-limit-headers.ts';

export interface BudgetedHttpPorts {
  readonly http: Http;
  readonly budget: RequestBudget;
  readonly clock: Pick<Clock, 'wall'>;
}

/** Sends requests of figd's own when the venue's limit allows. */
export interface OwnHttp {
  /**
   * @param make makes the request once there is room: tokens and signatures grow old while one waits
   * @param signal aborted when nobody wants the answer any more
   * @throws {FailureError} `rate-limited`, what `make` throws, or what the network said
   */
  send(make: () => HttpRequest, signal?: AbortSignal): Promise<HttpAnswer>;
}

/** In a minute every place in the limit is free again; where it takes longer, the venue said so and nobody waits. */
const patienceMs = 65_000;

/** There was no connection to send on, so that the venue cannot have counted the request. */
const unsent: readonly FailureCode[] = ['connection-refused', 'dns-failed', 'proxy-refused'];

/** HTTP within the limit that figd shares with its callers, on one of figd's own lanes. */
export class BudgetedHttp implements Http, OwnHttp {
  readonly #ports: BudgetedHttpPorts;
  readonly #lane: Exclude<Lane, 'caller'>;

  constructor(ports: BudgetedHttpPorts, lane: Exclude<Lane, 'caller'>) {
    this.#ports = ports;
    this.#lane = lane;
  }

  async send(request: HttpRequest | (() => HttpRequest), signal?: AbortSignal): Promise<HttpAnswer> {
    const { http, clock } = this.#ports;
    const slip = await this.#enter(signal);
    try {
      const answer = await http.send(typeof request === 'function' ? request() : request);
      slip.answered(rateLimitOf(answer, clock.wall()));
      return answer;
    } catch (error) {
      if (isUnsent(error)) slip.unsent();
      else slip.failed();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#ports.http.close();
  }

  #enter(signal: AbortSignal | undefined): Slip | Promise<Slip> {
    const { budget } = this.#ports;
    const slip = budget.tryEnter(this.#lane, 'figd');
    return slip ?? budget.enter(this.#lane, 'figd', { ms: patienceMs, ...(signal === undefined ? {} : { signal }) });
  }
}

function isUnsent(error: unknown): boolean {
  return error instanceof FailureError || unsent.includes(networkFailure('', error).code);
}
