import { Vault } from '../../src/adapters/vault.ts';
import { Secret } from '../../src/config/secret.ts';
import type { Settings } from '../../src/config/settings.ts';
import { Core } from '../../src/daemon/core.ts';
import { venueOver } from '../../src/daemon/venue.ts';
import { Permissions } from '../../src/gateway/permissions.ts';
import { MemoryLedger } from '../../src/log/memory-ledger.ts';
import { defaultOptions } from '../../src/simulator/options.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { Venue } from '../../src/simulator/venue.ts';
import { settingsOf, venueOptions } from './configuration.ts';
import type { Consumer } from './consumer.ts';
import { Crowd } from './crowd.ts';
import { Disk } from './disk.ts';
import { beginning, Host } from './host.ts';
import { Judge } from './judge.ts';
import { type Action, calmAtTheEnd, type Plan, type Reload } from './plan.ts';
import { Scheduler } from './scheduler.ts';
import { Traffic } from './traffic.ts';
import { Wires } from './wires.ts';

/** One run of the daemon: a process, until it is stopped or killed. */
export interface Run {
  readonly owner: number;
  readonly core: Core;
  readonly wires: Wires;
  readonly crowd: Crowd;
  readonly disk: ReturnType<Disk['open']>;
}

/** Rarer than in life, where it is a second: looking around is most of what a quiet day is made of. */
export const lookIntervalMs = 30_000;

/** Venue, network, host, daemon and consumers, all in one process and in virtual time. */
export class World {
  readonly plan: Plan;
  readonly scheduler = new Scheduler();
  readonly host = new Host(this.scheduler);
  readonly venue: Venue;
  readonly judge: Judge;
  #settings: Settings;
  readonly #disk: Disk;
  readonly #store: MemoryLedger;
  readonly #random: () => number;
  readonly #traffic: Traffic;
  readonly #reader: Consumer;
  readonly #slowReader: Consumer;
  #run: Run | null = null;
  #runs = 0;
  #frozenUntil = 0;

