import { type AnyActorRef, assign, type CallbackLogicFunction, fromCallback, fromPromise, sendTo, setup } from 'xstate';
import { type Failure, failure, failureOf } from '../protocol/failure.ts';
import { clampDelay } from './policies/delay.ts';

export interface SessionSettings {
  /** Lengths in milliseconds. */
  readonly connectTimeout: number;
  readonly heartbeatInterval: number;
  readonly renewal: 'auto' | 'in-place' | 'reconnect';
}

export interface SessionInput {
  /** Number of the session since the daemon started, from 1. */
  readonly id: number;
  readonly supervisor: AnyActorRef;
  readonly settings: SessionSettings;
  /** Generation of the newest token when the session was dialled. */
  readonly newestToken: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface HeartbeatAck {
  readonly rttMs: number;
  /** Venue clock minus ours in milliseconds, or null where the venue told no time. */
  readonly clockOffsetMs: number | null;
}

export interface SubscriptionAnswer {
  readonly confirmed: readonly string[];
  readonly refused: readonly string[];
}

export interface SessionContext extends SessionInput {
  readonly connectedAt: number | null;
  readonly liveAt: number | null;
  /** Generation of the token shown to the venue when the session began; 0 before. */
  readonly presentedToken: number;
  /** Generation of the token this session was authenticated with. */
  readonly authenticatedWith: number;
  readonly lastHeartbeatSentAt: number;
  readonly lastHeartbeat: (HeartbeatAck & { readonly at: number }) | null;
  readonly confirmed: readonly string[];
  readonly refused: readonly string[];
  /** How often the refused channels were asked for again. */
  readonly subscribeRetries: number;
  readonly ending: Failure | null;
}

export interface SessionOutput {
  readonly id: number;
  readonly failure: Failure;
  /** Generation of the token the session used, or would have used. */
  readonly token: number;
  /** How long it was live, in milliseconds; null when it never was. */
  readonly liveForMs: number | null;
}

/** Facts from the socket. */
export type SocketFact =
  | { readonly type: 'socket.opened' }
  | { readonly type: 'socket.closed'; readonly failure: Failure };

export type SocketCommand =
  /** Close with a handshake (RFC 6455, 7.1.2). */
  { readonly type: 'hang up' };

export type SessionEvent =
  | SocketFact
  /** A newer token is in use; the session must move to it before its own dies. */
  | { readonly type: 'token.renewed'; readonly generation: number }
  /** End the session in good order, for the reason given. */
  | { readonly type: 'close'; readonly failure: Failure };

/** What a session tells its supervisor. */
export type SessionReport =
  | { readonly type: 'session.authenticated'; readonly id: number }
  | {
      readonly type: 'session.live';
      readonly id: number;
      readonly confirmed: readonly string[];
      readonly refused: readonly string[];
    }
  | {
      readonly type: 'session.resubscribed';
      readonly id: number;
      readonly confirmed: readonly string[];
      readonly refused: readonly string[];
    }
  | { readonly type: 'session.heartbeat'; readonly id: number; readonly rttMs: number }
  | { readonly type: 'session.renewed'; readonly id: number; readonly generation: number };

const notProvided = () => Promise.reject(new Error('this actor is not provided'));

/** How long a closing handshake may take before the socket is cut. */
const closeTimeoutMs = 1_000;
const resubscribeMinMs = 30_000;
const resubscribeMaxMs = 300_000;

/** One socket, from dialling to its end. It never dials again: that is the supervisor's decision. */
export const sessionMachine = setup({
  types: {} as { context: SessionContext; input: SessionInput; events: SessionEvent; output: SessionOutput },
  actors: {
    /** Owns the WebSocket: dials when invoked, cuts it when disposed. */
    socket: fromCallback<SocketCommand, { readonly session: number }>((() => {
      throw new Error('socket is not provided');
    }) as CallbackLogicFunction<SocketCommand, SessionEvent, { readonly session: number }>),
    /** Authenticates; resolves with the generation of the token it used. */
    authenticate: fromPromise<number, { readonly session: number }>(notProvided),
    /** Subscribes to what the configuration names, or to the channels given. */
    subscribe: fromPromise<
      SubscriptionAnswer,
      { readonly session: number; readonly channels: readonly string[] | null }
    >(notProvided),
    heartbeat: fromPromise<HeartbeatAck, { readonly session: number }>(notProvided),
    /** Moves the session to the newest token on the same socket; resolves with its generation. */
    renewInPlace: fromPromise<number, { readonly session: number }>(notProvided),
  },
  delays: {
    'connect timeout': ({ context }) => clampDelay(context.settings.connectTimeout),
    // Counted from the previous one's departure: a slow reply must not stretch the rhythm the venue enforces.
    'until the next heartbeat': ({ context }) =>
      clampDelay(context.lastHeartbeatSentAt + context.settings.heartbeatInterval - context.now()),
    'until resubscribing': ({ context }) =>
      clampDelay(Math.min(resubscribeMaxMs, resubscribeMinMs * 2 ** context.subscribeRetries)),
    'close timeout': closeTimeoutMs,
  },
  guards: {
    'is every channel confirmed?': ({ context }) => context.refused.length === 0,
    'is a newer token out?': ({ context }) => context.newestToken > context.authenticatedWith,
    'did the renewal bring a newer token?': ({ context }, params: { token: number }) =>
      params.token > context.authenticatedWith,
    'does a newer token need a new session?': ({ context }) =>
      context.newestToken > context.authenticatedWith && context.settings.renewal === 'reconnect',
  },
  actions: {
    'note the connection': assign(({ context }) => ({ connectedAt: context.now() })),
    'note the token presented': assign(({ context }) => ({ presentedToken: context.newestToken })),
    'note the authentication': assign((_, params: { token: number }) => ({ authenticatedWith: params.token })),
    'note the newest token': assign(({ context }, params: { generation: number }) => ({
      newestToken: Math.max(context.newestToken, params.generation),
    })),
    'note the channels': assign((_, params: SubscriptionAnswer) => ({
      confirmed: params.confirmed,
      refused: params.refused,
    })),
    'add the channels': assign(({ context }, params: SubscriptionAnswer) => ({
      confirmed: [...context.confirmed, ...params.confirmed],
      refused: params.refused,
      subscribeRetries: context.subscribeRetries + 1,
    })),
    'count the retry': assign(({ context }) => ({ subscribeRetries: context.subscribeRetries + 1 })),
    'note going live': assign(({ context }) => ({ liveAt: context.now() })),
    'note the departure': assign(({ context }) => ({ lastHeartbeatSentAt: context.now() })),
    'note the heartbeat': assign(({ context }, params: HeartbeatAck) => ({
      lastHeartbeat: { ...params, at: context.now() },
    })),
    'note the ending': assign(({ context }, params: { failure: Failure }) => ({
      ending: context.ending ?? params.failure,
    })),
    'hang up': sendTo('socket', { type: 'hang up' }),
    'report being authenticated': sendTo(
      ({ context }) => context.supervisor,
      ({ context }): SessionReport => ({ type: 'session.authenticated', id: context.id }),
    ),
    'report being live': sendTo(
      ({ context }) => context.supervisor,
      ({ context }): SessionReport => ({
        type: 'session.live',
        id: context.id,
        confirmed: context.confirmed,
        refused: context.refused,
      }),
    ),
    'report the channels': sendTo(
      ({ context }) => context.supervisor,
      ({ context }): SessionReport => ({
        type: 'session.resubscribed',
        id: context.id,
        confirmed: context.confirmed,
        refused: context.refused,
      }),
    ),
    'report the heartbeat': sendTo(
      ({ context }) => context.supervisor,
      ({ context }, params: HeartbeatAck): SessionReport => ({
        type: 'session.heartbeat',
        id: context.id,
        rttMs: params.rttMs,
      }),
    ),
    'report the renewal': sendTo(
      ({ context }) => context.supervisor,
      ({ context }): SessionReport => ({
        type: 'session.renewed',
        id: context.id,
        generation: context.authenticatedWith,
      }),
    ),
  },
}).createMachine({
  id: 'session',
  initial: 'connecting',
  context: ({ input }) => ({
    ...input,
    connectedAt: null,
    liveAt: null,
    presentedToken: 0,
    authenticatedWith: 0,
    lastHeartbeatSentAt: Number.NEGATIVE_INFINITY,
    lastHeartbeat: null,
    confirmed: [],
    refused: [],
    subscribeRetries: 0,
    ending: null,
  }),
  output: ({ context }) => ({
    id: context.id,
    failure: context.ending ?? failure('internal', 'the session ended without a reason'),
    token: context.authenticatedWith || context.presentedToken || context.newestToken,
    liveForMs: context.liveAt === null ? null : context.now() - context.liveAt,
  }),
  invoke: {
    id: 'socket',
    src: 'socket',
    input: ({ context }) => ({ session: context.id }),
    onError: {
      target: '.closed',
      actions: { type: 'note the ending', params: ({ event }) => ({ failure: failureOf(event.error) }) },
    },
  },
  on: {
    'socket.closed': {
      target: '.closed',
      actions: { type: 'note the ending', params: ({ event }) => ({ failure: event.failure }) },
    },
    close: {
      target: '.closing',
      actions: { type: 'note the ending', params: ({ event }) => ({ failure: event.failure }) },
    },
    'token.renewed': {
      actions: { type: 'note the newest token', params: ({ event }) => ({ generation: event.generation }) },
    },
  },
  states: {
    connecting: {
      on: { 'socket.opened': { target: 'authenticating', actions: 'note the connection' } },
      after: {
        'connect timeout': {
          target: 'closed',
          actions: {
            type: 'note the ending',
            params: ({ context }) => ({
              failure: failure('connect-timeout', `no connection within ${context.settings.connectTimeout} ms`),
            }),
          },
        },
      },
    },
    authenticating: {
      entry: 'note the token presented',
      invoke: {
        src: 'authenticate',
        input: ({ context }) => ({ session: context.id }),
        onDone: {
          target: 'subscribing',
          actions: [
            { type: 'note the authentication', params: ({ event }) => ({ token: event.output }) },
            'report being authenticated',
          ],
        },
        onError: {
          target: 'closing',
          actions: { type: 'note the ending', params: ({ event }) => ({ failure: failureOf(event.error) }) },
        },
      },
    },
    subscribing: {
      invoke: {
        src: 'subscribe',
        input: ({ context }) => ({ session: context.id, channels: null }),
        onDone: {
          target: 'live',
          actions: { type: 'note the channels', params: ({ event }) => event.output },
        },
        onError: {
          target: 'closing',
          actions: { type: 'note the ending', params: ({ event }) => ({ failure: failureOf(event.error) }) },
        },
      },
    },
    live: {
      entry: ['note going live', 'report being live'],
      type: 'parallel',
      states: {
        heartbeat: {
          initial: 'beating',
          states: {
            resting: { after: { 'until the next heartbeat': 'beating' } },
            beating: {
              entry: 'note the departure',
              invoke: {
                src: 'heartbeat',
                input: ({ context }) => ({ session: context.id }),
                onDone: {
                  target: 'resting',
                  actions: [
                    { type: 'note the heartbeat', params: ({ event }) => event.output },
                    { type: 'report the heartbeat', params: ({ event }) => event.output },
                  ],
                },
                // Half-open: a closing handshake would wait for an answer that never comes.
                onError: {
                  target: '#session.closed',
                  actions: { type: 'note the ending', params: ({ event }) => ({ failure: failureOf(event.error) }) },
                },
              },
            },
          },
        },
        renewal: {
          initial: 'current',
          states: {
            current: {
              always: [
                {
                  guard: 'does a newer token need a new session?',
                  target: '#session.closing',
                  actions: {
                    type: 'note the ending',
                    params: {
                      failure: failure('renewal', 'session.renewal is reconnect: a new token means a new session'),
                    },
                  },
                },
                { guard: 'is a newer token out?', target: 'renewing in place' },
              ],
            },
            'renewing in place': {
              invoke: {
                src: 'renewInPlace',
                input: ({ context }) => ({ session: context.id }),
                onDone: [
                  {
                    guard: {
                      type: 'did the renewal bring a newer token?',
                      params: ({ event }) => ({ token: event.output }),
                    },
                    target: 'current',
                    actions: [
                      { type: 'note the authentication', params: ({ event }) => ({ token: event.output }) },
                      'report the renewal',
                    ],
                  },
                  // Asking again would be a loop as fast as the venue answers.
                  {
                    target: '#session.closing',
                    actions: {
                      type: 'note the ending',
                      params: { failure: failure('renewal', 'the renewal in place brought no newer token') },
                    },
                  },
                ],
                onError: {
                  target: '#session.closing',
                  actions: {
                    type: 'note the ending',
                    params: ({ event }) => ({
                      failure: failure(
                        'renewal',
                        `the venue does not renew this session in place: ${failureOf(event.error).message}`,
                      ),
                    }),
                  },
                },
              },
            },
          },
        },
        subscriptions: {
          initial: 'counted',
          states: {
            counted: {
              always: [{ guard: 'is every channel confirmed?', target: 'complete' }, { target: 'partial' }],
            },
            complete: {},
            partial: { after: { 'until resubscribing': 'asking again' } },
            'asking again': {
              invoke: {
                src: 'subscribe',
                input: ({ context }) => ({ session: context.id, channels: context.refused }),
                onDone: {
                  target: 'counted',
                  actions: [{ type: 'add the channels', params: ({ event }) => event.output }, 'report the channels'],
                },
                onError: { target: 'partial', actions: 'count the retry' },
              },
            },
          },
        },
      },
    },
    closing: {
      entry: 'hang up',
      // A second reason to close changes nothing.
      on: { close: {} },
      after: { 'close timeout': 'closed' },
    },
    closed: { type: 'final' },
  },
});
