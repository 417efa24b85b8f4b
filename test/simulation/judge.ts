import type { Core } from '../../src/daemon/core.ts';
import type { SupervisorFact } from '../../src/machines/supervisor.events.ts';
import type { GapRecord } from '../../src/protocol/ledger.ts';
import type { GapMessage, StateMessage } from '../../src/protocol/local.ts';
import type { Activity, EventRecord } from '../../src/simulator/ports.ts';
import { Accounts } from './accounts.ts';
import { Callers } from './callers.ts';
import { Conduct, type WireTaps } from './conduct.ts';
import { Consumer, type Heard, type Loss } from './consumer.ts';
import type { Action } from './plan.ts';
import { Truth } from './truth.ts';
import { Wishes } from './wishes.ts';
import type { Run, World } from './world.ts';

export interface Violation {
  /** True milliseconds. */
  readonly at: number;
  readonly invariant: string;
  readonly detail: string;
}

const watchIntervalMs = 15_000;
/** How long a stop waits for the disk. */
const stopDeadlineMs = 3_000;
/** More than a day brings. */
const largeRetention = 65_536 * 1_024;
/** One violation tends to bring others; the first few tell the story. */
const mostViolations = 5;

/** Sequence numbers of an epoch, the last included. */
interface Stretch {
  readonly epoch: string;
  readonly from: number;
  to: number;
}

/** Sees everything, and holds figd to its promises after every step. */
export class Judge {
  readonly violations: Violation[] = [];
  readonly callers: Callers;
  readonly #world: World;
  readonly #say: ((line: string) => void) | null;
  readonly #accounts: Accounts;
  readonly #conduct: Conduct;
  readonly #truth: Truth;
  readonly #wishes: Wishes;
  readonly #lines = new Map<string, string>();
  /** What runs that were killed had numbered and not written. */
  readonly #torn: Stretch[] = [];
  /** What a slow disk had not taken when a stop had waited long enough. */
  readonly #leftBehind: Stretch[] = [];
  /** What came while more came than the ring may hold. */
  readonly #pressed: Stretch[] = [];
  #epoch = '';
  #pausedSince: number | null = null;
  #resumedAt = Number.NEGATIVE_INFINITY;

  constructor(world: World, say: ((line: string) => void) | null) {
    this.#world = world;
    this.#say = say;
    const report = (invariant: string, detail: string) => this.violation(invariant, detail);
    this.#accounts = new Accounts(world, report);
    this.#conduct = new Conduct(world, report);
    this.#truth = new Truth(world, this, report);
    this.callers = new Callers(world, report);
    this.#wishes = new Wishes(world.settings.session.channels, () => world.scheduler.now);
  }

  get isPaused(): boolean {
    return this.#pausedSince !== null;
  }

  /** When the process ran again after it had been away (true milliseconds). */
  get resumedAt(): number {
    return this.#resumedAt;
  }

  /** Whether an event on a channel was due at a moment. */
  isWanted(channel: string, at: number): boolean {
    return this.#wishes.isDue(channel, at);
  }

  /** Whether replies or frames were disturbed since a moment. */
  wasDisturbed(since: number): boolean {
    return this.#truth.wasDisturbed(since);
  }

