import { isChannel } from '../../../src/simulator/frames.ts';
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

/** A venue notes an event when it has sent it: in a process of its own, perhaps after it was read. */
const notedWithinMs = 50;

interface Accounting {
  /** Whether an event may be missing. */
  readonly isExcused: (event: EventRecord) => boolean;
  /** How long an event may be on its way, in milliseconds; two seconds unless given. */
  readonly lateMs?: number | undefined;
}

/**
 * Tells what of all that was published came. Frames have no numbers and one in a hundred is the same to the byte as
 * another, so a line stands for any event of its channel and bytes that was published within `lateMs` before it was
 * read: for one that must not be missing where there is one. Order is not looked at: where one session takes over from
 * another, the last events of the first may come behind the first ones of the second.
 */
export function accountFor(
  published: readonly EventRecord[],
  lines: readonly Line[],
  { isExcused, lateMs = 2_000 }: Accounting,
): Account {
  const left = Map.groupBy(published, ({ channel, frame }) => `${channel} ${frame}`);
  const surplus: Line[] = [];
  for (const line of lines) {
    const { channel } = line.params;
    if (!isChannel(channel)) continue;
    const events = left.get(`${channel} ${frameOf(line)}`) ?? [];
    const fits = ({ at }: EventRecord) => at <= line.arrivedAt + notedWithinMs && at >= line.arrivedAt - lateMs;
    const due = events.findIndex((event) => fits(event) && !isExcused(event));
    const index = due === -1 ? events.findIndex(fits) : due;
    if (index === -1) surplus.push(line);
    else events.splice(index, 1);
  }
  return { missing: [...left.values()].flat().sort((a, b) => a.at - b.at), surplus };
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
