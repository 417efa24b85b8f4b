import type { EventLog } from '../log/event-log.ts';
import type { Clock } from '../protocol/clock.ts';
import type { UnknownCodes } from '../protocol/unknown-codes.ts';
import type { ActorPorts } from './actors.ts';
import type { Calls } from './calls.ts';
import type { Counters } from './counters.ts';
import type { GapKeeper } from './gap-keeper.ts';
import type { Intake } from './intake.ts';
import type { Ledger } from './ledger.ts';
import type { OwnEvents } from './own-events.ts';
import { quietMoment } from './quiet-moment.ts';
import { Reconciliation } from './reconciliation.ts';
import type { RfqLearning } from './rfq-learning.ts';
import type { Venue } from './venue.ts';
import type { WantedChannels } from './wanted-channels.ts';

/** The parts of a core that the machines' doings come to. */
export interface CoreParts {
  readonly wanted: WantedChannels;
  /** How long before a gap RFQs may have been created that changed in it, in milliseconds. */
  readonly lookback: number;
  readonly clock: Clock;
  readonly venue: Venue;
  readonly log: EventLog;
  readonly intake: Intake;
  readonly calls: Calls;
  readonly ledger: Ledger;
  readonly gaps: GapKeeper;
  readonly own: OwnEvents;
  /** Null where nothing is reconciled. */
  readonly rfqs: RfqLearning | null;
  readonly counters: Counters;
  readonly unknownCodes: UnknownCodes;
}

/** What the actors of the machines do, over the parts of a core. */
export function actorPorts(parts: CoreParts): ActorPorts {
  const { clock, venue, gaps, rfqs, intake, calls } = parts;
  const reconciliation = reconciliationOf(parts);
  return {
    endpoint: venue.tokens,
    dial: dialling(parts),
    noticeTime: () => gaps.noticeTime(),
    ended: (id) => {
      intake.end(id);
      calls.end(id);
    },
    lastAnswers: (id) => calls.answered(id),
    compare: (signal) => reconciliation?.compare(signal) ?? Promise.resolve({ missed: 0 }),
    quietMoment: (time, signal) => quietMoment(clock, () => rfqs?.open(gaps.venueNow()) ?? null, time, signal),
  };
}

function dialling({ clock, venue, intake, calls, counters, unknownCodes }: CoreParts): ActorPorts['dial'] {
  return (id, handlers) => {
    const dialled = venue.dial(handlers, {
      publish: (event, receivedAt) => intake.take(id, event, receivedAt),
      onStrayReply: () => {
        counters.strayReplies += 1;
      },
      onSubscribing: () => intake.join(id),
      onUnknown: (found) => unknownCodes.note(found, clock.wall()),
    });
    intake.begin(id, dialled);
    calls.begin(id, dialled);
    return dialled;
  };
}

function reconciliationOf(parts: CoreParts): Reconciliation | null {
  const { wanted, lookback, clock, venue, log, ledger, gaps, own, rfqs } = parts;
  if (rfqs === null) return null;
  return new Reconciliation({
    clock,
    log,
    index: rfqs.index,
    listing: venue.rfqs,
    outstanding: () => ledger.outstanding,
    clockOffset: () => gaps.clockOffset(),
    wantedSince: () => wanted.since,
    lookback,
    publish: (gap, channel, data) => own.missed(gap, channel, data),
    onCompared: (gaps, until) => ledger.compared(gaps, until),
  });
}
