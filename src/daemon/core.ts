import { createActor, type InspectionEvent } from 'xstate';
import type { Vault } from '../adapters/vault.ts';
import type { VenueSessionPorts } from '../adapters/venue-session.ts';
import type { Settings } from '../config/settings.ts';
import { EventLog } from '../log/event-log.ts';
import { RfqIndex } from '../log/rfq-index.ts';
import { blindSince } from '../machines/policies/blindness.ts';
import { deriveHealth } from '../machines/policies/health.ts';
import type { SupervisorFact } from '../machines/supervisor.events.ts';
import type { Clock } from '../protocol/clock.ts';
import type { Failure } from '../protocol/failure.ts';
import type { GapRecord, LedgerStore, Reconciled } from '../protocol/ledger.ts';
import {
  type GapMessage,
  gapChannel,
  type ReconcileMessage,
  reconcileChannel,
  type StateMessage,
  stateChannel,
} from '../protocol/local.ts';
import { UnknownCodes } from '../protocol/unknown-codes.ts';
import { type ActorPorts, wireSupervisor } from './actors.ts';
import { ClockWatch, type TimeJump } from './clock-watch.ts';
import { emptyCounters } from './counters.ts';
import { Intake } from './intake.ts';
import { Ledger } from './ledger.ts';
import { quietMoment } from './quiet-moment.ts';
import { Reconciliation } from './reconciliation.ts';
import { healthFacts, type MachineView, type Supervisor, viewOf } from './snapshot.ts';
import { StateWatch } from './state-watch.ts';
import type { Venue } from './venue.ts';

export interface CoreOptions {
  readonly settings: Settings;
  readonly venue: Venue;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: LedgerStore;
  readonly epoch: string;
  /** Runs a function once this turn of the event loop is over. */
  readonly schedule: (run: () => void) => void;
  /** How often {@link Core.lookAtClock} is going to be called, in milliseconds. */
  readonly lookInterval: number;
  readonly onFact: (fact: SupervisorFact) => void;
  readonly onState: (message: StateMessage) => void;
  readonly onJump: (jump: TimeJump) => void;
  readonly onGapSettled: (gap: GapRecord) => void;
  /** A machine died or the impossible happened. */
  readonly onFatal: (error: unknown) => void;
}

const stopDeadlineMs = 3_500;
const minuteMs = 60_000;

/**
 * The daemon without its doors to this host: session, log and ledger, over whatever venue and clock it is given. In life
 * it runs in `Daemon`, in a simulation over a venue in memory and a clock of its own.
 */
export class Core {
  readonly log: EventLog;
  readonly intake: Intake;
  readonly ledger: Ledger;
  readonly watch: StateWatch;
  readonly counters = emptyCounters();
  /** What the venue said in codes that figd does not know. */
  readonly unknownCodes = new UnknownCodes();
  readonly #options: CoreOptions;
  readonly #supervisor: Supervisor;
  readonly #clockWatch: ClockWatch;
  readonly #index: RfqIndex | null;
  #lastView: MachineView;
  /** Venue clock minus ours in milliseconds, as the latest heartbeat told; null before one has. */
  #venueOffset: number | null = null;
  /** What became of the latest comparison, until the gaps it was made for are settled. */
  #verdict: Exclude<Reconciled, null> | null = null;
  #refreshScheduled = false;

  constructor(options: CoreOptions) {
    const { settings, clock, epoch, schedule, store, onGapSettled } = options;
    this.#options = options;
    this.log = new EventLog({ epoch, ringBytes: settings.journal.ring, schedule });
    this.intake = new Intake(this.log, clock);
    this.#index = settings.reconcile.enabled ? new RfqIndex(this.log) : null;
    this.ledger = new Ledger({
      store,
      clock,
      clockOffset: () => this.#venueOffset,
      publish: (message) => this.#publishOwn(gapChannel, message satisfies GapMessage),
      onSettled: onGapSettled,
    });
    this.#clockWatch = new ClockWatch(clock, options.lookInterval, (jump) => this.#jumped(jump));
    this.#supervisor = this.#createSupervisor();
    this.#lastView = viewOf(this.#supervisor);
    const socketHost = new URL(settings.venue.socketUrl).host;
    this.watch = new StateWatch({
      derive: () =>
        deriveHealth(
          healthFacts(this.view(), { now: clock.monotonic(), socketHost, lastHeardAt: this.intake.lastHeardAt }),
        ),
      wall: () => Math.round(clock.wall()),
      onChange: (message) => {
        this.#publishOwn(stateChannel, message);
        options.onState(message);
      },
    });
  }

