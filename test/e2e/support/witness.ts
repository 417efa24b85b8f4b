import { channels } from '../../../src/simulator/frames.ts';
import type { Activity, EventRecord, SentRecord } from '../../../src/simulator/ports.ts';
import { frameOf, type Line } from '../daemon.ts';

/** A subscription of a session, as the venue saw it. */
interface Subscription {
  readonly connection: number;
  readonly at: number;
  /** How many events had been published by then. */
  readonly published: number;
}

/** Sees what a venue does, event by event. All moments are unix milliseconds of the test's own clock. */
export class Witness {
  readonly published: EventRecord[] = [];
  readonly subscriptions: Subscription[] = [];
  readonly #lastSentAt = new Map<number, number>();

  /** For `startSimulator`. */
  readonly options = {
    onEvent: (event: EventRecord) => this.published.push(event),
    onSent: ({ connection, sentAt }: SentRecord) => this.#lastSentAt.set(connection, sentAt),
    onActivity: (activity: Activity) => {
      if (activity.event !== 'subscribed') return;
      this.subscriptions.push({
        connection: activity.connection,
        at: Date.now(),
        published: this.published.length,
      });
    },
  };

  /** When the venue handed the last event to a connection. */
  lastSentAt(connection: number): number {
    const at = this.#lastSentAt.get(connection);
    if (at === undefined) throw new Error(`no event was sent on connection ${connection}`);
    return at;
  }

  /** What was published since the first session was subscribed. */
  sinceSubscribed(): readonly EventRecord[] {
    return this.published.slice(this.subscriptions[0]?.published);
  }
}

export interface Account {
  /** What was published and did not come. */
  readonly missing: readonly EventRecord[];
  /** What came and was not published, or not so often. */
  readonly surplus: readonly Line[];
}

/**
 * Tells what of all that was published came. Frames have no numbers and two events may be the same to the byte, so they
 * are paired in order, channel by channel, and an event only with a line that was read within `lateMs` after it.
 */
export function accountFor(published: readonly EventRecord[], lines: readonly Line[], lateMs = 2_000): Account {
  const missing: EventRecord[] = [];
  const surplus: Line[] = [];
  for (const channel of channels) {
    const events = published.filter((event) => event.channel === channel);
    let next = 0;
    for (const line of lines.filter(({ params }) => params.channel === channel)) {
      const frame = frameOf(line);
      let index = next;
      while (index < events.length && !isIt(events[index], frame, line, lateMs)) index += 1;
      if (index === events.length) surplus.push(line);
      else {
        missing.push(...events.slice(next, index));
        next = index + 1;
      }
    }
    missing.push(...events.slice(next));
  }
  return { missing, surplus };
}

/** A venue notes an event when it has sent it: in a process of its own, perhaps after it was read. */
const notedWithinMs = 50;

function isIt(event: EventRecord | undefined, frame: string, { arrivedAt }: Line, lateMs: number): boolean {
  return event?.frame === frame && event.at <= arrivedAt + notedWithinMs && event.at >= arrivedAt - lateMs;
}

const rfqOf = (frame: string): readonly [id: number, status: string] | null => {
  const id = /"rfqId":(\d+),"productId"/.exec(frame)?.[1];
  const status = /"status":"(\w+)"/.exec(frame)?.[1];
  return id === undefined || status === undefined ? null : [Number(id), status];
};

/** The last status of each RFQ in a series of frames. */
export function statuses(frames: Iterable<string>): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const frame of frames) {
    const rfq = rfqOf(frame);
    if (rfq !== null) found.set(...rfq);
  }
  return found;
}
