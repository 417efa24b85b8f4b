import type { VenueSession } from '../adapters/venue-session.ts';
import type { EventLog } from '../log/event-log.ts';
import { Overlap } from '../log/overlap.ts';
import type { Clock } from '../protocol/clock.ts';
import type { EventFrame } from '../protocol/venue-frame.ts';
import { setNewest } from './newest.ts';

/** How long a session that has taken over may lag behind the one before it, in milliseconds. */
const lagMs = 2_000;
/**
 * Two connections have no order between them. What was sent on the first one before the second was subscribed comes
 * before this has passed since the first frame of the second, or the network is such that delay matters more than order.
 */
const holdMs = 500;
/** A session and the one it took over from, and a few that were not let in. */
const endedRemembered = 8;

type Heard = Pick<VenueSession, 'lastFrameAt'>;

/** What a second session has brought while the first one is still bringing what was sent before. */
interface Held {
  readonly session: number;
  readonly frames: { readonly event: EventFrame; readonly receivedAt: number }[];
  /** Counts from the first of them. */
  deadline: unknown;
}

/** Where the frames of all sessions come together on their way into the log. */
export class Intake {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #sessions = new Map<number, Heard>();
  #overlap: Overlap | null = null;
  #forgetting: unknown;
  #held: Held | null = null;
  #suppressed = 0;
  #lastHeardAt: number | null = null;
  readonly #ended = new Map<number, number | null>();

  constructor(log: EventLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** When the venue was last heard (monotonic milliseconds), or null before the first frame. */
  get lastHeardAt(): number | null {
    const moments = [...this.#sessions.values()].map(({ lastFrameAt }) => lastFrameAt ?? Number.NEGATIVE_INFINITY);
    const latest = Math.max(this.#lastHeardAt ?? Number.NEGATIVE_INFINITY, ...moments);
    return Number.isFinite(latest) ? latest : null;
  }

  /** When a session was last heard (monotonic milliseconds), also one that is just over; null where it never was. */
  heardOn(id: number): number | null {
    return this.#sessions.get(id)?.lastFrameAt ?? this.#ended.get(id) ?? null;
  }

  /** Frames that both of two overlapping sessions brought, and that were therefore published once. */
  get suppressed(): number {
    return this.#suppressed + (this.#overlap?.suppressed ?? 0);
  }

  /** A session is dialled. */
  begin(id: number, session: Heard): void {
    this.#sessions.set(id, session);
  }

  /**
   * A session is about to subscribe. While there is another one, what both bring is published once. Whatever the other
   * has brought until now was sent by the venue before it can have known this one.
   */
  join(id: number): void {
    if (this.#sessions.size < 2 || !this.#sessions.has(id)) return;
    this.#clock.clearTimeout(this.#forgetting);
    this.#overlap ??= new Overlap();
    this.#release();
    this.#held = { session: id, frames: [], deadline: undefined };
  }

  take(id: number, event: EventFrame, receivedAt: number): void {
    if (this.#held?.session === id) this.#hold(this.#held, event, receivedAt);
    else this.#publish(id, event, receivedAt);
  }

  #hold(held: Held, event: EventFrame, receivedAt: number): void {
    if (held.frames.length === 0) held.deadline = this.#clock.setTimeout(() => this.#release(), holdMs);
    held.frames.push({ event, receivedAt });
  }

  /** Publishes what was held back, behind all that the first session has brought until now. */
  #release(): void {
    if (this.#held === null) return;
    const { session, frames, deadline } = this.#held;
    this.#held = null;
    this.#clock.clearTimeout(deadline);
    for (const { event, receivedAt } of frames) this.#publish(session, event, receivedAt);
  }

  #publish(id: number, { channel, message, encoding }: EventFrame, receivedAt: number): void {
    if (this.#overlap !== null && !this.#overlap.isNew(id, channel, message)) return;
    this.#log.append({ channel, message, receivedAt, session: id, encoding });
  }

  /** A session is gone. What it brought may still come on the other one for a while. */
  end(id: number): void {
    this.#release();
    this.#lastHeardAt = this.lastHeardAt;
    const session = this.#sessions.get(id);
    // Not by their numbers: a session may outlive any number of those that were to take over from it.
    if (session !== undefined) setNewest(this.#ended, id, session.lastFrameAt, endedRemembered);
    this.#sessions.delete(id);
    if (this.#overlap === null || this.#sessions.size > 1) return;
    this.#clock.clearTimeout(this.#forgetting);
    // The next one overlaps with none of these: what it brings was sent anew.
    if (this.#sessions.size === 0) this.#forget();
    else this.#forgetting = this.#clock.setTimeout(() => this.#forget(), lagMs);
  }

  /** Leaves no timer behind. */
  stop(): void {
    this.#release();
    this.#clock.clearTimeout(this.#forgetting);
  }

  #forget(): void {
    this.#suppressed = this.suppressed;
    this.#overlap = null;
  }
}
