import type { CallerId } from '../../../src/gateway/caller.ts';
import { type Lane, RequestBudget, type Slip } from '../../../src/gateway/request-budget.ts';
import { type Failure, failureOf } from '../../../src/protocol/failure.ts';
import { seeded, VirtualTime } from '../../machines/support/virtual-time.ts';

const minuteMs = 60_000;

/** A rate limit as the venue documents it: so many requests in any minute, counted when they arrive. */
export class ModelVenue {
  readonly #limit: number;
  readonly #minuteMs: number;
  /** When the requests that count came, oldest first. */
  readonly #counted: number[] = [];
  /** The most that came from us in any minute, whether they were let in or not. */
  mostOfOurs = 0;
  refused = 0;
  readonly #ours: number[] = [];

  /** @param clockRate how fast the venue's clock runs, by ours */
  constructor(limit: number, clockRate = 1) {
    this.#limit = limit;
    this.#minuteMs = minuteMs / clockRate;
  }

  /** Somebody else with the same key or address asks. */
  other(now: number): void {
    this.#admit(now);
  }

  request(now: number) {
    this.#ours.push(now);
    while ((this.#ours[0] ?? now) <= now - this.#minuteMs) this.#ours.shift();
    this.mostOfOurs = Math.max(this.mostOfOurs, this.#ours.length);
    const isAllowed = this.#admit(now);
    if (!isAllowed) this.refused += 1;
    const oldest = this.#counted[0] ?? now;
    const resetAt = Math.ceil((oldest + this.#minuteMs) / 1_000) * 1_000;
    return {
      status: isAllowed ? 200 : 429,
      limit: this.#limit,
      remaining: this.#limit - this.#counted.length,
      resetAt,
    };
  }

  #admit(now: number): boolean {
    while ((this.#counted[0] ?? now) <= now - this.#minuteMs) this.#counted.shift();
    const isAllowed = this.#counted.length < this.#limit;
    if (isAllowed) this.#counted.push(now);
    return isAllowed;
  }
}

export interface Sent {
  readonly lane: Lane;
  readonly caller: CallerId;
  readonly askedAt: number;
  readonly mayWaitMs: number;
  /** When it was let through or refused, or undefined while it waits. */
  settledAt?: number;
  outcome?: 'admitted' | Failure | undefined;
  status?: number;
}

/** How the network treats a request. */
export interface Network {
  /** One way, in milliseconds: up to so much. */
  readonly latency: number;
  /** Some answers take up to so much longer. */
  readonly slowAnswer?: number;
  /** Of so many requests, or their answers, nothing is heard. */
  readonly lossRate?: number;
}

const replyTimeoutMs = 10_000;

/** A budget, the venue whose limit it is, and the network between them, in virtual time. */
export class BudgetStage {
  readonly time = new VirtualTime();
  readonly budget: RequestBudget;
  readonly venue: ModelVenue;
  readonly sent: Sent[] = [];
  /** What was let through, in that order. */
  readonly admitted: Sent[] = [];
  readonly #network: Network;
  readonly #random: () => number;

  constructor({
    limit = 1_000,
    configured = limit,
    tokenRequests = 12,
    network = { latency: 20 },
    clockRate = 1,
    seed = 1,
  }: {
    limit?: number;
    configured?: number;
    tokenRequests?: number;
    network?: Network;
    clockRate?: number;
    seed?: number;
  } = {}) {
    const { now, clock } = this.time;
    this.budget = new RequestBudget({
      limit: configured,
      tokenRequests,
      clock: {
        monotonic: now,
        setTimeout: clock.setTimeout,
        clearTimeout: (handle) => clock.clearTimeout(Number(handle)),
      },
    });
    this.venue = new ModelVenue(limit, clockRate);
    this.#network = network;
    this.#random = seeded(seed);
  }

  /** Sends one request as soon as it may be sent. */
  send(lane: Lane, caller: CallerId = 'one', mayWaitMs = 0, signal?: AbortSignal): Sent {
    const sent: Sent = { lane, caller, askedAt: this.time.now(), mayWaitMs };
    this.sent.push(sent);
    const settle = (outcome: Sent['outcome']) => {
      sent.settledAt = this.time.now();
      sent.outcome = outcome;
    };
    this.budget.enter(lane, caller, { ms: mayWaitMs, ...(signal === undefined ? {} : { signal }) }).then(
      (slip) => {
        settle('admitted');
        this.admitted.push(sent);
        this.#carry(sent, slip);
      },
      (error: unknown) => settle(failureOf(error)),
    );
    return sent;
  }

  /** Sends so many at once. */
  burst(count: number, lane: Lane, caller: CallerId = 'one', mayWaitMs = 0): readonly Sent[] {
    return Array.from({ length: count }, () => this.send(lane, caller, mayWaitMs));
  }

  /** Has the venue's count known, as it is once something was answered. */
  async acquaint(): Promise<void> {
    this.send('token');
    await this.time.advance(1_000);
  }

  #carry(sent: Sent, slip: Slip): void {
    const { latency, slowAnswer = 0, lossRate = 0 } = this.#network;
    const after = (ms: number, run: () => void) => this.time.clock.setTimeout(run, Math.max(0.001, ms));
    const fate = this.#random();
    if (fate < lossRate / 2) {
      after(replyTimeoutMs, () => slip.failed());
      return;
    }
    after(this.#random() * latency, () => {
      const { resetAt, ...told } = this.venue.request(this.time.now());
      if (fate < lossRate) {
        after(this.#random() * replyTimeoutMs, () => slip.failed());
        return;
      }
      const slow = this.#random() < 0.1 ? this.#random() * slowAnswer : 0;
      after(this.#random() * latency + slow, () => {
        sent.status = told.status;
        // The answer's Date, and the reset, are whole seconds.
        const resetInMs = resetAt - Math.floor(this.time.now() / 1_000) * 1_000;
        const retry = told.status === 429 ? { retryAfterMs: resetInMs } : {};
        slip.answered({ ...told, resetInMs, ...retry });
      });
    });
  }
}
