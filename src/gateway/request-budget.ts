import type { Clock } from '../protocol/clock.ts';
import { FailureError } from '../protocol/failure.ts';
import type { CallerId } from './caller.ts';
import { FairQueue, type Line, newLine, type Waiter } from './fair-queue.ts';
import { Places } from './places.ts';
import { noRoom, queueFull } from './refusals.ts';
import { type Shares, sharesOf } from './shares.ts';
import type { Outcome, Slip, Ticket } from './slip.ts';
import { type RateLimit, VenueCount } from './venue-count.ts';

export type { Slip } from './slip.ts';
export type { RateLimit } from './venue-count.ts';

/**
 * Who asks:
 * - `token`: a request for an access token. It is counted and never waits: the token machine has a pace of its own.
 * - `own`: another call of figd's own. It may use all of the limit but what token requests may need.
 * - `caller`: a local program. It may use all but what is reserved for figd.
 */
export type Lane = 'token' | 'own' | 'caller';

export interface Wait {
  /** The most milliseconds to wait for room. */
  readonly ms: number;
  /** Aborted when nobody wants the request any more. */
  readonly signal?: AbortSignal;
}

export interface RequestBudgetOptions {
  /** Requests in any minute. */
  readonly limit: number;
  /** The most token requests in any minute. */
  readonly tokenRequests: number;
  readonly clock: Pick<Clock, 'monotonic' | 'setTimeout' | 'clearTimeout'>;
}

export interface BudgetView {
  /** Requests in any minute: as configured, or as the venue told where that is less. */
  readonly limit: number;
  /** How many of them figd and its callers hold. */
  readonly used: number;
  /** How many others hold, as far as is known, who use the same key or address. */
  readonly others: number;
  /** Requests that wait for room. */
  readonly waiting: number;
  /** For how long the venue wants no more requests, in milliseconds; 0 where it takes them. */
  readonly closedForMs: number;
}

/** The longest delay that a timer keeps (about 24.8 days). */
const longestTimerMs = 2 ** 31 - 1;

/**
 * The venue's limit of HTTP requests, which figd shares with all its local callers. However long the network takes, the
 * venue never counts more of ours than the limit: a request holds its place until a minute after its answer, because
 * only then is it certain that the venue counted it a minute ago.
 */
export class RequestBudget {
  readonly #clock: RequestBudgetOptions['clock'];
  readonly #tokenRequests: number;
  readonly #count = new VenueCount();
  readonly #places = new Places();
  readonly #own = newLine(null);
  readonly #queue = new FairQueue(this.#own);
  #configured: number;
  #shares: Shares;
  #alarm: { readonly at: number; readonly handle: unknown } | null = null;

  constructor({ limit, tokenRequests, clock }: RequestBudgetOptions) {
    this.#clock = clock;
    this.#tokenRequests = tokenRequests;
    this.#configured = limit;
    this.#shares = sharesOf(limit, tokenRequests);
  }

  /** Another limit holds from now on. */
  setLimit(limit: number): void {
    this.#configured = limit;
    this.#share();
    this.#serve(this.#now());
  }

