import { expect } from 'vitest';
import { type ActorRefFrom, createActor, fromCallback, fromPromise } from 'xstate';
import type { SubscriptionAnswer } from '../../../src/machines/policies/channel-book.ts';
import type {
  CuttingTime,
  HeartbeatAck,
  SessionEvent,
  SessionOutput,
  SessionReport,
  SessionSettings,
  SocketCommand,
} from '../../../src/machines/session.events.ts';
import { sessionMachine } from '../../../src/machines/session.machine.ts';
import { type Failure, FailureError, failure } from '../../../src/protocol/failure.ts';
import { deferred, settle, VirtualTime } from './virtual-time.ts';

type Answers = {
  readonly authenticate: number;
  readonly subscribe: SubscriptionAnswer;
  readonly unsubscribe: readonly string[];
  readonly heartbeat: HeartbeatAck;
  readonly renewInPlace: number;
  readonly quietMoment: number | null;
  readonly lastAnswers: undefined;
};
export type CallName = keyof Answers;

interface OfChannels {
  readonly session: number;
  readonly channels: readonly string[];
}

/** A call to the venue, not yet answered. */
interface Call {
  readonly name: CallName;
  readonly at: number;
  readonly input: object;
  readonly signal: AbortSignal;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

const second = 1_000;
export const allChannels = ['rfq.maker', 'rfq.taker'];
export const ack: HeartbeatAck = { rttMs: 4, clockOffsetMs: -2 };
export const lost = failure('connection-lost', 'the venue closed the connection');

/** What is known of the link before the first heartbeat. */
export const unproven = { provenAt: null, heartbeatSentAt: null, rttMs: 0 };

/** What session 7 tells at its end, as far as a test does not say otherwise: that it came to nothing. */
export const outputOf = (told: Pick<SessionOutput, 'failure'> & Partial<SessionOutput>): SessionOutput => ({
  id: 7,
  token: 1,
  liveForMs: null,
  authenticatedForMs: null,
  wasOpen: true,
  unproven: 7,
  proof: unproven,
  ...told,
});

/** The fact that a socket has closed. */
export const closed = (session: number, found: Failure = lost): SessionEvent => ({
  type: 'socket.closed',
  session,
  failure: found,
});

/** The fact that there is a newer token. */
export const renewed = (generation: number): SessionEvent => ({
  type: 'token.renewed',
  generation,
  expiresAt: generation * 3_600_000,
});

/** One session, on a socket and with a venue that do what the test says. */
export class SessionStage {
  readonly time = new VirtualTime();
  readonly calls: Call[] = [];
  readonly reports: SessionReport[] = [];
  readonly commands: (SocketCommand & { readonly at: number })[] = [];
  readonly sockets = { opened: 0, disposed: 0 };
  readonly actor: ActorRefFrom<typeof sessionMachine>;
  readonly #supervisor = createActor(
    fromCallback<SessionReport>(({ receive }) => {
      receive((report) => this.reports.push(report));
    }),
  ).start();

  #settings: SessionSettings;

  constructor(settings: Partial<SessionSettings> = {}) {
    this.#settings = {
      channels: allChannels,
      connectTimeout: 10_000,
      heartbeatInterval: 10_000,
      renewal: 'auto',
      ...settings,
    };
    const call =
      <Name extends CallName>(name: Name) =>
      ({ input, signal }: { input: object; signal: AbortSignal }) => {
        const { promise, resolve, reject } = deferred<Answers[Name]>();
        this.calls.push({ name, at: this.time.now(), input, signal, resolve, reject });
        return promise;
      };
    const machine = sessionMachine.provide({
      actors: {
        sockets: fromCallback<SocketCommand, { readonly session: number }>(({ receive }) => {
          this.sockets.opened += 1;
          receive((command) => this.commands.push({ at: this.time.now(), ...command }));
          return () => {
            this.sockets.disposed += 1;
          };
        }),
        authenticate: fromPromise<number, { readonly session: number }>(call('authenticate')),
        subscribe: fromPromise<SubscriptionAnswer, OfChannels>(call('subscribe')),
        unsubscribe: fromPromise<readonly string[], OfChannels>(call('unsubscribe')),
        heartbeat: fromPromise<HeartbeatAck, { readonly session: number }>(call('heartbeat')),
        renewInPlace: fromPromise<number, { readonly session: number }>(call('renewInPlace')),
        quietMoment: fromPromise<number | null, CuttingTime>(call('quietMoment')),
        lastAnswers: fromPromise<void, { readonly session: number }>(call('lastAnswers')),
      },
    });
    this.actor = createActor(machine, {
      clock: this.time.clock,
      input: {
        id: 7,
        supervisor: this.#supervisor,
        settings: this.#settings,
        token: { generation: 1, expiresAt: 3_600_000 },
        now: this.time.now,
      },
    });
    this.actor.start();
  }

  get state() {
    return this.actor.getSnapshot().value;
  }

  /** The state of one region of a live session; of one that is not live, all there is. */
  part(region: 'heartbeat' | 'renewal' | 'subscriptions') {
    const { state } = this;
    return typeof state === 'object' && 'live' in state ? state.live[region] : state;
  }

  get output() {
    return this.actor.getSnapshot().output;
  }

  /** What was asked of the venue, with the moment. */
  asked(name: CallName): readonly number[] {
    return this.calls.filter((call) => call.name === name).map(({ at }) => at);
  }

  send(event: SessionEvent): Promise<void> {
    this.actor.send(event);
    return settle();
  }

  /** The configuration changes. */
  change(settings: Partial<SessionSettings>): Promise<void> {
    this.#settings = { ...this.#settings, ...settings };
    return this.send({ type: 'settings.changed', settings: this.#settings });
  }

  /** Answers the call of that name that was made last, on the session given if one is. */
  answer<Name extends CallName>(name: Name, value: Answers[Name], session?: number): Promise<void> {
    this.#latest(name, session).resolve(value as never);
    return settle();
  }

  refuse(name: CallName, found: Failure, session?: number): Promise<void> {
    this.#latest(name, session).reject(new FailureError(found));
    return settle();
  }

  /** Lets time pass second by second, and has the venue answer every heartbeat. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= second) {
      await this.time.advance(Math.min(left, second));
      if (this.calls.at(-1)?.name === 'heartbeat') await this.answer('heartbeat', ack);
    }
  }

  async goLive(answer: SubscriptionAnswer = { confirmed: allChannels, refused: [] }, token = 1): Promise<void> {
    await this.send({ type: 'socket.opened', session: 7 });
    await this.answer('authenticate', token);
    await this.answer('subscribe', answer);
  }

  strike(): void {
    this.actor.stop();
    this.#supervisor.stop();
  }

  /** Strikes it, and expects that nothing is left: no timer, and the one actor of its sockets given back. */
  strikeLeavingNothing(): void {
    this.strike();
    this.time.expectNoTimers();
    expect(this.sockets).toEqual({ opened: 1, disposed: 1 });
  }

  #latest(name: CallName, session?: number): Call {
    const isMeant = (call: Call) =>
      call.name === name && (session === undefined || (call.input as { session?: number }).session === session);
    const call = this.calls.findLast(isMeant);
    if (call === undefined) throw new Error(`${name} was not called yet`);
    return call;
  }
}
