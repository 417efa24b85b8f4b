import { assign, type CallbackLogicFunction, fromCallback, fromPromise, raise, sendTo, setup } from 'xstate';
import type { Failure } from '../protocol/failure.ts';
import { limitedDelay } from './policies/backoff.ts';
import { nothingProven, proofOfLife } from './policies/blindness.ts';
import { clampDelay } from './policies/delay.ts';
import {
  cuttingTime,
  expiryOf,
  lastAnswersDelay,
  resubscribeDelay,
  rotateAgainDelay,
  withToken,
} from './policies/renewal.ts';
import type {
  CuttingTime,
  HeartbeatAck,
  SessionContext,
  SessionEvent,
  SessionInput,
  SessionOutput,
  SessionReport,
  SocketCommand,
  SubscriptionAnswer,
  TokenOfSession,
} from './session.events.ts';

interface OfSession {
  readonly session: number;
}

const notProvided = () => Promise.reject(new Error('this actor is not provided'));

/** How long a closing handshake may take before the socket is cut. */
const closeTimeoutMs = 1_000;
const refusedHeartbeatPauseMs = 2_000;

const isNewerTokenOut = ({ newestToken, authenticatedWith }: SessionContext): boolean =>
  newestToken > authenticatedWith;

/** One that the venue did not take does not count for it: the next one has to come before it loses patience. */
const heartbeatPause = ({ settings, lastHeartbeat }: SessionContext): number =>
  lastHeartbeat?.refusal === undefined
    ? settings.heartbeatInterval
    : Math.min(settings.heartbeatInterval, refusedHeartbeatPauseMs);

/** When the session is to be cut if nothing can take over from it: never while it is on the newest token. */
export const whenToCut = ({ context }: { context: SessionContext }): CuttingTime =>
  cuttingTime({
    now: context.now(),
    expiresAt: isNewerTokenOut(context) ? expiryOf(context.tokens, context.authenticatedWith) : null,
    failure: context.renewalFailure,
    failedTimes: context.rotationsFailed,
  });