  violation(invariant: string, detail: string): void {
    if (this.violations.length >= mostViolations) return;
    this.violations.push({ at: this.#world.scheduler.now, invariant, detail });
    this.note(`VIOLATION: ${invariant}: ${detail}`);
  }

  /** Writes a line of the story, where somebody reads it. */
  note(line: string): void {
    this.#say?.(line);
  }

  begin(end: number): void {
    const { scheduler } = this.#world;
    const watch = () => {
      this.#truth.check();
      this.#conduct.check();
      this.callers.check();
      this.#wishes.check(this.#world.run?.core.machines.view().session ?? null);
      if (scheduler.now + watchIntervalMs < end)
        scheduler.at(scheduler.now + watchIntervalMs, 'world', watch, 'glance');
    };
    scheduler.at(watchIntervalMs, 'world', watch, 'glance');
  }

  /** The consumer that reads everything at once. */
  reader(): Consumer {
    return new Consumer({
      onEvent: (heard) => this.#heard(heard),
      onLost: (loss) => {
        this.note(`a reader is told that ${loss.from} to ${loss.to} are lost: ${loss.reason}`);
        // What a run that was killed had numbered and not delivered yet is in the gap that this made.
        const isTorn = (loss.reason === 'crash' || loss.isAtOnce) && this.#wasTorn(loss);
        if (isTorn) this.#accounts.lookUp();
        else this.violation('a reader in step loses nothing', JSON.stringify(loss));
      },
      onProblem: (problem) => this.violation('each event once and in order', problem),
    });
  }

  /** One that stops now and then: whatever it reads has to be what the other one read. */
  slowReader(): Consumer {
    return new Consumer({
      onEvent: ({ epoch, seq, message }) => {
        const known = this.#lines.get(`${epoch}:${seq}`);
        if (known !== undefined && known !== message) {
          this.violation('a slow reader gets the same events', `event ${seq} differs`);
        }
      },
      onLost: (loss) => {
        this.note(`the slow reader is told that ${loss.from} to ${loss.to} are lost to it: ${loss.reason}`);
        const reasons = loss.isAtOnce ? (['expired', 'unwritten', 'crash'] as const) : [loss.reason];
        if (!reasons.some((reason) => this.#mayLose({ ...loss, reason })))
          this.violation('what is lost to a slow reader had to be', JSON.stringify(loss));
      },
      onProblem: (problem) => this.violation('each event once and in order, for a slow reader too', problem),
    });
  }

  /** Nothing is lost but what was too old to keep, or could not be written. */
  #mayLose(loss: Loss): boolean {
    const { setting, actions } = this.#world.plan;
    const { epoch, from, to, reason } = loss;
    if (reason === 'expired') return setting.retainBytes < largeRetention;
    if (reason !== 'unwritten') return this.#wasTorn(loss);
    const wasLeft = [...this.#leftBehind, ...this.#pressed].some(
      (range) => range.epoch === epoch && from >= range.from && to <= range.to,
    );
    return wasLeft || actions.some((action) => action.do.endsWith('the disk'));
  }

  /** More comes than the ring may hold: what is not on disk by now, and what is under way, may leave it before it is. */
  onBurst(underWay: number): void {
    const { core } = this.#world.run ?? {};
    if (core === undefined) return;
    const { epoch, head } = core.log;
    const from = (core.feed?.written ?? 0) + 1;
    const to = head + underWay;
    const last = this.#pressed.at(-1);
    if (last?.epoch === epoch && from <= last.to + 1) last.to = Math.max(last.to, to);
    else this.#pressed.push({ epoch, from, to });
  }

  /** Whether a run that was killed had not written a range, or not even used its numbers. */
  #wasTorn({ epoch, from, to }: Loss): boolean {
    const { setting } = this.#world.plan;
    return this.#torn.some(
      (torn) => torn.epoch === epoch && from >= torn.from && to <= torn.to + 2 * setting.numbersAhead + 1,
    );
  }

  wireTaps(): WireTaps {
    return this.#conduct.wireTaps();
  }

  onEvent(event: EventRecord): void {
    this.#accounts.sent(event);
  }

  onActivity(activity: Activity): void {
    if (this.#say !== null) this.note(`venue: ${JSON.stringify(activity)}`);
    if (activity.event === 'subscribed') this.#truth.onSubscribed();
    this.#conduct.onActivity(activity);
  }

  onFact(fact: SupervisorFact): void {
    if (this.#say !== null && fact.type !== 'session.heartbeat') this.note(`figd: ${JSON.stringify(fact)}`);
    if (fact.type === 'gap.opened') this.#accounts.onLost();
    if (fact.type === 'gap.ended') {
      this.#accounts.onHeardAgain();
      // What was wanted too late for the gap that ends has one of its own, opened only now.
      this.#accounts.channelGaps.onConfirmed(this.#world.run?.core.machines.view().session?.context.confirmed ?? []);
    }
    if ('confirmed' in fact) {
      this.#wishes.onConfirmed(fact.confirmed);
      this.#accounts.channelGaps.onConfirmed(fact.confirmed);
    }
    this.#conduct.onFact(fact);
    this.callers.onFact(fact);
  }

  onGapOpened(gap: GapRecord): void {
    this.#accounts.opened(gap);
  }

  onGapSettled(gap: GapRecord): void {
    this.#accounts.settled(gap);
  }

  onState({ previous, state, reason }: StateMessage): void {
    this.note(`figd: ${previous} → ${state}: ${reason}`);
  }

  onAction(action: Action): void {
    this.note(`>>> ${JSON.stringify(action)}`);
    this.#truth.onAction(action);
    this.callers.onAction(action);
    if (action.do === 'fault' && action.fault.kind === 'delay') {
      this.#accounts.onDelay(action.fault.ms, action.fault.forMs ?? 0);
    }
    if (action.do === 'step the clock') this.#conduct.onStep();
    if (action.do === 'rival') this.#conduct.onRival();
    if (action.do === 'reload') {
      this.#wishes.onWish(action.channels);
      this.#accounts.channelGaps.onWish(action.channels);
    }
  }

  /** figd has read its configuration anew. */
  onReloaded(): void {
    this.#wishes.onLearned();
  }

  onLaunch(): void {
    this.#wishes.onLearned();
    this.note('>>> figd starts');
    this.#resumedAt = this.#world.scheduler.now;
    this.#conduct.onLaunch();
  }

  onKilled({ owner, core }: Run): void {
    this.callers.onEnded(owner, false);
    this.onTorn(core);
  }

  /** A run, or its epoch, ends without another word. */
  onTorn({ log, feed }: Core): void {
    this.#torn.push({ epoch: log.epoch, from: (feed?.written ?? 0) + 1, to: log.head });
  }

  /** figd has looked around, and written down until when it heard the venue. */
  onLook(): void {
    this.#accounts.onMark();
  }

  /** The process is gone. */
  onEnded(): void {
    this.note('>>> figd has ended');
    this.#accounts.onEnded();
    this.#truth.onEnded();
  }

  /** It ended in good order: nothing may be left of it. */
  onStopped({ owner, wires, core }: Run): void {
    // What it had appended last is read in the next turn; nothing else may be set.
    const timers = this.#world.scheduler.timers(owner);
    // The one that looks around belongs to the simulation.
    if (timers > 1) this.violation('no timer is left behind', `${timers - 1} are set after figd has stopped`);
    const { log, feed } = core;
    // What is under way at the stop and what is left then are two entries, each up to one and a half times the latency.
    const isSlow = 2 * 1.5 * this.#world.plan.setting.diskLatency >= stopDeadlineMs;
    if (isSlow && feed !== null && feed.written < log.head) {
      this.#leftBehind.push({ epoch: log.epoch, from: feed.written + 1, to: log.head });
    }
    if (wires.held > 0) this.violation('no socket is left behind', `${wires.held} are open after figd has stopped`);
    this.callers.onEnded(owner, true);
    this.#world.scheduler.forget(owner);
    core.log.attach({});
  }

  onPause(): void {
    this.#pausedSince = this.#world.scheduler.now;
  }

  onResume(): void {
    this.#pausedSince = null;
    this.#resumedAt = this.#world.scheduler.now;
    this.note('>>> figd runs again');
  }

  afterEvent(): void {
    this.#accounts.afterEvent();
    this.#conduct.afterEvent();
    this.callers.afterEvent();
  }

  atTheEnd(): void {
    this.#truth.atTheEnd();
    this.#accounts.atTheEnd();
    this.callers.atTheEnd();
  }

  #heard(heard: Heard): void {
    if (heard.epoch !== this.#epoch) this.#lines.clear();
    this.#epoch = heard.epoch;
    this.#lines.set(`${heard.epoch}:${heard.seq}`, heard.message);
    if (heard.channel === 'figd.gap') {
      if (this.#say !== null) this.note(`figd.gap: ${heard.message}`);
      this.#accounts.gap(JSON.parse(heard.message) as GapMessage);
    } else if (heard.channel === 'figd.reconcile') this.#accounts.reconciled(heard.message);
    else if (heard.session > 0) this.#accounts.received(heard);
  }
}
