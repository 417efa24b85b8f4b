import { assign, not, or, raise, sendTo, setup, stateIn } from 'xstate';
import type { Failure } from '../protocol/failure.ts';
import { limitedDelay } from './policies/backoff.ts';
import { nothingProven, proofOfLife } from './policies/blindness.ts';
import {
  bookAfterAnswer,
  bookAfterAsking,
  bookAfterGivingUp,
  bookForWish,
  bookWhileGivingUp,
  emptyBook,
  type SubscriptionAnswer,
  unasked,
} from './policies/channel-book.ts';
import { clampDelay } from './policies/delay.ts';
import { expiryOf, lastAnswersDelay, rotateAgainDelay, withToken } from './policies/renewal.ts';
import { type OfSession, sessionActors } from './session.actors.ts';
import {
  afreshUnlessLimited,
  changeAgainDelay,
  heartbeatPause,
  isAlone,
  isAnyUnconfirmed,
  isAnyUnwanted,
  isNewerTokenOut,
  isSameList,
  limitedForMs,
  livedFor,
  lostWith,
  retriesAfter,
  unwantedNow,
  wantedNow,
} from './session.context.ts';
import type {
  HeartbeatAck,
  SessionContext,
  SessionEvent,
  SessionInput,
  SessionOutput,
  SessionReport,
  SessionSettings,
  TokenOfSession,
} from './session.events.ts';

/** How long a closing handshake may take before the socket is cut. */
const closeTimeoutMs = 1_000;