/** What the charts of a session are made of: its actors, delays, questions and actions. */
export const sessionSetup = setup({
  types: {} as { context: SessionContext; input: SessionInput; events: SessionEvent; output: SessionOutput },
  actors: {
    /** Owns the WebSockets: dials one when invoked, others on command, and cuts them all when disposed. */
    sockets: fromCallback<SocketCommand, OfSession>((() => {
      throw new Error('sockets is not provided');
    }) as CallbackLogicFunction<SocketCommand, SessionEvent, OfSession>),
    /** Authenticates; resolves with the generation of the token it used. */
    authenticate: fromPromise<number, OfSession>(notProvided),
    /** Subscribes to what the configuration names, or to the channels given. */
    subscribe: fromPromise<SubscriptionAnswer, OfSession & { readonly channels: readonly string[] | null }>(
      notProvided,
    ),
    heartbeat: fromPromise<HeartbeatAck, OfSession>(notProvided),
    /** Resolves when no call that others made on the session waits for an answer. */
    lastAnswers: fromPromise<void, OfSession>(notProvided),
    /** Moves the session to the newest token on the same socket; resolves with its generation. */
    renewInPlace: fromPromise<number, OfSession>(notProvided),
    /** Resolves when no RFQ is open, or at the latest moment, with the number of those that are (null: not known). */
    quietMoment: fromPromise<number | null, CuttingTime>(notProvided),
  },
  delays: {
    'connect timeout': ({ context }) => clampDelay(context.settings.connectTimeout),
    // Counted from the previous one's departure: a slow reply must not stretch the rhythm the venue enforces.
    'until the next heartbeat': ({ context }) =>
      clampDelay(context.lastHeartbeatSentAt + heartbeatPause(context) - context.now()),
    'until resubscribing': ({ context }) =>
      clampDelay(Math.max(resubscribeDelay(context.subscribeRetries), context.limitedForMs)),
    'until the limit is over': ({ context }) => clampDelay(context.limitedForMs),
    'until rotating again': ({ context }) => clampDelay(rotateAgainDelay(context.rotationsFailed)),
    'until its last answers are given up': ({ context }) =>
      clampDelay(lastAnswersDelay(context.predecessorExpiresAt, context.now())),
    'close timeout': closeTimeoutMs,
  },
  guards: {
    'is it ours?': ({ context }, params: OfSession) => params.session === context.id,
    "is it the successor's?": ({ context }, params: OfSession) => params.session === context.successor,
    "is it the predecessor's?": ({ context }, params: OfSession) => params.session === context.predecessor,
    'is every channel confirmed?': ({ context }) => context.refused.length === 0,
    'is a newer token out?': ({ context }) => isNewerTokenOut(context),
    'did the renewal bring a newer token?': ({ context }, params: { token: number }) =>
      params.token > context.authenticatedWith,
    'does a newer token need a new session?': ({ context }) =>
      isNewerTokenOut(context) && context.settings.renewal === 'reconnect',
    'does a newer token need a second session?': ({ context }) =>
      isNewerTokenOut(context) && context.settings.renewal === 'rotate',
    'can it be renewed in place?': ({ context }) =>
      isNewerTokenOut(context) && (context.settings.renewal === 'auto' || context.settings.renewal === 'in-place'),
    'does the venue limit us?': (_, params: { failure: Failure }) => params.failure.class === 'limited',
    'is renewal in place refused for good?': ({ context }, params: { failure: Failure }) =>
      context.settings.renewal === 'auto' && params.failure.code !== 'token-refused',
  },
  actions: {
    'note the connection': assign(({ context }) => ({ connectedAt: context.now() })),
    'note the token presented': assign(({ context }) => ({ presentedToken: context.newestToken })),
    // A session authenticated with the credentials, before there was a token (0), is on whichever comes first.
    'note the authentication': assign(({ context }, params: { token: number }) => ({
      authenticatedWith: params.token || context.newestToken,
      authenticatedAt: context.authenticatedAt ?? context.now(),
      // The venue counts from the connection on, and its first heartbeat is due then.
      lastHeartbeatSentAt: Math.max(context.lastHeartbeatSentAt, context.connectedAt ?? context.now()),
    })),
    'note the newest token': assign(({ context }, params: TokenOfSession) => ({
      newestToken: Math.max(context.newestToken, params.generation),
      tokens: withToken(context.tokens, params),
      ...(context.liveAt !== null && context.authenticatedWith === 0 ? { authenticatedWith: params.generation } : {}),
    })),
    'note the channels': assign((_, params: SubscriptionAnswer) => ({
      confirmed: params.confirmed,
      refused: params.refused,
      limitedForMs: 0,
    })),
    'add the channels': assign(({ context }, params: SubscriptionAnswer) => ({
      confirmed: [...context.confirmed, ...params.confirmed],
      refused: params.refused,
      subscribeRetries: context.subscribeRetries + 1,
      limitedForMs: 0,
    })),
    'count the retry': assign(({ context }) => ({
      subscribeRetries: context.subscribeRetries + 1,
      limitedForMs: 0,
    })),
    'note the limit': assign(({ context }, params: { failure: Failure }) => ({
      limitedForMs: limitedDelay(params.failure, context.subscribeRetries),
      subscribeRetries: context.subscribeRetries + 1,
    })),
    'note going live': assign(({ context }) => ({ liveAt: context.now() })),
    'note the departure': assign(({ context }) => ({ lastHeartbeatSentAt: context.now() })),
    'note the heartbeat': assign(({ context }, params: HeartbeatAck) => ({
      lastHeartbeat: { ...params, at: context.now() },
    })),
    'note the ending': assign(({ context }, params: { failure: Failure }) => ({
      ending: context.ending ?? params.failure,
    })),
    'hang up': sendTo('sockets', ({ context }) => ({ type: 'hang up', session: context.id })),
    'dial the successor': sendTo('sockets', ({ context }) => ({ type: 'dial', session: context.successor ?? 0 })),
    'note the successor': assign((_, params: OfSession) => ({ successor: params.session })),
    "note the successor's token": assign((_, params: { token: number }) => ({ successorToken: params.token })),
    'drop the successor': sendTo('sockets', ({ context }) => ({ type: 'cut', session: context.successor ?? 0 })),
    'note the failed rotation': assign(({ context }, params: { failure: Failure }) => ({
      rotationsFailed: context.rotationsFailed + 1,
      renewalFailure: params.failure,
    })),
    'note that renewal works': assign({ renewalFailure: null, rotationsFailed: 0 }),
    'let the successor take over': assign(({ context }, params: SubscriptionAnswer) => ({
      predecessor: context.id,
      predecessorExpiresAt: expiryOf(context.tokens, context.authenticatedWith),
      takeover: { at: context.now(), proof: proofOfLife(context) },
      id: context.successor ?? context.id,
      successor: null,
      authenticatedWith: context.successorToken,
      authenticatedAt: context.now(),
      connectedAt: context.now(),
      confirmed: params.confirmed,
      refused: params.refused,
    })),
    'turn to it': raise({ type: 'took over' }),
    'say goodbye to the predecessor': sendTo('sockets', ({ context }) => ({
      type: 'hang up',
      session: context.predecessor ?? 0,
    })),
    'cut the predecessor': sendTo('sockets', ({ context }) => ({ type: 'cut', session: context.predecessor ?? 0 })),
    'note that it was alive': assign({ takeover: null }),
    'forget the predecessor': assign({ predecessor: null, predecessorExpiresAt: null, takeover: null }),
    'report being authenticated': sendTo(
      ({ context }) => context.supervisor,
      ({ context }): SessionReport => ({ type: 'session.authenticated', id: context.id }),
    ),
    'report being live': sendTo(
      ({ context }) => context.supervisor,
      ({ context: { id, confirmed, refused } }): SessionReport => ({ type: 'session.live', id, confirmed, refused }),
    ),
    'report the channels': sendTo(
      ({ context }) => context.supervisor,
      ({ context: { id, confirmed, refused } }): SessionReport => ({
        type: 'session.resubscribed',
        id,
        confirmed,
        refused,
      }),
    ),
    'report the heartbeat': sendTo(
      ({ context }) => context.supervisor,
      ({ context }, ack: HeartbeatAck): SessionReport => ({ type: 'session.heartbeat', id: context.id, ...ack }),
    ),
    'report the renewal': sendTo(
      ({ context }) => context.supervisor,
      ({ context }): SessionReport => ({
        type: 'session.renewed',
        id: context.id,
        generation: context.authenticatedWith,
      }),
    ),
    'ask for a successor': sendTo(
      ({ context }) => context.supervisor,
      ({ context }): SessionReport => ({ type: 'session.wants-successor', id: context.id }),
    ),
    'report the rotation': sendTo(
      ({ context }) => context.supervisor,
      ({ context }): SessionReport => ({
        type: 'session.rotated',
        id: context.id,
        previous: context.predecessor ?? context.id,
      }),
    ),
    'report the blind spot': sendTo(
      ({ context }) => context.supervisor,
      ({ context: { id, predecessor, takeover, now } }): SessionReport => ({
        type: 'session.blind-spot',
        id,
        previous: predecessor ?? id,
        proof: takeover?.proof ?? nothingProven,
        until: takeover?.at ?? now(),
      }),
    ),
    'report the failed rotation': sendTo(
      ({ context }) => context.supervisor,
      ({ context }, params: { failure: Failure }): SessionReport => ({
        type: 'session.rotation-failed',
        id: context.id,
        failure: params.failure,
        token: context.presentedToken,
      }),
    ),
  },
});
