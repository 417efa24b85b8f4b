import type { EventLog } from '../log/event-log.ts';
import type { Clock } from '../protocol/clock.ts';
import {
  type GapMessage,
  gapChannel,
  type ReconcileMessage,
  reconcileChannel,
  type StateMessage,
  stateChannel,
} from '../protocol/local.ts';
import { onOneLine } from '../protocol/venue-frame.ts';

/** What figd itself has to tell the readers of the log, among the events of the venue. */
export class OwnEvents {
  readonly #log: EventLog;
  readonly #clock: Clock;

  constructor(log: EventLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  state(message: StateMessage): void {
    this.#append(stateChannel, Buffer.from(JSON.stringify(message)));
  }

  gap(message: GapMessage): void {
    this.#append(gapChannel, Buffer.from(JSON.stringify(message)));
  }

  /** What the events should have told and did not, in the venue's own bytes. */
  missed(gap: number | null, channel: string, data: Buffer): void {
    const head = { gap, channel } satisfies Omit<ReconcileMessage, 'data'>;
    const prefix = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"data":`);
    this.#append(reconcileChannel, Buffer.concat([prefix, onOneLine(data), Buffer.from('}')]));
  }

  #append(channel: string, message: Buffer): void {
    this.#log.append({ channel, message, receivedAt: this.#clock.wall(), session: 0 });
  }
}
