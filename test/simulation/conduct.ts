import { tokenRequestsPerMinute } from '../../src/machines/policies/token-times.ts';
import type { SupervisorFact } from '../../src/machines/supervisor.events.ts';
import type { Activity } from '../../src/simulator/ports.ts';
import type { WiresPorts } from './wires.ts';
import type { World } from './world.ts';

type Report = (invariant: string, detail: string) => void;

/** What is heard at the wires. */
export type WireTaps = Pick<WiresPorts, 'onDial' | 'onTokenRequest' | 'onRequest' | 'onSend' | 'onToken' | 'onFrame'>;

const minuteMs = 60_000;
const resetAfterMs = 30_000;
/** The longest planned wait, and time for what it was waited for. */
const calmMs = 15 * minuteMs;
/** Two sockets are held only while one session takes over from the other: all its time-outs added up, with ten seconds for last answers. */
const longestTakeoverMs = 42_000;
const mostTimers = 40;

interface KnownToken {
  readonly expiresAt: number;
  isRefused: boolean;
}

/** How figd behaves towards the venue: how often it asks, with what, and how many sockets it holds. */
export class Conduct {
  readonly #world: World;
  readonly #report: Report;
  readonly #dials: number[] = [];
  readonly #requests: number[] = [];
  /** When requests of the last minute came to the venue. */
  readonly #arrivals: { readonly at: number; readonly isToken: boolean }[] = [];
  /** Since when nobody but this run of figd has used the key. */
  #aloneSince = 0;
  readonly #tokens = new Map<string, KnownToken>();
  /** Tokens presented on each session, by the id of the call. */
  readonly #presented = new Map<string, { readonly value: string; readonly at: number }>();
  #failedInARow = 0;
  #twoSince: number | null = null;
  #beatRefusedAt = Number.NEGATIVE_INFINITY;
  #steppedAt = Number.NEGATIVE_INFINITY;

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  wireTaps(): WireTaps {
    return {
      onDial: () => this.#count(this.#dials, 10, 'never more than 10 dials a minute'),
      onTokenRequest: () => this.#count(this.#requests, 12, 'never more than 12 token requests a minute'),
      onRequest: (isToken) => this.#arrived(isToken),
      onSend: (text) => this.#sent(text),
      onToken: (body, askedAt) => this.#granted(body, askedAt),
      onFrame: (text) => this.#frame(text),
    };
  }

  /** The clock was set: for a minute, what an earlier run did cannot be dated. */
  onStep(): void {
    this.#steppedAt = this.#world.scheduler.now;
  }

  onRival(): void {
    this.#aloneSince = this.#world.scheduler.now;
  }

  onLaunch(): void {
    this.#aloneSince = this.#world.scheduler.now;
    this.#failedInARow = 0;
    this.#twoSince = null;
    this.#presented.clear();
  }

