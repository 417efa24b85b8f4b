import { createActor, type InspectionEvent } from 'xstate';
import type { Vault } from '../adapters/vault.ts';
import type { Settings } from '../config/settings.ts';
import type { AccessRecord } from '../gateway/access-record.ts';
import type { Permissions } from '../gateway/permissions.ts';
import { EventLog } from '../log/event-log.ts';
import type { Journal } from '../log/journal.ts';
import { JournalFeed } from '../log/journal-feed.ts';
import type { Numbers } from '../log/numbers.ts';
import { deriveHealth } from '../machines/policies/health.ts';
import type { SupervisorFact } from '../machines/supervisor.events.ts';
import type { Clock } from '../protocol/clock.ts';
import type { MachineState } from '../protocol/diagnosis.ts';
import type { GapRecord, LedgerStore } from '../protocol/ledger.ts';
import type { StateMessage } from '../protocol/local.ts';
import { UnknownCodes } from '../protocol/unknown-codes.ts';
import { actorPorts } from './actor-ports.ts';
import { wireSupervisor } from './actors.ts';
import { Calls } from './calls.ts';
import type { TimeJump } from './clock-watch.ts';
import { emptyCounters } from './counters.ts';
import { ended } from './ending.ts';
import { GapKeeper } from './gap-keeper.ts';
import { Intake } from './intake.ts';
import type { Ledger } from './ledger.ts';
import { machineStates } from './machine-states.ts';
import { OwnEvents } from './own-events.ts';
import { RfqLearning } from './rfq-learning.ts';
import { RollCall } from './roll-call.ts';
import { healthFacts, type MachineView, type Supervisor, viewOf } from './snapshot.ts';
import { StateWatch } from './state-watch.ts';
import { supervisorSettings } from './supervisor-settings.ts';
import type { Venue } from './venue.ts';
import { WantedChannels } from './wanted-channels.ts';

export interface CoreOptions {
  /** As they are whenever they are asked for; {@link Core.settingsChanged} tells of a change. */
  readonly settings: () => Settings;
  readonly venue: Venue;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: LedgerStore;
  readonly numbers: Numbers;
  /** Where events are kept on disk; null where they are not. */
  readonly journal: Journal | null;
  /** Why something cannot be kept on disk at present, or null. */
  readonly storageTrouble: () => string | null;
  /** Runs a function once this turn of the event loop is over. */
  readonly schedule: (run: () => void) => void;
  /** How often {@link Core.lookAtClock} is going to be called, in milliseconds. */
  readonly lookInterval: number;
  /** What local programs may have called. */
  readonly permissions: Permissions;
  readonly onCall: (record: AccessRecord) => void;
  readonly onFact: (fact: SupervisorFact) => void;
  readonly onState: (message: StateMessage) => void;
  readonly onJump: (jump: TimeJump) => void;
  readonly onGapOpened: (gap: GapRecord) => void;
  readonly onGapSettled: (gap: GapRecord) => void;
  /** A machine died or the impossible happened. */
  readonly onFatal: (error: unknown) => void;
}

const minuteMs = 60_000;

/**
 * The daemon without its doors to this host: session, log and ledger, over whatever venue and clock it is given. In life
 * it runs in `Daemon`, in a simulation over a venue in memory and a clock of its own.
 */
export class Core {
  readonly log: EventLog;
  /** Brings the log to the disk; null where there is no journal. */
  readonly feed: JournalFeed | null;
  readonly intake: Intake;
  readonly calls: Calls;
  readonly ledger: Ledger;
  readonly watch: StateWatch;
  readonly counters = emptyCounters();
  /** What the venue said in codes that figd does not know. */
  readonly unknownCodes = new UnknownCodes();
  readonly #options: CoreOptions;
  readonly #supervisor: Supervisor;
  readonly #gaps: GapKeeper;
  readonly #own: OwnEvents;
  /** Null where nothing is reconciled. */
  readonly #rfqs: RfqLearning | null;
  readonly #rollCall = new RollCall();
  readonly #wanted: WantedChannels;
  #lastView: MachineView;
  #refreshScheduled = false;