  /** Sets off for the venue. */
  start(): void {
    const { settings, onFatal } = this.#options;
    this.ledger.adopt(settings.session.channels);
    this.#supervisor.on('*', (fact) => this.#learn(fact));
    this.#supervisor.subscribe({ error: onFatal });
    this.#supervisor.start();
  }

  /** Ends the session in good order; what is missed from now on is a gap. */
  async stop(): Promise<void> {
    const { session } = this.view();
    const { clock, settings } = this.#options;
    await this.#endSupervisor();
    if (session?.state === 'live') {
      // The answer to the close frame was on its way for a round trip at most; nothing was sent after it.
      const rttMs = session.context.lastHeartbeat?.rttMs ?? 0;
      const since = (this.intake.lastHeardAt ?? clock.monotonic()) - rttMs;
      this.ledger.open('daemon-stopped', since, settings.session.channels);
    }
    this.intake.stop();
  }

  /** Notices what timers cannot. To be called every `lookInterval`. */
  lookAtClock(): void {
    this.#clockWatch.look();
  }

  /** What only the passing of time changes. To be called every second or so. */
  lookAround(): void {
    const { store, clock } = this.#options;
    this.watch.refresh();
    this.#index?.readOn();
    if (this.view().session?.state === 'live')
      store.markHeard(this.#toWall(this.intake.lastHeardAt ?? clock.monotonic()), this.#venueOffset);
  }

  /** The machines as they are, or, once they have ended, as they were last. */
  view(): MachineView {
    if (this.#supervisor.getSnapshot().status === 'active') this.#lastView = viewOf(this.#supervisor);
    return this.#lastView;
  }

  /** The machines that run beside the supervisor, by name. */
  actors(): readonly string[] {
    return Object.keys(this.#supervisor.getSnapshot().children);
  }

  /** Asks for a new token now. */
  refresh(): void {
    this.#supervisor.send({ type: 'refresh' });
  }

  /** Drops the session and dials again. */
  reconnect(): void {
    this.#supervisor.send({ type: 'reconnect' });
  }

  /** Has a second session take over. */
  rotate(): void {
    this.#supervisor.send({ type: 'rotate' });
  }

  #createSupervisor(): Supervisor {
    const { settings, clock, random, venue } = this.#options;
    const { session, token, reconcile } = settings;
    const { paces } = this.ledger.memory;
    return createActor(wireSupervisor(this.#ports(venue)), {
      clock,
      inspect: (event) => this.#inspect(event),
      input: {
        settings: {
          authenticateWith: session.authenticateWith,
          session,
          backoff: session.backoff,
          token,
          reconcileInterval: reconcile.enabled ? reconcile.interval : null,
        },
        earlier: { dials: this.#recent(paces.dial), tokenRequests: this.#recent(paces.token) },
        now: () => clock.monotonic(),
        random,
      },
    });
  }

  #ports(venue: Venue): ActorPorts {
    const { clock, settings } = this.#options;
    const index = this.#index;
    const venueNow = () => clock.wall() + (this.#venueOffset ?? 0);
    const reconciliation =
      index === null
        ? null
        : new Reconciliation({
            clock,
            log: this.log,
            index,
            listing: venue.rfqs,
            outstanding: () => this.ledger.oldestUnsettled,
            clockOffset: () => this.#clockOffset(),
            channels: settings.session.channels,
            lookback: settings.reconcile.lookback,
            publish: (gap, channel, data) => this.#publishMissed(gap, channel, data),
          });
    const dial: ActorPorts['dial'] = (id, handlers) => {
      const publish: VenueSessionPorts['publish'] = (event, receivedAt) => this.intake.take(id, event, receivedAt);
      const onStrayReply = () => {
        this.counters.strayReplies += 1;
      };
      const onUnknown = (found: Failure) => this.unknownCodes.note(found, clock.wall());
      const onSubscribing = () => this.intake.join(id);
      const dialled = venue.dial(handlers, { publish, onStrayReply, onSubscribing, onUnknown });
      this.intake.begin(id, dialled);
      return dialled;
    };
    return {
      endpoint: venue.tokens,
      dial,
      ended: (id) => this.intake.end(id),
      compare: (signal) => reconciliation?.compare(signal) ?? Promise.resolve({ missed: 0 }),
      quietMoment: (time, signal) => quietMoment(clock, () => this.#openRfqs(venueNow()), time, signal),
    };
  }

  #openRfqs(venueNow: number): number | null {
    if (this.#index === null) return null;
    while (!this.#index.readOn());
    return this.#index.open(venueNow);
  }

  /** Turns what the machines make known into entries of the ledger, before anybody else hears of it. */
  #learn(fact: SupervisorFact): void {
    const { store, clock, settings, vault } = this.#options;
    if ('failure' in fact && fact.failure !== null) this.unknownCodes.note(fact.failure, clock.wall());
    if ('refusal' in fact && fact.refusal !== undefined) this.unknownCodes.note(fact.refusal, clock.wall());
    switch (fact.type) {
      case 'session.heartbeat':
        this.#venueOffset = fact.clockOffsetMs ?? this.#venueOffset;
        this.#settleGaps();
        break;
      case 'token.requested':
        store.pace('token', clock.wall());
        break;
      case 'token.lost':
        vault.forget(fact.generation);
        break;
      case 'session.dialled':
        store.pace('dial', clock.wall());
        break;
      case 'gap.opened': {
        this.#verdict = null;
        // The timers that would notice an absence may all be late themselves.
        this.#clockWatch.look();
        const since = blindSince({
          now: clock.monotonic(),
          cause: fact.cause,
          heardAt: this.intake.heardOn(fact.session),
          awaySince: this.#clockWatch.awaySince(fact.proof.provenAt),
          proof: fact.proof,
        });
        this.ledger.open(fact.cause, since, settings.session.channels);
        break;
      }
      case 'gap.ended':
        // Time in suspend that nobody has noticed yet was blind too.
        this.#clockWatch.look();
        this.ledger.end(fact.at ?? clock.monotonic());
        store.markHeard(clock.wall(), this.#venueOffset);
        break;
      case 'reconcile.finished':
        this.#verdict = fact.outcome === 'not-attempted' ? fact.outcome : fact.outcome === 'complete';
        this.#settleGaps();
        break;
      default:
        break;
    }
    this.#options.onFact(fact);
  }

  /** Gaps of an earlier run are measured by the venue's clock, which the first heartbeat tells. */
  #settleGaps(): void {
    if (this.#verdict === null || this.#clockOffset() === null) return;
    this.ledger.settle(this.#verdict);
    this.#verdict = null;
  }

  #jumped(jump: TimeJump): void {
    this.counters[({ suspend: 'suspends', stall: 'stalls', step: 'clockSteps' } as const)[jump.kind]] += 1;
    // Our clock went forward: by as much the venue's is further behind.
    if (jump.kind === 'step' && this.#venueOffset !== null) this.#venueOffset -= jump.ms;
    this.#options.onJump(jump);
    if (this.#supervisor.getSnapshot().status === 'active') this.#supervisor.send({ type: 'clock.jumped' });
  }

  /** Venue clock minus ours; 0 where the venue tells no time, null before the first heartbeat of the session. */
  #clockOffset(): number | null {
    const isKnown = (this.view().session?.context.lastHeartbeat ?? null) !== null;
    return isKnown ? (this.#venueOffset ?? 0) : null;
  }

  /** Moments of the last minute, in unix milliseconds, on the monotonic clock of this run. */
  #recent(moments: readonly number[]): readonly number[] {
    const { clock } = this.#options;
    const now = clock.wall();
    return moments.filter((at) => at <= now && at > now - minuteMs).map((at) => clock.monotonic() - (now - at));
  }

  #toWall(monotonic: number): number {
    const { clock } = this.#options;
    return clock.wall() - (clock.monotonic() - monotonic);
  }

  /** The state is derived anew after each transition of any machine, once a turn. */
  #inspect(event: InspectionEvent): void {
    if (event.type !== '@xstate.snapshot' || this.#refreshScheduled) return;
    this.#refreshScheduled = true;
    queueMicrotask(() => {
      this.#refreshScheduled = false;
      this.watch.refresh();
    });
  }

  #publishMissed(gap: number | null, channel: string, data: Buffer): void {
    const head = { gap, channel } satisfies Omit<ReconcileMessage, 'data'>;
    const prefix = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"data":`);
    const oneLine = data.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte));
    this.#append(reconcileChannel, Buffer.concat([prefix, oneLine, Buffer.from('}')]));
  }

  #publishOwn(channel: string, message: object): void {
    this.#append(channel, Buffer.from(JSON.stringify(message)));
  }

  #append(channel: string, message: Buffer): void {
    this.log.append({ channel, message, receivedAt: this.#options.clock.wall(), session: 0 });
  }

  #endSupervisor(): Promise<void> {
    if (this.#supervisor.getSnapshot().status !== 'active') return Promise.resolve();
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const deadline = clock.setTimeout(resolve, stopDeadlineMs);
      this.#supervisor.subscribe({
        complete: () => {
          clock.clearTimeout(deadline);
          resolve();
        },
      });
      this.#supervisor.send({ type: 'stop' });
    });
  }
}