  onFact(fact: SupervisorFact): void {
    if (fact.type === 'session.dialled' && fact.cause !== 'renewal' && fact.attempt !== this.#failedInARow + 1) {
      this.#report(
        'the backoff grows until a session has lasted',
        `attempt ${fact.attempt} after ${this.#failedInARow} failures in a row`,
      );
    }
    if (fact.type === 'gap.opened' && this.#isGapless() && !this.#world.judge.wasDisturbed(this.#calmSince())) {
      this.#report('no gap at renewal', `${fact.cause}, and nothing had happened for ${calmMs / minuteMs} min`);
    }
    if (fact.type === 'session.heartbeat' && fact.refusal !== undefined)
      this.#beatRefusedAt = this.#world.scheduler.now;
    if (fact.type !== 'session.closed' && fact.type !== 'session.stepped-in') return;
    const lasted = fact.liveForMs !== null && fact.liveForMs >= resetAfterMs;
    const wasWanted = fact.failure.code === 'on-request' || fact.failure.code === 'renewal';
    this.#failedInARow = (lasted ? 0 : this.#failedInARow) + (wasWanted ? 0 : 1);
  }

  /** Whether the setting allows a session to outlive its token. */
  #isGapless(): boolean {
    const { renewal, maxSessions, inPlaceRefresh, authenticateWith } = this.#world.plan.setting;
    if (renewal === 'reconnect' || authenticateWith === 'credentials') return false;
    return renewal !== 'rotate' && inPlaceRefresh ? true : maxSessions > 1;
  }

  #calmSince(): number {
    const { scheduler, judge, frozenUntil } = this.#world;
    const since = scheduler.now - calmMs;
    return judge.isPaused || Math.max(judge.resumedAt, frozenUntil) > since ? Number.NEGATIVE_INFINITY : since;
  }

  onActivity(activity: Activity): void {
    if (activity.event !== 'closed' || activity.code !== 4408) return;
    const { judge, frozenUntil, scheduler, settings } = this.#world;
    const recently = scheduler.now - 45_000;
    const isExcused =
      judge.isPaused ||
      Math.max(judge.resumedAt, frozenUntil, this.#beatRefusedAt) > recently ||
      judge.wasDisturbed(recently);
    if (!isExcused && this.#world.run !== null) {
      this.#report(
        'heartbeats come in time',
        `the venue missed one for 30 s (interval ${settings.session.heartbeatInterval})`,
      );
    }
  }

  /** After every event. */
  afterEvent(): void {
    const { run, scheduler, judge } = this.#world;
    const held = run?.wires.held ?? 0;
    if (held > 2) this.#report('one session, two while one takes over', `${held} sockets are held`);
    if (held < 2 || judge.isPaused) this.#twoSince = null;
    else {
      this.#twoSince ??= scheduler.now;
      const since = Math.max(this.#twoSince, judge.resumedAt);
      if (scheduler.now - since > longestTakeoverMs) {
        this.#report(
          'one session, two while one takes over',
          `two sockets for ${Math.round(scheduler.now - since)} ms`,
        );
      }
    }
  }

  /** Every few seconds. */
  check(): void {
    const { run, scheduler } = this.#world;
    if (run === null) return;
    const { core, owner, crowd } = run;
    const { isPaused, callers } = this.#world.judge;
    if (!isPaused) crowd.check();
    const timers = scheduler.timers(owner);
    // Each request that is under way, or waits for its turn, has one.
    if (timers > mostTimers + callers.pending + crowd.pending)
      this.#report('no timer is left behind', `${timers} are set`);
    const { ring } = this.#world.settings.journal;
    if (core.log.heldBytes > ring + 1_048_576) this.#report('memory is bounded', `the log holds ${core.log.heldBytes}`);
    const actors = core.machines.children();
    const known = actors.every((name) => ['token', 'reconcile', 'session'].includes(name));
    if (!known || actors.length > 3) this.#report('no actor is left behind', actors.join(', '));
  }

  #count(moments: number[], most: number, rule: string): void {
    const { now } = this.#world.scheduler;
    moments.push(now);
    const first = moments.at(-1 - most);
    if (moments.length > 50) moments.splice(0, 25);
    // A step of the clock while figd was down bends what it remembers of an earlier run.
    if (first === undefined || now - first >= minuteMs - 1 || this.#steppedAt > now - 2 * minuteMs) return;
    this.#report(rule, `${most + 1} in ${Math.round(now - first)} ms`);
  }

  #arrived(isToken: boolean): void {
    const { scheduler, plan, frozenUntil } = this.#world;
    const { now } = scheduler;
    while ((this.#arrivals[0]?.at ?? now) <= now - minuteMs) this.#arrivals.shift();
    this.#arrivals.push({ at: now, isToken });
    // What the network held back arrives when nobody counts on it any more.
    const recently = now - 2 * minuteMs;
    if (frozenUntil > recently) return;
    const { requestsPerMinute } = plan.setting;
    const came = this.#arrivals.length;
    const others = this.#arrivals.filter((each) => !each.isToken).length;
    if (came > requestsPerMinute) this.#report('never more requests in a minute than the venue allows', `${came} came`);
    if (this.#aloneSince < recently && others > requestsPerMinute - tokenRequestsPerMinute)
      this.#report('there is room for token requests at any time', `${others} others came in a minute`);
  }

  #granted(body: string, askedAt: number): void {
    const value = /"access_token":"([^"]+)"/.exec(body)?.[1];
    const life = Number(/"expires_in":([\d.]+)/.exec(body)?.[1]) * 1_000;
    if (value !== undefined) this.#tokens.set(value, { expiresAt: askedAt + life, isRefused: false });
    if (this.#tokens.size > 32) this.#tokens.delete([...this.#tokens.keys()][0] ?? '');
  }

  #sent(text: string): void {
    const { now } = this.#world.scheduler;
    const value = /figsim-access-[0-9a-f]+/.exec(text)?.[0];
    if (value === undefined) return;
    const id = /"id":(\d+)/.exec(text)?.[1];
    if (id !== undefined) this.#presented.set(id, { value, at: now });
    const token = this.#tokens.get(value);
    // What happened while the process was away it learns with its next look.
    const justBack = now - this.#world.judge.resumedAt < 1_000;
    if (token === undefined || justBack) return;
    if (now > token.expiresAt)
      this.#report('no call with a token known to be dead', `dead for ${Math.round(now - token.expiresAt)} ms`);
    if (token.isRefused) this.#report('no call with a token known to be dead', `refused before: ${text.slice(0, 40)}`);
  }

  #frame(text: string): void {
    if (!text.startsWith('{"id":')) return;
    const id = /^\{"id":(\d+)/.exec(text)?.[1] ?? '';
    const presented = this.#presented.get(id);
    if (presented === undefined) return;
    this.#presented.delete(id);
    // Nobody waits for the answer any more.
    if (this.#world.scheduler.now - presented.at > this.#world.settings.session.authTimeout) return;
    if (!text.includes('authentication error') && !text.includes('"success":false')) return;
    const token = this.#tokens.get(presented.value);
    if (token !== undefined) token.isRefused = true;
  }
}
