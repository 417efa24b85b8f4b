import type { Vault } from '../adapters/vault.ts';
import type { Settings } from '../config/settings.ts';
import type { AccessRecord } from '../gateway/access-record.ts';
import type { Permissions } from '../gateway/permissions.ts';
import { EventLog } from '../log/event-log.ts';
import type { Journal } from '../log/journal.ts';
import { JournalFeed } from '../log/journal-feed.ts';
import type { Numbers } from '../log/numbers.ts';
import { deriveHealth } from '../machines/policies/health.ts';
import type { SessionContext } from '../machines/session.events.ts';
import type { SupervisorFact } from '../machines/supervisor.events.ts';
import type { Clock } from '../protocol/clock.ts';
import type { GapRecord, LedgerStore } from '../protocol/ledger.ts';
import type { StateMessage } from '../protocol/local.ts';
import { UnknownCodes } from '../protocol/unknown-codes.ts';
import { actorPorts } from './actor-ports.ts';
import { Calls } from './calls.ts';
import type { TimeJump } from './clock-watch.ts';
import { emptyCounters } from './counters.ts';
import { GapKeeper } from './gap-keeper.ts';
import { Intake } from './intake.ts';
import type { Ledger } from './ledger.ts';
import { Machines } from './machines.ts';
import { OwnEvents } from './own-events.ts';
import { RfqLearning } from './rfq-learning.ts';
import { healthFacts } from './snapshot.ts';
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
  readonly machines: Machines;
  readonly watch: StateWatch;
  readonly counters = emptyCounters();
  /** What the venue said in codes that figd does not know. */
  readonly unknownCodes = new UnknownCodes();
  readonly #options: CoreOptions;
  readonly #gaps: GapKeeper;
  readonly #own: OwnEvents;
  /** Null where nothing is reconciled. */
  readonly #rfqs: RfqLearning | null;
  readonly #wanted: WantedChannels;

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
      live: () => this.#liveSession(),
      lookInterval: options.lookInterval,
      publish: (message) => this.#own.gap(message),
      onOpened: onGapOpened,
      onSettled: onGapSettled,
      onJump: (jump) => this.#jumped(jump),
    });
    this.ledger = this.#gaps.ledger;
    this.machines = this.#createMachines();
    const socketHost = new URL(settings.venue.socketUrl).host;
    this.watch = new StateWatch({
      derive: () =>
        deriveHealth(
          healthFacts(this.machines.view(), {
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
    this.machines.start((fact) => this.#learn(fact), onFatal);
  }

  /** Ends the session in good order; what is missed from now on is a gap. */
  async stop(): Promise<void> {
    const { session } = this.machines.view();
    await this.machines.end();
    if (session?.state === 'live') this.#gaps.stop(session.context.lastHeartbeat?.rttMs ?? 0);
    this.intake.stop();
    this.#rfqs?.stop();
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
    this.#gaps.look();
  }

  /** Whether the venue refuses the credentials, so that only others, or somebody's word, can help soon. */
  get isRefused(): boolean {
    return this.watch.state === 'blocked' || this.machines.view().token.context.lastFailure?.class === 'refused';
  }

  /** The channels that are wanted now. */
  get channels(): readonly string[] {
    return this.#wanted.names;
  }

  /** Turns to the settings as they are now, at any time: the machines do what follows from a change. */
  settingsChanged(): void {
    const settings = this.#options.settings();
    this.#gaps.wishChanging();
    this.#wanted.change(settings.session.channels);
    const isMissedNoMore = this.#gaps.wishChanged();
    this.machines.settingsChanged(supervisorSettings(settings));
    if (isMissedNoMore) this.machines.compare();
  }

  #createCalls(): Calls {
    const { settings, clock, vault, permissions, onCall } = this.#options;
    return new Calls({
      clock,
      vault,
      permissions,
      methods: settings().venue.methods,
      timeout: () => settings().gateway.timeout,
      live: () => this.#liveSession()?.id ?? null,
      whyNot: () => {
        const { reason, next } = this.watch.current();
        return `${reason}; ${next}`;
      },
      onCall,
    });
  }

  /** What is known of the live session; after a takeover it is the second one at once. */
  #liveSession(): SessionContext | null {
    const { session } = this.machines.view();
    return session?.state === 'live' ? session.context : null;
  }

  #createMachines(): Machines {
    const { settings, clock, random, venue } = this.#options;
    const { log, intake, calls, ledger, counters, unknownCodes } = this;
    const { paces } = ledger.memory;
    const { lookback } = settings().reconcile;
    const world = { wanted: this.#wanted, lookback, clock, venue, log, intake, calls, ledger, counters, unknownCodes };
    return new Machines({
      ports: actorPorts({ ...world, gaps: this.#gaps, own: this.#own, rfqs: this.#rfqs }),
      clock,
      random,
      settings: supervisorSettings(settings()),
      earlier: { dials: this.#recent(paces.dial), tokenRequests: this.#recent(paces.token) },
      onMoved: () => this.watch.refresh(),
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
    this.machines.clockJumped();
  }

  /** Moments of the last minute, in unix milliseconds, on the monotonic clock of this run. */
  #recent(moments: readonly number[]): readonly number[] {
    const { clock } = this.#options;
    const now = clock.wall();
    return moments.filter((at) => at <= now && at > now - minuteMs).map((at) => clock.monotonic() - (now - at));
  }
}