  constructor(options: CoreOptions) {
    const { clock, numbers, journal, schedule, store, onGapOpened, onGapSettled } = options;
    const settings = options.settings();
    this.#options = options;
    this.#wanted = new WantedChannels(settings.session.channels, () => clock.monotonic());
    this.log = new EventLog({ numbers, journal, ringBytes: settings.journal.ring, schedule });
    this.feed = journal === null ? null : new JournalFeed({ log: this.log, journal, clock });
    this.intake = new Intake(this.log, clock);
    this.calls = this.#createCalls();
    this.#rfqs = settings.reconcile.enabled ? new RfqLearning(this.log, clock) : null;
    this.#own = new OwnEvents(this.log, clock);
    this.#gaps = new GapKeeper({
      store,
      clock,
      intake: this.intake,
      wanted: this.#wanted,
      lookInterval: options.lookInterval,
      publish: (message) => this.#own.gap(message),
      onOpened: onGapOpened,
      onSettled: onGapSettled,
      onJump: (jump) => this.#jumped(jump),
    });
    this.ledger = this.#gaps.ledger;
    this.#supervisor = this.#createSupervisor();
    this.#lastView = viewOf(this.#supervisor);
    const socketHost = new URL(settings.venue.socketUrl).host;
    this.watch = new StateWatch({
      derive: () =>
        deriveHealth(
          healthFacts(this.view(), {
            now: clock.monotonic(),
            socketHost,
            lastHeardAt: this.intake.lastHeardAt,
            storageTrouble: options.storageTrouble(),
          }),
        ),
      wall: () => Math.round(clock.wall()),
      onChange: (message) => {
        this.#own.state(message);
        options.onState(message);
      },
    });
  }

  /** Sets off for the venue. */
  start(): void {
    const { settings, numbers, onFatal } = this.#options;
    this.ledger.adopt(this.channels, numbers.isContinuous);
    this.#rfqs?.start(settings().reconcile.lookback);
    this.#supervisor.on('*', (fact) => this.#learn(fact));
    this.#supervisor.subscribe({ error: onFatal });
    this.#supervisor.start();
  }

  /** Ends the session in good order; what is missed from now on is a gap. */
  async stop(): Promise<void> {
    const { session } = this.view();
    await ended(this.#supervisor, this.#options.clock);
    if (session?.state === 'live') this.#gaps.stop(session.context.lastHeartbeat?.rttMs ?? 0);
    this.intake.stop();
    this.#rfqs?.stop();
  }

  /** Drops the session at once, without a word to the venue; where a machine has died its session is left alone. */
  async abandon(): Promise<void> {
    this.#supervisor.stop();
  }

  /** Has written what the disk does not have yet. */
  async flush(): Promise<void> {
    await this.feed?.stop();
  }

  /** Notices what timers cannot. To be called every `lookInterval`. */
  lookAtClock(): void {
    this.#gaps.lookAtClock();
  }

  /** What only the passing of time changes. To be called every second or so. */
  lookAround(): void {
    this.watch.refresh();
    this.#rfqs?.readOn();
    if (this.view().session?.state === 'live') this.#gaps.markHeard();
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

  /** Every machine as it is. */
  machines(): readonly MachineState[] {
    return machineStates(this.#supervisor);
  }

  /** Whether every machine takes events. */
  answers(): boolean {
    return this.#rollCall.call(this.#supervisor);
  }

  /** Whether the venue refuses the credentials, so that only others, or somebody's word, can help soon. */
  get isRefused(): boolean {
    return this.watch.state === 'blocked' || this.view().token.context.lastFailure?.class === 'refused';
  }

  /** The channels that are wanted now. */
  get channels(): readonly string[] {
    return this.#wanted.names;
  }

  /** Turns to the settings as they are now, at any time: the machines do what follows from a change. */
  settingsChanged(): void {
    const settings = this.#options.settings();
    this.#wanted.change(settings.session.channels);
    const isMissedNoMore = this.#gaps.wishChanged();
    if (this.#supervisor.getSnapshot().status !== 'active') return;
    this.#supervisor.send({ type: 'settings.changed', settings: supervisorSettings(settings) });
    if (isMissedNoMore) this.#supervisor.send({ type: 'compare' });
  }

  /** Asks for a new token now. */
  refresh(): void {
    this.#supervisor.send({ type: 'refresh' });
  }

  /**
   * Has the token replaced, unless the venue has just said no to that: then it is asked at the pace that goes with it.
   * @returns whether a new one is on its way
   */
  renewToken(): boolean {
    const { state, context } = this.view().token;
    if (state === 'valid') this.#supervisor.send({ type: 'renew the token' });
    return state !== 'idle' && (context.lastFailure === null || state === 'refreshing' || state === 'authenticating');
  }

  /** Drops the session and dials again. */
  reconnect(): void {
    this.#supervisor.send({ type: 'reconnect' });
  }

  /** Has a second session take over. */
  rotate(): void {
    this.#supervisor.send({ type: 'rotate' });
  }

  #createCalls(): Calls {
    const { settings, clock, vault, permissions, onCall } = this.#options;
    return new Calls({
      clock,
      vault,
      permissions,
      methods: settings().venue.methods,
      timeout: () => settings().gateway.timeout,
      live: () => this.#liveSession(),
      whyNot: () => {
        const { reason, next } = this.watch.current();
        return `${reason}; ${next}`;
      },
      onCall,
    });
  }

  /** Number of the session that calls go out on; after a takeover it is the second one at once. */
  #liveSession(): number | null {
    const { session } = this.view();
    return session?.state === 'live' ? session.context.id : null;
  }

  #createSupervisor(): Supervisor {
    const { settings, clock, random, venue } = this.#options;
    const { log, intake, calls, ledger, counters, unknownCodes } = this;
    const { paces } = ledger.memory;
    const { lookback } = settings().reconcile;
    const world = { wanted: this.#wanted, lookback, clock, venue, log, intake, calls, ledger, counters, unknownCodes };
    const ports = actorPorts({ ...world, gaps: this.#gaps, own: this.#own, rfqs: this.#rfqs });
    return createActor(wireSupervisor(ports), {
      id: 'supervisor',
      clock,
      inspect: (event) => this.#inspect(event),
      input: {
        settings: supervisorSettings(settings()),
        earlier: { dials: this.#recent(paces.dial), tokenRequests: this.#recent(paces.token) },
        now: () => clock.monotonic(),
        random,
      },
    });
  }

  /** Turns what the machines make known into entries of the ledger, before anybody else hears of it. */
  #learn(fact: SupervisorFact): void {
    const { store, clock, vault } = this.#options;
    if ('failure' in fact && fact.failure !== null) this.unknownCodes.note(fact.failure, clock.wall());
    if ('refusal' in fact && fact.refusal !== undefined) this.unknownCodes.note(fact.refusal, clock.wall());
    this.#gaps.learn(fact);
    switch (fact.type) {
      case 'token.requested':
        store.pace('token', clock.wall());
        break;
      case 'token.lost':
        vault.forget(fact.generation);
        break;
      case 'session.dialled':
        store.pace('dial', clock.wall());
        break;
      default:
        break;
    }
    this.#options.onFact(fact);
  }

  #jumped(jump: TimeJump): void {
    this.counters[({ suspend: 'suspends', stall: 'stalls', step: 'clockSteps' } as const)[jump.kind]] += 1;
    this.#options.onJump(jump);
    if (this.#supervisor.getSnapshot().status === 'active') this.#supervisor.send({ type: 'clock.jumped' });
  }

  /** Moments of the last minute, in unix milliseconds, on the monotonic clock of this run. */
  #recent(moments: readonly number[]): readonly number[] {
    const { clock } = this.#options;
    const now = clock.wall();
    return moments.filter((at) => at <= now && at > now - minuteMs).map((at) => clock.monotonic() - (now - at));
  }

  /** The state is derived anew after each transition of any machine, once a turn. */
  #inspect(event: InspectionEvent): void {
    this.#rollCall.note(event);
    if (event.type !== '@xstate.snapshot' || this.#refreshScheduled) return;
    this.#refreshScheduled = true;
    queueMicrotask(() => {
      this.#refreshScheduled = false;
      this.watch.refresh();
    });
  }
}