  constructor(plan: Plan, say: ((line: string) => void) | null) {
    this.plan = plan;
    const { setting, seed } = plan;
    this.#settings = settingsOf(setting);
    this.#random = seededRandom(seed * 31 + 5);
    this.#disk = new Disk(this.scheduler, seededRandom(seed * 15_485_863 + 11), setting);
    this.#store = new MemoryLedger(this.host.wall());
    this.judge = new Judge(this, say);
    this.venue = new Venue(venueOptions(plan), {
      clock: {
        now: () => this.#venueNow(),
        setTimeout: (run, ms) => {
          const isAwaited = (this.#run?.wires.requests ?? 1) > 0;
          return this.scheduler.at(this.scheduler.now + Math.max(0, ms), 'world', run, isAwaited ? 'timer' : 'glance');
        },
        clearTimeout: (handle) => this.scheduler.cancel(handle),
      },
      random: this.#random,
      onEvent: (event) => this.judge.onEvent(event),
      onActivity: (activity) => this.judge.onActivity(activity),
    });
    this.#traffic = new Traffic({
      venue: this.venue,
      scheduler: this.scheduler,
      random: this.#random,
      onBurst: (events) => this.judge.onBurst(events),
    });
    this.#reader = this.judge.reader();
    this.#slowReader = this.judge.slowReader();
  }

  /** What the configuration says now. */
  get settings(): Settings {
    return this.#settings;
  }

  get run(): Run | null {
    return this.#run;
  }

  get frozenUntil(): number {
    return this.#frozenUntil;
  }

  /** Lets the whole plan happen, and what follows from it. */
  async play(): Promise<void> {
    const { actions, hours } = this.plan;
    const end = hours * 3_600_000;
    this.venue.start();
    this.#launch();
    for (const action of actions) this.scheduler.at(action.at, 'world', () => this.#act(action));
    this.scheduler.at(end - calmAtTheEnd + 1_000, 'world', () => this.venue.clearFaults());
    this.judge.begin(end);
    await this.scheduler.runUntil(end, () => this.judge.afterEvent());
    this.#slowReader.isStalled = false;
    this.#slowReader.pump();
    this.judge.atTheEnd();
    this.venue.stop();
    await this.#stopForGood(end);
    this.venue.close();
  }

  #venueNow(): number {
    return beginning + this.scheduler.now + this.plan.setting.venueOffset;
  }

  #launch(): void {
    this.#runs += 1;
    const owner = this.#runs;
    const clock = this.host.clockOf(owner);
    const { clientId, clientSecret } = defaultOptions;
    const vault = new Vault({ clientId: new Secret(clientId), clientSecret: new Secret(clientSecret) });
    const wires = new Wires({
      scheduler: this.scheduler,
      venue: this.venue,
      network: this.plan.setting,
      random: this.#random,
      owner,
      wall: () => this.host.wall(),
      venueWall: () => this.#venueNow(),
      ...this.judge.wireTaps(),
    });
    wires.frozenUntil = this.#frozenUntil;
    const disk = this.#disk.open(owner);
    const venue = venueOver({ settings: () => this.settings, vault, clock }, wires);
    const crowd = new Crowd({
      budget: venue.budget,
      http: wires.http,
      clock,
      runsSince: () => (this.judge.isPaused ? Number.POSITIVE_INFINITY : this.judge.resumedAt),
      now: () => this.scheduler.now,
      report: (invariant, detail) => this.judge.violation(invariant, detail),
    });
    const core = new Core({
      settings: () => this.settings,
      venue,
      vault,
      clock,
      random: this.#random,
      store: this.#store,
      numbers: disk.numbers,
      journal: disk.journal,
      storageTrouble: () => this.#disk.trouble,
      schedule: (run) => this.scheduler.at(this.scheduler.now, owner, run, 'delivery'),
      lookInterval: lookIntervalMs,
      permissions: new Permissions(undefined),
      onCall: () => undefined,
      onFact: (fact) => this.judge.onFact(fact),
      onState: (message) => this.judge.onState(message),
      onJump: ({ kind, ms }) => this.judge.note(`figd notices: ${kind} of ${Math.round(ms)} ms`),
      onGapOpened: (gap) => this.judge.onGapOpened(gap),
      onGapSettled: (gap) => this.judge.onGapSettled(gap),
      onFatal: (error) => this.judge.violation('a machine died', String(error)),
    });
    this.#run = { owner, core, wires, crowd, disk };
    this.judge.onLaunch();
    this.#reader.connect(core);
    this.#slowReader.connect(core);
    core.log.attach({
      appended: () => {
        this.#reader.pump();
        this.#slowReader.pump();
      },
      ending: () => this.judge.onTorn(core),
      renewed: () => this.scheduler.at(this.scheduler.now, owner, () => this.#comeBack(core), 'delivery'),
    });
    core.start();
    const look = () => {
      core.lookAtClock();
      core.lookAround();
      this.judge.onLook();
      clock.setTimeout(look, lookIntervalMs);
    };
    clock.setTimeout(look, lookIntervalMs);
  }

  #readBack(core: Core): void {
    const historian = this.judge.slowReader();
    historian.connect(core);
    historian.pump();
  }

  /** A new epoch has begun while the daemon ran: consumers are told so, and come back. */
  #comeBack(core: Core): void {
    for (const consumer of [this.#reader, this.#slowReader]) {
      consumer.connect(core);
      consumer.pump();
    }
  }

  #act(action: Action): void {
    this.judge.onAction(action);
    const run = this.#run;
    const { scheduler, venue, host } = this;
    const later = (ms: number, what: () => void) => scheduler.at(scheduler.now + ms, 'world', what);
    switch (action.do) {
      case 'fault':
        venue.inject(action.fault);
        return;
      case 'freeze':
        this.#frozenUntil = Math.max(this.#frozenUntil, scheduler.now + action.ms);
        if (run !== null) run.wires.frozenUntil = this.#frozenUntil;
        return;
      case 'lose replies':
        if (run !== null) run.wires.repliesToLose = action.count;
        return;
      case 'rotate the key':
        venue.inject({ kind: 'refuse-credentials', forMs: action.ms });
        venue.inject({ kind: 'expire-tokens' });
        if (action.isTold) later(action.ms + 1, () => this.#command('refresh'));
        return;
      case 'step the clock':
        host.offset += action.ms;
        return;
      case 'suspend':
      case 'stall':
        if (run !== null) this.#pause(action.do, action.ms, run.owner);
        return;
      case 'kill':
        if (run === null || this.judge.isPaused) return;
        scheduler.forget(run.owner);
        run.wires.kill();
        this.judge.onKilled(run);
        this.#disk.ended();
        this.#ended(action.ms);
        return;
      case 'stop':
        if (run === null || this.judge.isPaused) return;
        this.#run = null;
        void this.#stop(run).then(() => this.#ended(action.ms));
        return;
      case 'read back':
        if (run !== null && !this.judge.isPaused) this.#readBack(run.core);
        return;
      case 'fill the disk':
        this.#disk.fill(action.ms);
        return;
      case 'break the disk':
        this.#disk.break(action.ms);
        return;
      case 'stall consumer':
        this.#slowReader.isStalled = true;
        later(action.ms, () => {
          this.#slowReader.isStalled = false;
          this.#slowReader.pump();
        });
        return;
      case 'call':
        if (run !== null && !this.judge.isPaused) this.judge.callers.make(run, action);
        return;
      case 'reload':
        this.#reload(action);
        return;
      case 'twin':
        this.#traffic.publishTwins();
        return;
      case 'burst':
        this.#traffic.publishBurst(action, () => this.#run === run && this.#isFlowing());
        return;
      case 'flood':
        if (run !== null && !this.judge.isPaused) run.crowd.flood(action);
        return;
      case 'rival':
        this.#traffic.useTheKey(action.count);
        return;
      default:
        this.#command(action.do);
    }
  }

  /** A process that does not run now takes it when it goes on. */
  #command(wish: 'reconnect' | 'rotate' | 'refresh'): void {
    const { scheduler, judge } = this;
    const run = this.#run;
    if (run === null) return;
    if (judge.isPaused) scheduler.at(scheduler.now, run.owner, () => run.core.machines[wish](), 'delivery');
    else run.core.machines[wish]();
  }

  /** A run that does not run now learns of it when it goes on; one that is started reads what there is. */
  #reload(change: Reload): void {
    const { scheduler } = this;
    const run = this.#run;
    this.#settings = settingsOf(this.plan.setting, change);
    const learn = (core: Core) => {
      core.settingsChanged();
      this.judge.onReloaded();
    };
    if (run !== null) scheduler.at(scheduler.now, run.owner, () => learn(run.core), 'delivery');
  }

  /**
   * Whether what is sent arrives one by one, and the reader in step is: what was held up and comes all at once is more
   * than the smallest ring holds, and so is a burst to one who still reads from a slow disk what it has missed.
   */
  #isFlowing(): boolean {
    const { faults, stats } = this.venue;
    const isHeldUp = this.scheduler.now < this.#frozenUntil || faults.find('delay') !== undefined;
    return !isHeldUp && !this.judge.isPaused && this.#reader.isInStep && stats.openConnections.length < 2;
  }

  #pause(kind: 'suspend' | 'stall', ms: number, owner: number): void {
    if (this.judge.isPaused) return;
    this.scheduler.pause(owner);
    this.judge.onPause();
    this.scheduler.at(this.scheduler.now + ms, 'world', () => {
      if (kind === 'suspend') this.host.suspended += ms;
      this.scheduler.resume(kind === 'suspend' ? ms : 0);
      this.judge.onResume();
      // In life the clocks are looked at every quarter of a second.
      const look = () => this.#run?.owner === owner && this.#run.core.lookAtClock();
      this.scheduler.at(this.scheduler.now + this.#random() * 250, owner, look, 'delivery');
    });
  }

  async #stop(run: Run): Promise<void> {
    run.crowd.leave();
    await run.core.stop();
    this.#reader.pump();
    await run.core.flush();
    run.disk.close(run.core.log.head);
    this.judge.onStopped(run);
  }

  #ended(downForMs: number): void {
    this.#run = null;
    this.#reader.disconnect();
    this.#slowReader.disconnect();
    this.judge.onEnded();
    this.scheduler.at(this.scheduler.now + downForMs, 'world', () => {
      if (this.#run === null) this.#launch();
    });
  }

  /** At the end of it all nothing may be left: no timer, no socket. */
  async #stopForGood(end: number): Promise<void> {
    const run = this.#run;
    if (run === null) return;
    const stopped = this.#stop(run);
    let isOver = false;
    void stopped.then(() => {
      isOver = true;
    });
    await this.scheduler.runUntil(end + 10_000, () => undefined);
    if (!isOver) this.judge.violation('figd stops when it is told to', 'not within 10 s');
  }
}
