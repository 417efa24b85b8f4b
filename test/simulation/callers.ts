import type { SupervisorFact } from '../../src/machines/supervisor.events.ts';
import { EncodedError, isRecord, RpcError } from '../../src/protocol/json-rpc.ts';
import type { Action, Deed } from './plan.ts';
import type { Run, World } from './world.ts';

type Report = (invariant: string, detail: string) => void;

interface Call {
  readonly key: string;
  readonly begunAt: number;
  readonly owner: number;
}

/** Programs, each with a connection of its own. */
const programs = 3;
/** As the configuration has it. */
const deadlineMs = 30_000;
/** A timer fires in the next millisecond. */
const graceMs = 2;
/** How long a session that was taken over from is kept for its answers, less the time a takeover is on its way. */
const keptForMs = 9_000;
const calmMs = 15 * 60_000;
/** The venue tells so many keys apart. */
const mostCalls = 90_000;
/** What is no trouble for a session that takes over from another. */
const harmless: readonly Action['do'][] = [
  'call',
  'flood',
  'rotate',
  'twin',
  'read back',
  'stall consumer',
  'fill the disk',
  'break the disk',
  'step the clock',
];

/** Local programs that call the venue, and what became of their calls. */
export class Callers {
  readonly #world: World;
  readonly #report: Report;
  readonly #pending = new Set<Call>();
  /** Keys of calls that were answered, and of those that figd says it has not sent. */
  readonly #answered: string[] = [];
  readonly #unsent: string[] = [];
  #made = 0;
  #hasSessionEnded = false;
  #troubledAt = Number.NEGATIVE_INFINITY;

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  /** How many calls have not ended. */
  get pending(): number {
    return this.#pending.size;
  }

  onAction({ do: what }: Action): void {
    if (!harmless.includes(what)) this.#troubledAt = this.#world.scheduler.now;
  }

  onFact({ type }: SupervisorFact): void {
    if (type === 'session.closed' || type === 'session.stepped-in') this.#hasSessionEnded = true;
  }

  afterEvent(): void {
    if (!this.#hasSessionEnded) return;
    this.#hasSessionEnded = false;
    if (this.#pending.size > 0) this.#report('calls end with their session', `${this.#pending.size} are still pending`);
  }

  make({ owner, core }: Run, { calls, slowestMs }: Extract<Deed, { do: 'call' }>): void {
    for (let index = 0; index < calls && this.#made < mostCalls; index += 1) {
      this.#made += 1;
      const key = `call ${this.#made}`;
      const params = JSON.stringify({ key, delayMs: Math.floor((slowestMs * index) / calls) });
      const call: Call = { key, begunAt: this.#world.scheduler.now, owner };
      this.#pending.add(call);
      core.calls.call({ method: 'simulator/echo', params }, { id: index % programs, isGone: false }).then(
        ({ json }) => this.#onAnswer(call, json === params),
        (error: unknown) => this.#onError(call, error),
      );
    }
  }

  /** Every few seconds. */
  check(): void {
    for (const call of this.#pending) {
      if (this.#elapsed(call) > deadlineMs + graceMs && this.#world.run?.owner === call.owner) {
        this.#pending.delete(call);
        this.#report('no call hangs', `${call.key} has been waiting for ${this.#elapsed(call)} ms`);
      }
    }
  }

  /** A run is gone, in good order or not. */
  onEnded(owner: number, inGoodOrder: boolean): void {
    for (const call of this.#pending) {
      if (call.owner !== owner) continue;
      this.#pending.delete(call);
      if (inGoodOrder) this.#report('no call hangs', `${call.key} is pending after figd has stopped`);
    }
  }

  atTheEnd(): void {
    const { echoes } = this.#world.venue.stats;
    if (echoes.repeated > 0) this.#report('no call is executed twice', `${echoes.repeated} were`);
    for (const key of this.#answered) {
      if (echoes.timesByKey[key] !== 1) this.#report('an answer is the call’s own', `${key} was never executed`);
    }
    for (const key of this.#unsent) {
      if (echoes.timesByKey[key] !== undefined) this.#report('what was not sent is not executed', key);
    }
  }

  #onAnswer(call: Call, isOwn: boolean): void {
    this.#settle(call);
    this.#answered.push(call.key);
    if (!isOwn) this.#report('an answer is the call’s own', `${call.key} got another one`);
  }

  #onError(call: Call, error: unknown): void {
    this.#settle(call);
    const { code, sent } = error instanceof RpcError && isRecord(error.data) ? error.data : {};
    if (error instanceof EncodedError || typeof code !== 'string') {
      this.#report('a call ends with its answer or a clear error', `${call.key}: ${String(error)}`);
      return;
    }
    if (sent === false) this.#unsent.push(call.key);
    if (code === 'renewal' && this.#elapsed(call) < keptForMs && this.#isCalm())
      this.#report('a takeover costs no call its answer', `${call.key} after ${Math.round(this.#elapsed(call))} ms`);
  }

  #settle(call: Call): void {
    if (!this.#pending.delete(call)) this.#report('a call ends once', call.key);
    if (this.#elapsed(call) > deadlineMs + graceMs)
      this.#report('no call hangs', `${call.key} ended after ${Math.round(this.#elapsed(call))} ms`);
  }

  /** How long the call has been under way while figd ran, as far as it cannot say that it was not running. */
  #elapsed({ begunAt }: Call): number {
    const { scheduler, judge } = this.#world;
    return judge.isPaused ? 0 : scheduler.now - Math.max(begunAt, judge.resumedAt);
  }

  #isCalm(): boolean {
    const { scheduler, venue, judge, frozenUntil } = this.#world;
    const since = scheduler.now - calmMs;
    const isTroubled = Math.max(this.#troubledAt, judge.resumedAt, frozenUntil) > since;
    return !isTroubled && venue.faults.list().length === 0;
  }
}
