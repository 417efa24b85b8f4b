import { blindSince } from '../machines/policies/blindness.ts';
import type { HeartbeatAck } from '../machines/session.events.ts';
import type { SupervisorFact } from '../machines/supervisor.events.ts';
import { type Clock, wallAt } from '../protocol/clock.ts';
import type { GapRecord, LedgerStore, Reconciled } from '../protocol/ledger.ts';
import type { GapMessage } from '../protocol/local.ts';
import { ClockWatch, type TimeJump } from './clock-watch.ts';
import type { Intake } from './intake.ts';
import { Ledger } from './ledger.ts';
import { type LiveChannels, missingChannels } from './missing-channels.ts';
import { setNewest } from './newest.ts';
import type { WantedChannels } from './wanted-channels.ts';

export interface GapKeeperPorts {
  readonly store: LedgerStore;
  readonly clock: Clock;
  readonly intake: Pick<Intake, 'lastHeardAt' | 'heardOn'>;
  /** The channels that are wanted, and so missed in a gap. */
  readonly wanted: WantedChannels;
  /** The channels of the live session as it knows them; null while there is none. */
  readonly live: () => LiveChannels | null;
  /** How often {@link GapKeeper.lookAtClock} is going to be called, in milliseconds. */
  readonly lookInterval: number;
  readonly publish: (message: GapMessage) => void;
  readonly onOpened: (gap: GapRecord) => void;
  readonly onSettled: (gap: GapRecord) => void;
  readonly onJump: (jump: TimeJump) => void;
}

/** A heartbeat that was slept through tells no time; two in a row that tell none are taken for good. */
const heartbeatsAwaited = 2;
/** One that was refused says nothing of the clock. At one every 2 s, a venue that minds has closed the session by then. */
const refusalsAwaited = 15;

/** A session and the one it took over from, and a few that were not let in. */
const dialsRemembered = 8;

/** Turns what the machines make known into entries of the ledger, by what the clocks say of it. */
export class GapKeeper {
  readonly ledger: Ledger;
  readonly #ports: GapKeeperPorts;
  readonly #clockWatch: ClockWatch;
  /** Venue clock minus ours in milliseconds, as the latest heartbeat told; null before one has. */
  #venueOffset: number | null = null;
  /** Whether that is known since the venue is heard, and how many heartbeats were taken and refused since then. */
  #isDated = false;
  #heartbeats = 0;
  #refusals = 0;
  /** When each of the latest sessions was dialled (monotonic). */
  readonly #dialledAt = new Map<number, number>();
  /** What became of the latest comparison, until the gaps it was made for are settled. */
  #verdict: Exclude<Reconciled, null> | null = null;