/** What the charts of a session are made of: its actors, delays, questions and actions. */
export const sessionSetup = setup({
  types: {} as { context: SessionContext; input: SessionInput; events: SessionEvent; output: SessionOutput },
  actors: sessionActors,
  delays: {
    'connect timeout': ({ context }) => clampDelay(context.settings.connectTimeout),
    // Counted from the previous one's departure: a slow reply must not stretch the rhythm the venue enforces.
    'until the next heartbeat': ({ context }) =>
      clampDelay(context.lastHeartbeatSentAt + heartbeatPause(context) - context.now()),
    'until resubscribing': ({ context }) => clampDelay(changeAgainDelay(context)),
    'until the limit is over': ({ context }) => clampDelay(limitedForMs(context)),
    'until rotating again': ({ context }) =>
      clampDelay(rotateAgainDelay(context.rotationsFailed, context.renewalFailure)),
    'until its last answers are given up': ({ context }) =>
      clampDelay(lastAnswersDelay(context.predecessorExpiresAt, context.now())),
    'close timeout': closeTimeoutMs,
  },
  guards: {
    'is it ours?': ({ context }, params: OfSession) => params.session === context.id,
    "is it the successor's?": ({ context }, params: OfSession) => params.session === context.successor,
    "is it the predecessor's?": ({ context }, params: OfSession) => params.session === context.predecessor,
    'is every channel confirmed?': ({ context }) => context.refused.length === 0,
    'are the channels to be changed?': ({ context }) =>
      unasked(context.settings.channels, context).length > 0 || isAnyUnwanted(context),
    // While there are two sessions, each event has to come on both, from the same moment on or not at all.
    'may channels be asked for?': ({ context }) => isAlone(context) && isAnyUnconfirmed(context),
    'may channels be given up?': ({ context }) => isAlone(context) && isAnyUnwanted(context),
    'are the channels as wanted?': ({ context }) => !isAnyUnconfirmed(context) && !isAnyUnwanted(context),
    'may the venue be asked now?': ({ context }) => context.limitedUntil === null,
    'are the channels settled?': not(
      or([stateIn({ live: { subscriptions: 'asking' } }), stateIn({ live: { subscriptions: 'giving up' } })]),
    ),
    'is a newer token out?': ({ context }) => isNewerTokenOut(context),
    'did the renewal bring a newer token?': ({ context }, params: { token: number }) =>
      params.token > context.authenticatedWith,
    'does a newer token need a new session?': ({ context }) =>
      isNewerTokenOut(context) && context.settings.renewal === 'reconnect',
    'does a newer token need a second session?': ({ context }) =>
      isNewerTokenOut(context) && context.settings.renewal === 'rotate',
    'can it be renewed in place?': ({ context }) =>
      isNewerTokenOut(context) && (context.settings.renewal === 'auto' || context.settings.renewal === 'in-place'),
    'would a channel be lost?': ({ context }, { refused }: SubscriptionAnswer) => lostWith(context, refused).length > 0,
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
    'note the settings': assign(({ context }, params: { settings: SessionSettings }) => ({
      settings: params.settings,
      ...bookForWish(context, params.settings.channels),
      ...(isSameList(context.settings.channels, params.settings.channels) ? {} : afreshUnlessLimited(context)),
    })),
    'look at what has changed': raise({ type: 'settings noted' }),
    'note what is asked for': assign(({ context }) => bookAfterAsking(context, wantedNow(context))),
    'note the channels': assign(({ context }, params: SubscriptionAnswer) => ({
      ...bookAfterAnswer(context, context.settings.channels, params),
      subscriptionFailure: null,
      limitedUntil: null,
    })),
    'add the channels': assign(({ context }, params: SubscriptionAnswer) => ({
      ...bookAfterAnswer(context, context.settings.channels, params),
      subscribeRetries: retriesAfter(context),
      subscriptionFailure: null,
      limitedUntil: null,
    })),
    'note what is given up': assign(({ context }) => bookWhileGivingUp(context, unwantedNow(context))),
    'drop the channels': assign(({ context }, params: { channels: readonly string[] }) => ({
      ...bookAfterGivingUp(context, params.channels),
      subscriptionFailure: null,
      limitedUntil: null,
    })),
    'note that the channels are as wanted': assign({ subscribeRetries: 0, subscriptionFailure: null }),
    'note the failed change': assign((_, params: { failure: Failure }) => ({ subscriptionFailure: params.failure })),
    'count the retry': assign(({ context }) => ({
      subscribeRetries: retriesAfter(context),
      limitedUntil: null,
    })),
    'note the limit': assign(({ context }, params: { failure: Failure }) => ({
      limitedUntil: context.now() + limitedDelay(params.failure, context.subscribeRetries),
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
    'note the successor': assign((_, params: OfSession) => ({
      successor: params.session,
      successorOpenedAt: null,
      successorAsked: [],
    })),
    'note that the successor is connected': assign(({ context }) => ({ successorOpenedAt: context.now() })),
    'note what the successor is asked for': assign(({ context }) => ({ successorAsked: context.settings.channels })),
    "note the successor's token": assign((_, params: { token: number }) => ({ successorToken: params.token })),
    'drop the successor': sendTo('sockets', ({ context }) => ({ type: 'cut', session: context.successor ?? 0 })),
    'note the failed rotation': assign(({ context }, params: { failure: Failure }) => ({
      successor: null,
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
      ...bookAfterAnswer(emptyBook, context.settings.channels, params),
      subscriptionFailure: null,
      limitedUntil: null,
    })),
    // A session of its own, on a socket that is open already.
    'let the successor step in': assign(({ context }) => ({
      id: context.successor ?? context.id,
      successor: null,
      connectedAt: context.successorOpenedAt,
      authenticatedAt: null,
      authenticatedWith: 0,
      liveAt: null,
      lastHeartbeat: null,
      // The venue counts from the connection on.
      lastHeartbeatSentAt: context.successorOpenedAt ?? context.now(),
      rotationsFailed: 0,
      renewalFailure: null,
      subscribeRetries: 0,
      subscriptionFailure: null,
      limitedUntil: null,
      ...bookAfterAsking(emptyBook, context.successorAsked),
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
      ({ context: { id, confirmed, refused } }, answer: SubscriptionAnswer): SessionReport => ({
        type: 'session.resubscribed',
        id,
        added: answer.confirmed,
        confirmed,
        refused,
      }),
    ),
    'report what was given up': sendTo(
      ({ context }) => context.supervisor,
      ({ context }, params: { channels: readonly string[] }): SessionReport => ({
        type: 'session.unsubscribed',
        id: context.id,
        channels: params.channels,
      }),
    ),
    'report the failed change': sendTo(
      ({ context }) => context.supervisor,
      ({ context }, params: { failure: Failure }): SessionReport => ({
        type: 'session.channels-failed',
        id: context.id,
        failure: params.failure,
      }),
    ),
    'report the limit': sendTo(
      ({ context }) => context.supervisor,
      ({ context }, params: { failure: Failure }): SessionReport => ({
        type: 'session.subscription-limited',
        id: context.id,
        failure: params.failure,
        retryInMs: limitedForMs(context),
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
      ({ context: { id, confirmed, successor } }, answer: SubscriptionAnswer): SessionReport => ({
        type: 'session.rotated',
        id: successor ?? id,
        previous: id,
        added: answer.confirmed.filter((channel) => !confirmed.includes(channel)),
        ...answer,
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
    'report that the successor steps in': sendTo(
      ({ context }) => context.supervisor,
      ({ context }, params: { failure: Failure }): SessionReport => ({
        type: 'session.stepped-in',
        id: context.successor ?? context.id,
        previous: context.id,
        failure: params.failure,
        ...livedFor(context),
        proof: proofOfLife(context),
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
