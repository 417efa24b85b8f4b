import { expect } from 'vitest';
import { type ActorRefFrom, createActor, fromCallback, fromPromise } from 'xstate';
import type { SubscriptionAnswer } from '../../../src/machines/policies/channel-book.ts';
import type { Comparison } from '../../../src/machines/reconcile.events.ts';
import { reconcileMachine } from '../../../src/machines/reconcile.machine.ts';
import type { CuttingTime, HeartbeatAck, SessionEvent, SocketCommand } from '../../../src/machines/session.events.ts';
import { sessionMachine } from '../../../src/machines/session.machine.ts';
import type {
  SupervisorEvent,
  SupervisorFact,
  SupervisorInput,
  SupervisorSettings,
} from '../../../src/machines/supervisor.events.ts';
import { supervisorMachine } from '../../../src/machines/supervisor.machine.ts';
import type { Grant, TokenRequest } from '../../../src/machines/token.events.ts';
import { tokenMachine } from '../../../src/machines/token.machine.ts';
import { type Failure, FailureError } from '../../../src/protocol/failure.ts';
import { ack, allChannels, lost } from './session-stage.ts';
import { settle, VirtualTime } from './virtual-time.ts';

const hour = 3_600_000;

/** What the venue does; a test replaces what it is about. Sessions are given by number. */
export interface Venue {
  grant: (request: TokenRequest) => Promise<Grant>;
  /** Returns whether the connection opens at once; null leaves it hanging. */
  connect: (session: number) => Failure | 'opens' | null;
  authenticate: (session: number, newestToken: number) => Promise<number>;
  subscribe: (session: number, channels: readonly string[]) => Promise<SubscriptionAnswer>;
  heartbeat: (session: number) => Promise<HeartbeatAck>;
  renewInPlace: (session: number, newestToken: number) => Promise<number>;
  quietMoment: (time: CuttingTime) => Promise<number | null>;
  /** What others asked on the session is answered. */
  lastAnswers: (session: number) => Promise<void>;
  compare: () => Promise<Comparison>;
  /** Whether it answers a closing handshake. */
  hangsUp: boolean;
}

export const refuseWith = (failure: Failure): Promise<never> => Promise.reject(new FailureError(failure));
export const never = (): Promise<never> => new Promise(() => {});

/** The facts of a session that comes about, where nothing is compared. */
export const lifeOf = (id: number): readonly SupervisorFact[] => [
  { type: 'session.authenticated', id },
  { type: 'session.live', id, confirmed: allChannels, refused: [] },
  { type: 'gap.ended', at: null },
  { type: 'reconcile.finished', outcome: 'not-attempted', missed: 0, failure: null },
];

export const wellBehaved = (): Venue => ({
  grant: async () => ({ lifeMs: hour }),
  connect: () => 'opens',
  authenticate: async (_, newestToken) => newestToken,
  subscribe: async (_, channels) => ({ confirmed: channels, refused: [] }),
  heartbeat: async () => ack,
  renewInPlace: async (_, newestToken) => newestToken,
  quietMoment: never,
  lastAnswers: async () => undefined,
  compare: async () => ({ missed: 0 }),
  hangsUp: true,
});

const usualSettings: SupervisorSettings = {
  authenticateWith: 'token',
  session: { channels: allChannels, connectTimeout: 10_000, heartbeatInterval: 10_000, renewal: 'auto' },
  backoff: { min: 500, max: 20_000, resetAfter: 30_000 },
  token: { refreshAt: 0.8, refreshMargin: 60_000 },
  reconcileInterval: null,
};

/** The real machines, supervisor and all, against a venue that does what the test says. */
export class DaemonStage {
  readonly time = new VirtualTime();
  readonly venue: Venue;
  readonly actor: ActorRefFrom<typeof supervisorMachine>;
  readonly facts: SupervisorFact[] = [];
  /** When each session was dialled. */
  readonly dials: number[] = [];
  /** When each token was asked for. */
  readonly requests: number[] = [];
  readonly sockets = { open: 0, most: 0 };
  settings: SupervisorSettings;
  #close: (session: number, failure: Failure) => void = () => {};
  #newestToken = 0;