  constructor(ports: GapKeeperPorts) {
    const { store, clock, lookInterval, publish, onOpened, onSettled } = ports;
    this.#ports = ports;
    this.ledger = new Ledger({ store, clock, clockOffset: () => this.#venueOffset, publish, onOpened, onSettled });
    this.#clockWatch = new ClockWatch(clock, lookInterval, (jump) => this.#jumped(jump));
  }

  /** Notices what timers cannot. To be called every `lookInterval`. */
  lookAtClock(): void {
    this.#clockWatch.tick();
  }

  /** The same in between: something has come that may have waited for this process to go on. */
  noticeTime(): void {
    this.#clockWatch.look();
  }

  /** Remembers until when the venue is heard, and notices what is not. To be called every second or so. */
  look(): void {
    this.#markHeard();
    this.#miss();
  }

  #markHeard(): void {
    const { store, clock, intake, wanted, live } = this.#ports;
    if (live() === null) return;
    const heardAt = intake.lastHeardAt ?? clock.monotonic();
    const at = wallAt(clock, heardAt);
    store.markHeard({ at, clockOffsetMs: this.#venueOffset, channels: wanted.namesSince(heardAt) });
  }

  /** Venue clock minus ours; 0 where the venue tells no time, null while heartbeats have yet to tell since it is heard. */
  clockOffset(): number | null {
    // Whoever asks is about to read our clock, which may have been set since it was last looked at.
    this.#clockWatch.look();
    return this.#isDated ? (this.#venueOffset ?? 0) : null;
  }

  /** The venue's time (unix milliseconds), as far as it is known. */
  venueNow(): number {
    return this.#ports.clock.wall() + (this.#venueOffset ?? 0);
  }

  /** A live session was ended by a stop of figd: what is missed from now on is a gap. */
  stop(rttMs: number): void {
    const { clock, intake, wanted } = this.#ports;
    // A step of the clock that nobody has noticed yet would bend how far it is from the venue's.
    this.#clockWatch.look();
    // The answer to the close frame was on its way for a round trip at most; nothing was sent after it.
    const since = (intake.lastHeardAt ?? clock.monotonic()) - rttMs;
    this.ledger.open('daemon-stopped', since, wanted.namesSince(since));
  }

  /** Other channels are about to be wanted: what was missed until now is still known. */
  wishChanging(): void {
    this.#clockWatch.look();
    this.#miss();
  }

  /** Other channels are wanted. @returns whether one that was missed is not wanted any more, and its gap over */
  wishChanged(): boolean {
    // What is confirmed in the next moment is missed as well, should figd die in it.
    this.look();
    return this.ledger.forgetUnwanted(this.#ports.wanted.names);
  }

  learn(fact: SupervisorFact): void {
    switch (fact.type) {
      case 'session.heartbeat':
        // Measured by the clock as it is now: a step that nobody has noticed yet must not be taken off it again.
        this.#clockWatch.look();
        // Should figd die now, the next run can tell how long it heard nothing by the venue's clock alone.
        if (this.#date(fact)) this.#markHeard();
        this.ledger.date();
        this.#settleGaps();
        break;
      case 'session.dialled':
        setNewest(this.#dialledAt, fact.id, this.#ports.clock.monotonic(), dialsRemembered);
        break;
      case 'gap.opened':
        this.#open(fact);
        break;
      case 'gap.ended':
        // Time in suspend that nobody has noticed yet was blind too.
        this.#clockWatch.look();
        // Where a session lives on its heartbeats have told the time, and the next one is half a minute away.
        if (fact.at === null) this.#forgetDates();
        // What was wanted too late for the gap, before the session has it.
        this.#miss(null);
        this.ledger.end(fact.at ?? this.#ports.clock.monotonic(), this.#ports.wanted.names);
        this.#hear();
        break;
      case 'session.resubscribed':
      case 'session.rotated':
        this.#hear(fact.added);
        break;
      case 'session.channels-failed':
        this.#miss();
        break;
      case 'reconcile.finished':
        this.#verdict = fact.outcome === 'not-attempted' ? fact.outcome : fact.outcome === 'complete';
        this.#settleGaps();
        break;
      default:
        break;
    }
  }

  /** Takes note of the channels of the live session. @param added those that are heard only now */
  #hear(added: readonly string[] = []): void {
    const live = this.#ports.live();
    if (live === null) return;
    this.#miss({ ...live, confirmed: live.confirmed.filter((channel) => !added.includes(channel)) });
    // A comparison that was made before a channel was heard says nothing of it.
    if (this.ledger.hear(live.confirmed)) this.#verdict = null;
  }

  /** Opens gaps for channels that are not heard. Before figd has been live there is nothing to be missed. */
  #miss(live = this.#ports.live()): void {
    if (live === null && !this.ledger.isBlind) return;
    this.ledger.miss(missingChannels(this.#ports.wanted.since, live, this.#ports.clock.monotonic()));
  }

  /** What an answered heartbeat says of the venue's clock. @returns whether that is known from now on */
  #date({ clockOffsetMs, refusal }: HeartbeatAck): boolean {
    const wasDated = this.#isDated;
    if (refusal === undefined) this.#heartbeats += 1;
    else this.#refusals += 1;
    this.#venueOffset = clockOffsetMs ?? this.#venueOffset;
    this.#isDated ||=
      clockOffsetMs !== null || this.#heartbeats >= heartbeatsAwaited || this.#refusals >= refusalsAwaited;
    return this.#isDated && !wasDated;
  }

  #forgetDates(): void {
    this.#isDated = false;
    this.#heartbeats = 0;
    this.#refusals = 0;
  }

  #open({ cause, session, proof }: Extract<SupervisorFact, { type: 'gap.opened' }>): void {
    const { clock, intake, wanted } = this.#ports;
    this.#verdict = null;
    // The timers that would notice an absence may all be late themselves.
    this.#clockWatch.look();
    const since = blindSince({
      now: clock.monotonic(),
      cause,
      heardAt: intake.heardOn(session),
      // Nothing that came on a session can have been sent before it was dialled.
      awaySince: this.#clockWatch.awaySince(latest(proof.provenAt, this.#dialledAt.get(session))),
      proof,
    });
    this.ledger.open(cause, since, wanted.namesSince(since));
  }

  /** Gaps of an earlier run are measured by the venue's clock, which the first heartbeat tells. */
  #settleGaps(): void {
    if (this.#verdict === null || this.clockOffset() === null) return;
    this.ledger.settle(this.#verdict);
    this.#verdict = null;
  }

  #jumped(jump: TimeJump): void {
    // Our clock went forward: by as much the venue's is further behind.
    if (jump.kind === 'step' && this.#venueOffset !== null) this.#venueOffset -= jump.ms;
    this.#ports.onJump(jump);
  }
}

function latest(...moments: readonly (number | null | undefined)[]): number | null {
  const known = moments.filter((moment) => typeof moment === 'number');
  return known.length === 0 ? null : Math.max(...known);
}
