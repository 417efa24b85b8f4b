import type { Judge } from './judge.ts';
import type { Action } from './plan.ts';
import { lookIntervalMs, type World } from './world.ts';

type Report = (invariant: string, detail: string) => void;

/** The longest planned wait (a limit of 5 min and a tenth), and a minute for the ceiling, and time to connect. */
const liveAgainWithinMs = 330_000 + 60_000 + 45_000;
/** A session that cannot be renewed is replaced, which may happen in the last moment too. */
const minuteMs = 60_000;

/** What concerns the disk, the consumers and the callers is no trouble for the session, nor is a change of configuration. */
const harmless: readonly Action['do'][] = [
  'call',
  'flood',
  'stall consumer',
  'read back',
  'fill the disk',
  'break the disk',
  'reload',
];

/** What figd says of itself, beside what is the case. */
export class Truth {
  readonly #world: World;
  readonly #judge: Judge;
  readonly #report: Report;
  /** When the venue had a session of ours the last time, and since when it has had one. */
  #lastConnected = 0;
  #connected: { readonly connection: number; readonly since: number } | null = null;
  /** When the last cause of trouble was gone. */
  #troubledAt = 0;
  #saidDownSince: number | null = null;
  #disturbedAt = Number.NEGATIVE_INFINITY;
  #reloadedAt = Number.NEGATIVE_INFINITY;

  constructor(world: World, judge: Judge, report: Report) {
    this.#world = world;
    this.#judge = judge;
    this.#report = report;
  }

  onAction({ do: what }: Action): void {
    if (what === 'reload') this.#reloadedAt = this.#world.scheduler.now;
    if (harmless.includes(what)) return;
    this.#troubledAt = this.#world.scheduler.now;
    this.#disturbedAt = this.#world.scheduler.now;
  }

  /** The venue has a session of ours from now on. */
  onSubscribed(): void {
    this.#lastConnected = this.#world.scheduler.now;
  }

  onEnded(): void {
    this.#connected = null;
  }

  /** Whether replies or frames were disturbed since a moment. */
  wasDisturbed(since: number): boolean {
    return this.#disturbedAt > since || this.#world.venue.faults.list().length > 0;
  }

  /** Every few seconds: compares what is said with what is. */
  check(): void {
    const { scheduler, venue, run, frozenUntil } = this.#world;
    const { now } = scheduler;
    if (venue.faults.list().length > 0) this.#disturbedAt = now;
    if (venue.faults.list().length > 0 || frozenUntil > now || this.#judge.isPaused || run === null)
      this.#troubledAt = now;
    if (run === null || this.#judge.isPaused) {
      this.#connected = null;
      return;
    }
    this.#lookAtVenue();
    const { state, reason } = { state: run.core.watch.state, reason: run.core.watch.current().reason };
    const says = state === 'live' || state === 'degraded';
    const start = Math.max(this.#lastConnected, this.#judge.resumedAt);
    if (says && now - start > this.#noticedWithin()) {
      this.#report(
        'the state told is the true one',
        `${state} (${reason}), and for ${Math.round(now - start)} ms there is no session`,
      );
    }
    this.#saidDownSince = says ? null : (this.#saidDownSince ?? now);
    const since = Math.max(this.#connected?.since ?? now, this.#judge.resumedAt, this.#saidDownSince ?? now);
    if (!says && now - since > 20_000 + 2 * this.#delay()) {
      this.#report(
        'the state told is the true one',
        `${state} (${reason}), and for ${Math.round(now - since)} ms there is a session`,
      );
    }
    const cause = Math.max(this.#troubledAt, this.#judge.resumedAt, this.#saidDownSince ?? now);
    if (says) this.#checkChannels();
    if (!says && now - cause > liveAgainWithinMs) {
      this.#report('live again once the cause is gone', `${state} (${reason}) ${Math.round(now - cause)} ms later`);
    }
  }

  /** Once all is calm the venue sends what is wanted, and nothing else. */
  #checkChannels(): void {
    const { scheduler, venue, settings, run } = this.#world;
    const cause = Math.max(this.#troubledAt, this.#judge.resumedAt, this.#reloadedAt);
    const { openConnections } = venue.stats;
    // While one session takes over from another there are two.
    if (scheduler.now - cause <= liveAgainWithinMs || openConnections.length !== 1) return;
    const wanted = [...settings.session.channels].sort().join();
    const held = [...(openConnections[0]?.channels ?? [])].sort().join();
    const known = [...(run?.core.machines.view().session?.context.confirmed ?? [])].sort().join();
    if (held === wanted && known === wanted) return;
    this.#report('the channels are the ones that are wanted', `${held}, known ${known}; wanted ${wanted}`);
  }

  atTheEnd(): void {
    const { run, scheduler } = this.#world;
    const downFor = scheduler.now - (this.#saidDownSince ?? scheduler.now);
    if (run === null || downFor > minuteMs) {
      this.#report('live at the end', `${run?.core.watch.state}: ${run?.core.watch.current().reason}`);
    }
  }

  #lookAtVenue(): void {
    const { scheduler, venue, frozenUntil } = this.#world;
    const serves = venue.stats.openConnections.findLast(
      ({ session, channels, halfOpen }) => session !== undefined && channels.length > 0 && !halfOpen,
    );
    if (serves === undefined || frozenUntil > scheduler.now) {
      this.#connected = null;
      return;
    }
    const { now } = scheduler;
    const { connection } = serves;
    this.#lastConnected = now;
    if (this.#connected?.connection !== connection) this.#connected = { connection, since: now };
  }

  /** How long a link may be dead before figd has to know it. */
  #noticedWithin(): number {
    const { plan, settings } = this.#world;
    const { latency, jitter } = plan.setting;
    return (
      settings.session.heartbeatInterval +
      settings.session.heartbeatTimeout +
      4 * (latency + jitter) +
      2 * this.#delay() +
      lookIntervalMs
    );
  }

  #delay(): number {
    return this.#world.venue.faults.find('delay')?.ms ?? 0;
  }
}