  constructor(
    venue: Partial<Venue> = {},
    settings: Partial<Pick<SupervisorSettings, 'authenticateWith' | 'session' | 'reconcileInterval'>> = {},
    random: () => number = () => 0.5,
    /** Breaks the session's own deadline for closing. */
    closeTimeoutMs?: number,
    earlier: SupervisorInput['earlier'] = { dials: [], tokenRequests: [] },
  ) {
    this.venue = { ...wellBehaved(), ...venue };
    this.settings = { ...usualSettings, ...settings };
    this.actor = createActor(this.#wire(closeTimeoutMs), {
      clock: this.time.clock,
      input: {
        settings: this.settings,
        earlier,
        now: this.time.now,
        random,
      },
    });
    this.actor.on('*', (fact) => this.facts.push(fact));
    this.actor.start();
  }

  get state() {
    const { value } = this.actor.getSnapshot();
    return typeof value === 'string' ? value : (Object.values(value)[0] ?? '');
  }

  get sessionState() {
    const session = this.actor.getSnapshot().children['session'] as ActorRefFrom<typeof sessionMachine> | undefined;
    const value = session?.getSnapshot().value;
    return typeof value === 'object' ? 'live' : value;
  }

  /** Number of the session, which changes when another one takes over. */
  get sessionId(): number {
    const session = this.actor.getSnapshot().children['session'] as ActorRefFrom<typeof sessionMachine> | undefined;
    return session?.getSnapshot().context.id ?? this.context.sessions;
  }

  get tokenState() {
    return (this.actor.getSnapshot().children['token'] as ActorRefFrom<typeof tokenMachine> | undefined)?.getSnapshot()
      .value;
  }

  get context() {
    return this.actor.getSnapshot().context;
  }

  /** Empties the list of facts and returns what was in it, without the heartbeats. */
  takeFacts(): readonly SupervisorFact[] {
    return this.facts.splice(0).filter(({ type }) => type !== 'session.heartbeat');
  }

  send(event: SupervisorEvent): Promise<void> {
    this.actor.send(event);
    return settle();
  }

  /** The configuration changes. */
  change(settings: Partial<SupervisorSettings>): Promise<void> {
    this.settings = { ...this.settings, ...settings };
    return this.send({ type: 'settings.changed', settings: this.settings });
  }

  /** The socket of the current session, or of the one given, closes. */
  drop(failure: Failure = lost, session = this.sessionId): Promise<void> {
    this.#close(session, failure);
    return settle();
  }

  strike(): void {
    this.actor.stop();
  }

  /** Strikes it, and expects that nothing is left: no timer and no open socket. */
  strikeLeavingNothing(): void {
    this.strike();
    this.time.expectNoTimers();
    expect(this.sockets.open).toBe(0);
  }

  #wire(closeTimeoutMs: number | undefined) {
    const requestToken = fromPromise<Grant, TokenRequest>(async ({ input }) => {
      this.requests.push(this.time.now());
      const grant = await this.venue.grant(input);
      this.#newestToken = input.generation;
      return grant;
    });
    const token = tokenMachine.provide({ actors: { requestToken } });
    type OfSession = { readonly session: number };
    const session = sessionMachine.provide({
      ...(closeTimeoutMs === undefined ? {} : { delays: { 'close timeout': closeTimeoutMs } }),
      actors: {
        sockets: this.#sockets(),
        authenticate: fromPromise<number, OfSession>(({ input }) =>
          this.venue.authenticate(input.session, this.#newestToken),
        ),
        subscribe: fromPromise<SubscriptionAnswer, OfSession & { readonly channels: readonly string[] }>(({ input }) =>
          this.venue.subscribe(input.session, input.channels),
        ),
        unsubscribe: fromPromise<readonly string[], OfSession & { readonly channels: readonly string[] }>(
          async ({ input }) => input.channels,
        ),
        heartbeat: fromPromise<HeartbeatAck, OfSession>(({ input }) => this.venue.heartbeat(input.session)),
        renewInPlace: fromPromise<number, OfSession>(({ input }) =>
          this.venue.renewInPlace(input.session, this.#newestToken),
        ),
        quietMoment: fromPromise<number | null, CuttingTime>(({ input }) => this.venue.quietMoment(input)),
        lastAnswers: fromPromise<void, OfSession>(({ input }) => this.venue.lastAnswers(input.session)),
      },
    });
    const reconcile = reconcileMachine.provide({ actors: { compare: fromPromise(() => this.venue.compare()) } });
    return supervisorMachine.provide({ actors: { token, session, reconcile } });
  }

  #sockets() {
    return fromCallback<SocketCommand, { readonly session: number }>(({ input, sendBack, receive }) => {
      const open = new Set<number>();
      const tell = (event: SessionEvent) => sendBack(event);
      const cut = (session: number) => {
        if (open.delete(session)) this.sockets.open -= 1;
      };
      const close = (session: number, failure: Failure) => {
        cut(session);
        tell({ type: 'socket.closed', session, failure });
      };
      const dial = (session: number) => {
        this.dials.push(this.time.now());
        open.add(session);
        this.sockets.open += 1;
        this.sockets.most = Math.max(this.sockets.most, this.sockets.open);
        const outcome = this.venue.connect(session);
        if (outcome === 'opens') tell({ type: 'socket.opened', session });
        else if (outcome !== null) close(session, outcome);
      };
      this.#close = close;
      receive(({ type, session }) => {
        if (type === 'dial') dial(session);
        else if (type === 'cut') cut(session);
        else if (this.venue.hangsUp) close(session, lost);
      });
      dial(input.session);
      return () => {
        for (const session of open) cut(session);
      };
    });
  }
}
