import type { EventLog } from '../log/event-log.ts';
import type { JournalFeed } from '../log/journal-feed.ts';
import { emptyBook } from '../machines/policies/channel-book.ts';
import type { Clock } from '../protocol/clock.ts';
import type { Failure } from '../protocol/failure.ts';
import type { ChannelState, StatusDocument } from '../protocol/status.ts';
import type { UnknownCodes } from '../protocol/unknown-codes.ts';
import { consumerState, type Subscriber } from './consumers.ts';
import type { Ledger } from './ledger.ts';
import type { MachineView } from './snapshot.ts';
import type { StateWatch } from './state-watch.ts';
import type { Storage } from './storage.ts';

/** One that is on its way is not missed. */
const usualAnswerMs = 1_000;

export interface StatusSources {
  readonly version: string;
  readonly startedAt: number;
  readonly socketUrl: string;
  /** The channels that are wanted. */
  readonly channels: readonly string[];
  readonly clock: Clock;
  readonly log: EventLog;
  /** Brings the log to the disk; null where there is no journal. */
  readonly feed: JournalFeed | null;
  readonly storage: Storage;
  readonly ledger: Ledger;
  readonly unknownCodes: UnknownCodes;
  readonly watch: StateWatch;
  readonly view: () => MachineView;
  readonly subscribers: () => readonly Subscriber[];
  readonly gateway: () => StatusDocument['gateway'];
  readonly counters: Readonly<Record<string, number>>;
}

/** The whole truth about the daemon at this moment, without a secret. */
export function statusDocument(sources: StatusSources): StatusDocument {
  const { clock, watch } = sources;
  const view = sources.view();
  const wall = clock.wall();
  const unixOf = unixFrom(clock, wall);
  const { state, since, reason, next, layers } = watch.current();
  return {
    version: sources.version,
    pid: process.pid,
    startedAt: sources.startedAt,
    state,
    since,
    reason,
    next,
    layers,
    token: tokenPart(view, unixOf),
    session: sessionPart(view, unixOf, sources.socketUrl, clock.monotonic()),
    channels: channelPart(sources, view),
    consumers: sources.subscribers().map(consumerState),
    journal: journalPart(sources),
    gateway: sources.gateway(),
    gaps: sources.ledger.summary(),
    unknownCodes: sources.unknownCodes.list(),
    counters: { ...sources.counters },
  };
}

/** Turns moments of the monotonic clock into unix milliseconds. */
function unixFrom(clock: Clock, wall: number): (moment: number | null) => number | null {
  const shift = wall - clock.monotonic();
  return (moment) => (moment === null ? null : Math.round(moment + shift));
}

function tokenPart({ token }: MachineView, unixOf: (moment: number | null) => number | null): StatusDocument['token'] {
  const { expiresAt, refreshAt, refreshes, lastFailure } = token.context;
  return {
    state: token.state,
    expiresAt: unixOf(expiresAt),
    refreshAt: unixOf(token.state === 'valid' ? refreshAt : token.context.retryAt),
    refreshes,
    lastError: lastFailure,
  };
}

function sessionPart(
  { session, supervisor, isBackingOff }: MachineView,
  unixOf: (moment: number | null) => number | null,
  url: string,
  now: number,
): StatusDocument['session'] {
  const beat = session?.context.lastHeartbeat ?? null;
  const { lastClose, nextDialAt, failedInARow, settings } = supervisor;
  const liveAt = session?.context.liveAt ?? null;
  const stable = liveAt !== null && now - liveAt >= settings.backoff.resetAfter;
  const sentAt = session?.context.lastHeartbeatSentAt ?? Number.NEGATIVE_INFINITY;
  const isMissed = sentAt > (beat?.at ?? Number.NEGATIVE_INFINITY) && now - sentAt > usualAnswerMs;
  return {
    id: session?.context.id ?? null,
    state: session?.state ?? (isBackingOff ? waitingState(lastClose) : 'waiting for a token'),
    url,
    connectedAt: unixOf(session?.context.connectedAt ?? null),
    attempts: stable ? 0 : failedInARow,
    nextAttemptAt: unixOf(isBackingOff ? nextDialAt : null),
    heartbeat: {
      rttMs: beat?.rttMs ?? null,
      lastAckAt: unixOf(beat?.at ?? null),
      missed: isMissed && session?.state === 'live' ? 1 : 0,
    },
    clockOffsetMs: beat?.clockOffsetMs ?? null,
    lastClose: lastClose === null ? null : { ...lastClose, at: unixOf(lastClose.at) ?? 0 },
  };
}

function journalPart({ log, feed, storage }: StatusSources): StatusDocument['journal'] {
  return {
    enabled: feed !== null,
    epoch: log.epoch,
    oldest: log.oldest,
    head: log.head,
    written: feed?.written ?? null,
    bytes: storage.bytes(),
    ringBytes: log.heldBytes,
    trouble: storage.trouble(),
  };
}

function waitingState(lastClose: Failure | null): string {
  return lastClose?.code === 'contested' ? 'contested' : 'backoff';
}

function channelPart({ log, channels }: StatusSources, { session }: MachineView): StatusDocument['channels'] {
  const names = new Set([...channels, ...log.channels.all().map(({ name }) => name)]);
  return [...names]
    .filter((name) => !name.startsWith('figd.'))
    .map((name) => {
      const channel = log.channels.find(name);
      return {
        name,
        state: channelState(name, session, channels),
        events: channel?.events ?? 0,
        lastEventAt: channel?.lastEventAt ?? null,
      };
    })
    .filter(({ name, events }) => events > 0 || channels.includes(name));
}

function channelState(name: string, session: MachineView['session'], wanted: readonly string[]): ChannelState {
  const { confirmed, refused, held } = session?.state === 'live' ? session.context : emptyBook;
  if (confirmed.includes(name)) return 'confirmed';
  if (refused.includes(name)) return 'refused';
  return wanted.includes(name) || held.includes(name) ? 'pending' : 'unsubscribed';
}
