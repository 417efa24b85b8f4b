import type { Http } from '../../src/adapters/http-client.ts';
import { rateLimitOf } from '../../src/adapters/rate-limit-headers.ts';
import type { RequestBudget } from '../../src/gateway/request-budget.ts';
import type { Clock } from '../../src/protocol/clock.ts';
import { failureOf } from '../../src/protocol/failure.ts';

export interface CrowdPorts {
  readonly budget: RequestBudget;
  readonly http: Http;
  readonly clock: Clock;
  /** Since when the process has not stood still, and true time, in milliseconds. */
  readonly runsSince: () => number;
  readonly now: () => number;
  readonly report: (invariant: string, detail: string) => void;
}

/** What local programs ask for at once. */
export interface Flood {
  readonly callers: number;
  /** Requests of each of them. */
  readonly each: number;
  /** How long each request may wait for room, in milliseconds. */
  readonly patience: number;
}

interface Waiting {
  readonly askedAt: number;
  readonly patience: number;
}

const promise = 'a caller is let through or refused in time';
/** Timers fire a little late. */
const slackMs = 5;

/** Local programs that ask the venue through figd, more than its limit allows. */
export class Crowd {
  readonly #ports: CrowdPorts;
  readonly #leaving = new AbortController();
  /** What is neither let through nor refused, and when it has to be. */
  readonly #waiting = new Set<Waiting>();
  #callers = 0;
  #pending = 0;

  constructor(ports: CrowdPorts) {
    this.#ports = ports;
  }

  /** Requests that wait or are under way: each has a timer. */
  get pending(): number {
    return this.#pending;
  }

  flood({ callers, each, patience }: Flood): void {
    for (let caller = 0; caller < callers; caller += 1) {
      this.#callers += 1;
      for (let count = 0; count < each; count += 1) void this.#ask(`caller-${this.#callers}`, patience);
    }
  }

  /** Every few seconds. */
  check(): void {
    const { now, report } = this.#ports;
    for (const waiting of this.#waiting) {
      const late = now() - this.#dueBy(waiting);
      if (late > 0) report(promise, `one hangs since ${Math.round(late)} ms`);
    }
  }

  /** A host that sleeps lets nobody's time pass meanwhile, and a process that stands still answers when it goes on. */
  #dueBy({ askedAt, patience }: Waiting): number {
    return Math.max(askedAt, this.#ports.runsSince()) + patience + slackMs;
  }

  /** Nobody wants an answer any more. */
  leave(): void {
    this.#leaving.abort();
  }

  async #ask(caller: string, patience: number): Promise<void> {
    const { budget, http, clock, report, now } = this.#ports;
    const { signal } = this.#leaving;
    const askedAt = now();
    const waiting = { askedAt, patience };
    this.#waiting.add(waiting);
    this.#pending += 1;
    const slip = await budget.enter('caller', caller, { ms: patience, signal }).catch((error: unknown) => {
      if (!signal.aborted && failureOf(error).code !== 'rate-limited') report(promise, String(error));
      return null;
    });
    this.#waiting.delete(waiting);
    if (now() > this.#dueBy(waiting) && !signal.aborted) {
      report(promise, `after ${Math.round(now() - askedAt)} ms, and it was to wait for ${patience}`);
    }
    try {
      const request = { method: 'GET', url: 'http://127.0.0.1:1/v1/rfq?limit=1', headers: {}, signal };
      if (slip !== null) slip.answered(rateLimitOf(await http.send(request), clock.wall()));
    } catch {
      slip?.failed();
    }
    this.#pending -= 1;
  }
}
