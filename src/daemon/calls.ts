import type { Vault } from '../adapters/vault.ts';
import { passOn } from '../adapters/venue-answer.ts';
import type { VenueSession } from '../adapters/venue-session.ts';
import type { MethodNames } from '../config/settings.ts';
import type { AccessRecord } from '../gateway/access-record.ts';
import { Admission } from '../gateway/admission.ts';
import type { Caller } from '../gateway/caller.ts';
import { notAllowedMessage, type Permissions } from '../gateway/permissions.ts';
import type { Clock } from '../protocol/clock.ts';
import { type Failure, type FailureCode, FailureError, failure, failureOf } from '../protocol/failure.ts';
import { EncodedError, type EncodedResult, isRecord, RpcError } from '../protocol/json-rpc.ts';
import type { CallRequest } from '../protocol/local-requests.ts';
import { NotSentError, type RpcAnswer } from '../protocol/request-table.ts';
import { rpcCodeOf } from './rpc-code.ts';

/** The part of a session that takes calls. */
export type CallableSession = Pick<VenueSession, 'call'>;

export interface CallsPorts {
  readonly clock: Clock;
  readonly vault: Vault;
  readonly permissions: Permissions;
  /** The methods by which figd manages the session itself. */
  readonly methods: MethodNames;
  /** Milliseconds that a call may take at most, and takes where the caller does not say. */
  readonly timeout: () => number;
  /** Number of the session that is live; null where there is none. */
  readonly live: () => number | null;
  /** Why no session is live, and what happens next. */
  readonly whyNot: () => string;
  readonly onCall: (record: AccessRecord) => void;
}

/** A session, and the calls on it that the venue has not answered. */
interface Desk {
  readonly id: number;
  readonly session: CallableSession;
  unanswered: number;
  /** Told when the last of them has ended. */
  onIdle: () => void;
}

/**
 * A heartbeat that leaves now waits on the wire behind what these weigh, and so does its answer behind theirs. 64 calls
 * are 640 a second where the venue takes 100 ms for each.
 */
const underWay = { calls: 64, weight: 1_048_576 };

/**
 * Where the calls of local programs go out to the venue, over whichever session is live. Each ends once: with the
 * venue's answer, at its deadline, or with its session. None is made twice, and none waits for a session.
 */
export class Calls {
  readonly #ports: CallsPorts;
  readonly #reserved: ReadonlyMap<string, string>;
  readonly #admission: Admission;
  readonly #desks = new Map<number, Desk>();