  view(): BudgetView {
    const now = this.#now();
    const limit = this.#limit;
    return {
      limit,
      used: this.#places.used,
      others: this.#count.othersAt(now, limit),
      waiting: this.#queue.size,
      closedForMs: Math.max(0, this.#count.closedUntil - now),
    };
  }

  /** Leave to send a request at once, or null where it has to wait. @param caller who asks, in the lane of callers */
  tryEnter(lane: Lane, caller: CallerId): Slip | null {
    const now = this.#now();
    if (lane === 'token') return this.#places.take(null, now, this.#over);
    // Who comes now overtakes nobody there is room for.
    if (this.#queue.size > 0) this.#serve(now);
    const line = lane === 'own' ? this.#own : this.#places.lineOf(caller);
    const isOpen = line.waiting.size === 0 && this.#isOpen(this.#shareOf(line), now);
    return isOpen ? this.#places.take(line, now, this.#over) : null;
  }

  /**
   * Waits for leave to send a request.
   * @throws {FailureError} `rate-limited` once the wait is over, or at once where there can be no room before that; or
   * the reason of the signal
   */
  enter(lane: Lane, caller: CallerId, wait: Wait): Promise<Slip> {
    const { ms, signal } = wait;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const slip = this.tryEnter(lane, caller);
    if (slip !== null) return Promise.resolve(slip);
    const line = lane === 'own' ? this.#own : this.#places.lineOf(caller);
    const now = this.#now();
    const roomAt = this.#roomAt(line, now);
    if (!(now + ms > roomAt)) return Promise.reject(this.#shortage(line, roomAt, now));
    if (this.#queue.isFullFor(line)) return Promise.reject(new FailureError(queueFull(roomAt - now)));
    return this.#queueUp(line, wait, now, roomAt);
  }

  #queueUp(line: Line, { ms, signal }: Wait, now: number, roomAt: number): Promise<Slip> {
    const { promise, resolve, reject } = Promise.withResolvers<Slip>();
    const expire = () => {
      const then = this.#now();
      this.#dismiss(waiter, this.#shortage(line, this.#roomAt(line, then), then));
    };
    const abort = () => this.#dismiss(waiter, signal?.reason);
    const deadline = this.#clock.setTimeout(expire, Math.min(ms, longestTimerMs));
    signal?.addEventListener('abort', abort);
    const settled = () => {
      this.#clock.clearTimeout(deadline);
      signal?.removeEventListener('abort', abort);
    };
    const waiter: Waiter = { line, admit: resolve, refuse: reject, settled };
    const displaced = this.#queue.join(waiter);
    this.#places.keep(line);
    if (displaced !== undefined) this.#dismiss(displaced, new FailureError(queueFull(roomAt - now)));
    this.#setAlarm(now);
    return promise;
  }

  /** The moment; places that have grown old by then are free. */
  #now(): number {
    const now = this.#clock.monotonic();
    this.#places.age(now);
    return now;
  }

  get #limit(): number {
    return Math.min(this.#configured, this.#count.limit);
  }

  #share(): void {
    this.#shares = sharesOf(this.#limit, this.#tokenRequests);
  }

  readonly #over = (ticket: Ticket, outcome: Outcome): void => {
    const now = this.#now();
    if (outcome === 'unsent') this.#places.free(ticket);
    else this.#places.end(ticket, now);
    if (typeof outcome !== 'string') this.#hear(outcome, ticket, now);
    if (this.#queue.size > 0) this.#serve(now);
  };

  #hear(told: RateLimit, ticket: Ticket, now: number): void {
    const before = this.#limit;
    const mostOfOurs = this.#places.mostCountedAt(ticket);
    this.#count.hear(told, { at: ticket.enteredAt, mostOfOurs, isForToken: ticket.line === null }, before, now);
    if (this.#limit !== before) this.#share();
  }

  /** Whether there is room for one more of those who may use so much of the limit. */
  #isOpen(share: number, now: number): boolean {
    const count = this.#count;
    if (now < count.closedUntil) return false;
    const free = share - this.#places.used;
    if (free <= 0) return false;
    const isEnough = free > count.othersAt(now, this.#limit);
    if (now < count.freshUntil) return isEnough;
    // Nobody has told lately what the venue counts: a few ask, or just one where it was said that there is no room.
    const { underWay } = this.#places;
    return isEnough ? underWay < this.#shares.unseen : underWay === 0;
  }

  #shareOf(line: Line): number {
    const { own, caller, busyCaller, busyFrom } = this.#shares;
    if (line === this.#own) return own;
    return line.used < busyFrom ? caller : busyCaller;
  }

  /** The earliest moment at which one that joins a line now may be let through, as far as anybody can know. */
  #roomAt(line: Line, now: number): number {
    const { own, caller, busyCaller, busyFrom } = this.#shares;
    const ahead = this.#queue.ahead(line);
    const within = (share: number) => this.#placesAt(this.#places.used - share + 1 + ahead, now);
    let room = within(line === this.#own ? own : caller);
    if (line !== this.#own && line.used >= busyFrom) {
      // Until its own requests have grown old it is held to the smaller share.
      const calmAt = this.#places.freeAt(line.used - busyFrom + 1, now);
      room = Math.min(within(busyCaller), Math.max(room, calmAt));
    }
    return Math.max(room, this.#count.closedUntil);
  }

  /** When so many places are free that are held now. What others hold may be free once the venue has to be asked anew. */
  #placesAt(places: number, now: number): number {
    const others = this.#count.othersAt(now, this.#limit);
    const ours = this.#places.freeAt(places, now);
    if (others === 0) return ours;
    return Math.min(this.#places.freeAt(places + others, now), Math.max(ours, this.#count.freshUntil));
  }

  /** Lets through whoever waits and finds room now. */
  #serve(now: number): void {
    const queue = this.#queue;
    const hasRoom = (line: Line) => this.#isOpen(this.#shareOf(line), now);
    while (queue.size > 0 && this.#isOpen(queue.isFigdWaiting ? this.#shares.own : this.#shares.caller, now)) {
      const waiter = queue.take(hasRoom);
      if (waiter === undefined) break;
      waiter.settled();
      waiter.admit(this.#places.take(waiter.line, now, this.#over));
    }
    this.#setAlarm(now);
  }

  #dismiss(waiter: Waiter, reason: unknown): void {
    this.#queue.leave(waiter);
    this.#places.drop(waiter.line);
    waiter.settled();
    waiter.refuse(reason);
    if (this.#queue.size === 0) this.#setAlarm(this.#now());
  }

  #shortage(line: Line, roomAt: number, now: number): FailureError {
    const { limit, used, others, closedForMs } = this.view();
    const isUsed = used + others >= this.#shareOf(line);
    const because = closedForMs > 0 ? 'closed' : isUsed ? 'used' : 'unseen';
    return new FailureError(noRoom({ limit, used, others, because, waitMs: roomAt - now }));
  }

  /** Looks again when the next place is free, or when it is time to ask the venue; only while somebody waits. */
  #setAlarm(now: number): void {
    const at = this.#queue.size === 0 ? null : this.#nextChange(now);
    if (at === (this.#alarm?.at ?? null)) return;
    if (this.#alarm !== null) this.#clock.clearTimeout(this.#alarm.handle);
    this.#alarm = at === null ? null : { at, handle: this.#clock.setTimeout(() => this.#wake(), Math.ceil(at - now)) };
  }

  #wake(): void {
    this.#alarm = null;
    this.#serve(this.#now());
  }

  /** When there may be more room although nothing is answered; null where only an answer can bring it. */
  #nextChange(now: number): number | null {
    const { closedUntil, freshUntil, othersUntil } = this.#count;
    if (now < closedUntil) return closedUntil;
    const { nextFreeAt } = this.#places;
    const askingAt = now < freshUntil ? freshUntil : othersUntil;
    const next = this.#count.othersAt(now, this.#limit) > 0 ? Math.min(nextFreeAt, askingAt) : nextFreeAt;
    return Number.isFinite(next) ? next : null;
  }
}