  constructor(ports: CallsPorts) {
    this.#ports = ports;
    this.#admission = new Admission(underWay, ports.clock);
    const { auth, refresh, subscribe, unsubscribe } = ports.methods;
    const byChannels = 'figd subscribes to what session.channels names: change that, and run figd reload';
    const byItself =
      'figd authenticates its session itself: figd refresh asks for a new token, figd rotate opens a new session';
    this.#reserved = new Map([
      [subscribe, byChannels],
      [unsubscribe, byChannels],
      [auth, byItself],
      [refresh, byItself],
    ]);
  }

  /** A session is dialled. */
  begin(id: number, session: CallableSession): void {
    this.#desks.set(id, { id, session, unanswered: 0, onIdle: () => undefined });
  }

  /** A session is gone. Its calls it has ended itself; those that have not left yet find out here. */
  end(id: number): void {
    this.#desks.delete(id);
    if (this.#liveDesk() !== null) return;
    this.#admission.turnAway(
      new NotSentError(failure('not-live', 'the session ended before the turn of the call came')),
    );
  }

  /** What is under way and what waits, and the calls that each session has not had answered. */
  view(): object {
    const sessions = [...this.#desks.values()].map(({ id, unanswered }) => ({ id, unanswered }));
    return { ...this.#admission.view(), sessions };
  }

  /** Resolves when no call waits for an answer on that session. */
  answered(id: number): Promise<void> {
    const desk = this.#desks.get(id);
    if (desk === undefined || desk.unanswered === 0) return Promise.resolve();
    return new Promise((resolve) => {
      desk.onIdle = resolve;
    });
  }

  /**
   * Makes a call.
   * @returns the venue's result, as it came
   * @throws {RpcError} the venue's error as it came, or one of figd's own whose data tells the code of the failure, and
   * whether the call was sent, so that it may have been executed
   */
  async call(request: CallRequest, caller: Caller): Promise<EncodedResult> {
    const { clock, onCall } = this.#ports;
    const { method } = request;
    const begunAt = clock.monotonic();
    let status = 'ok';
    try {
      return await this.#make(request, caller, begunAt);
    } catch (error) {
      const told = error instanceof FailureError ? this.#told(method, error) : error;
      status = statusOf(told);
      throw told;
    } finally {
      onCall({ door: 'call', caller: caller.id, method, status, ms: clock.monotonic() - begunAt });
    }
  }

  async #make({ method, params, timeoutMs }: CallRequest, caller: Caller, begunAt: number): Promise<EncodedResult> {
    const { clock, vault, timeout } = this.#ports;
    this.#checkAllowed(method);
    if (this.#liveDesk() === null) throw this.#notLive();
    const ms = Math.min(timeoutMs ?? timeout(), timeout());
    const leave = await this.#admission.enter(caller, params.length, ms);
    try {
      const desk = this.#liveDesk();
      if (desk === null) throw this.#notLive();
      const left = begunAt + ms - clock.monotonic();
      // While this host was suspended no timer ran: what was wanted then may not be wanted now.
      if (left <= 0) throw new NotSentError(failure('too-many-calls', 'its deadline passed before its turn came'));
      return passOn(method, await this.#ask(desk, method, params, left), vault);
    } finally {
      leave();
    }
  }

  async #ask(desk: Desk, method: string, params: string, ms: number): Promise<RpcAnswer> {
    desk.unanswered += 1;
    try {
      return await desk.session.call(method, params, ms);
    } catch (error) {
      const live = this.#liveDesk();
      const wasReplaced = live !== null && live !== desk && failureOf(error).code !== 'reply-timeout';
      if (error instanceof NotSentError || !wasReplaced) throw error;
      throw new FailureError(failure('renewal', `session ${live.id} has taken over from session ${desk.id}`));
    } finally {
      desk.unanswered -= 1;
      if (desk.unanswered === 0) desk.onIdle();
    }
  }

  #checkAllowed(method: string): void {
    const instead = this.#reserved.get(method);
    if (instead !== undefined) throw refused(`${method} is not for callers: ${instead}`);
    if (!this.#ports.permissions.allowsCall(method)) throw refused(notAllowedMessage(method));
  }

  #liveDesk(): Desk | null {
    const id = this.#ports.live();
    return (id === null ? undefined : this.#desks.get(id)) ?? null;
  }

  #notLive(): NotSentError {
    return new NotSentError(failure('not-live', `there is no live session: ${this.#ports.whyNot()}`));
  }

  #told(method: string, error: FailureError): RpcError {
    const { class: kind, code } = error.failure;
    const sent = !(error instanceof NotSentError);
    const message = sent
      ? afterSending(method, error.failure)
      : `${error.failure.message.replace(/\.$/, '')}; the call was not sent`;
    return new RpcError(rpcCodeOf(code), message, { class: kind, code, sent });
  }
}

function refused(message: string): NotSentError {
  return new NotSentError(failure('not-allowed', message));
}

function afterSending(method: string, { code, message }: Failure): string {
  if (code === 'withheld') return message;
  const what = code === 'reply-timeout' ? message : `the session ended before ${method} was answered (${message})`;
  return `${what}; the call was sent, and may have been executed`;
}

/** As the access log tells it. */
function statusOf(error: unknown): string {
  if (error instanceof EncodedError) return `rpc ${error.code}`;
  if (error instanceof RpcError && isRecord(error.data)) return String(error.data['code']);
  return 'internal' satisfies FailureCode;
}
