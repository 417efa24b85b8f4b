import { type Failure, failure } from '../protocol/failure.ts';
import { ofFailure } from './broken-promise.ts';
import type { SubscriptionAnswer } from './policies/channel-book.ts';
import type { OfSession } from './session.actors.ts';
import { lostWith, whenToCut } from './session.context.ts';
import type { SessionContext } from './session.events.ts';
import { sessionSetup } from './session.setup.ts';

/** A socket that did not open in time. */
export function connectTimeout({ settings }: SessionContext): Failure {
  return failure('connect-timeout', `no connection within ${settings.connectTimeout} ms`);
}

/** Why a session that nothing could take over from is cut now. */
function cutFailure({ renewalFailure }: SessionContext, openRfqs: number | null): Failure {
  const why = renewalFailure === null ? '' : ` (${renewalFailure.message})`;
  const when =
    openRfqs === null
      ? 'whether an RFQ is open is not known'
      : openRfqs === 0
        ? 'no RFQ is open now'
        : `${openRfqs} RFQs are open, but its token is about to expire`;
  return failure('renewal', `the session could not move to its new token${why}; it is cut, as ${when}`);
}

/** Why a second session that was confirmed less than the first one has does not take over. */
const ofLostChannels = ({
  context,
  event,
}: {
  context: SessionContext;
  event: { output: SubscriptionAnswer };
}): { failure: Failure } => {
  const lost = lostWith(context, event.output.refused).join(', ');
  return { failure: failure('channels-refused', `the venue refuses ${lost} on the second session`) };
};

/** The second session is let go, and the first one lives on. @param why what came of it */
const failedRotation = <Args>(why: (args: Args) => { failure: Failure }) => ({
  target: '#session.live.renewal.stale' as const,
  actions: [
    'drop the successor' as const,
    { type: 'note the failed rotation' as const, params: why },
    { type: 'report the failed rotation' as const, params: why },
  ],
});

/** The first session ends while the second one is let in: that goes on in its place, instead of being dropped as well. */
const stepIn = <Target extends string, Then extends object>(target: Target, ...then: Then[]) => ({
  'socket.closed': {
    guard: { type: 'is it ours?' as const, params: ({ event }: { event: OfSession }) => event },
    target,
    actions: [
      {
        type: 'report that the successor steps in' as const,
        params: ({ event }: { event: { failure: Failure } }) => event,
      },
      'let the successor step in' as const,
      ...then,
    ],
  },
});

/** It has been let in by then. */
const stepInAndSubscribe = stepIn('#session.subscribing' as const, {
  type: 'note the authentication' as const,
  params: ({ context }: { context: SessionContext }) => ({ token: context.successorToken }),
});

/** Make before break: a second session is authenticated and subscribed before the first one is let go. */
const rotating = sessionSetup.createStateConfig({
  initial: 'connecting',
  entry: ['note the token presented', 'dial the successor'],
  on: {
    'socket.closed': {
      guard: { type: "is it the successor's?", params: ({ event }) => event },
      target: 'stale',
      actions: [
        { type: 'note the failed rotation', params: ({ event }) => event },
        { type: 'report the failed rotation', params: ({ event }) => event },
      ],
    },
  },
  states: {
    connecting: {
      on: {
        'socket.opened': {
          guard: { type: "is it the successor's?", params: ({ event }) => event },
          target: 'authenticating',
          actions: 'note that the successor is connected',
        },
      },
      after: {
        'connect timeout': failedRotation(({ context }: { context: SessionContext }) => ({
          failure: connectTimeout(context),
        })),
      },
    },
    authenticating: {
      entry: 'note the token presented',
      on: stepIn('#session.authenticating'),
      invoke: {
        src: 'authenticate',
        input: ({ context }) => ({ session: context.successor ?? 0 }),
        onDone: {
          target: 'authenticated',
          actions: { type: "note the successor's token", params: ({ event }) => ({ token: event.output }) },
        },
        onError: failedRotation(ofFailure),
      },
    },
    // What the first session is asked for at this moment would begin on it after it has begun on the second one.
    authenticated: {
      on: stepInAndSubscribe,
      always: { guard: 'are the channels settled?', target: 'subscribing' },
    },
    subscribing: {
      entry: 'note what the successor is asked for',
      on: stepInAndSubscribe,
      invoke: {
        src: 'subscribe',
        input: ({ context }) => ({ session: context.successor ?? 0, channels: context.settings.channels }),
        onDone: [
          // The first one still has it.
          {
            guard: { type: 'would a channel be lost?', params: ({ event }) => event.output },
            ...failedRotation(ofLostChannels),
          },
          {
            target: '#session.live.renewal.parting',
            actions: [
              { type: 'report the rotation', params: ({ event }) => event.output },
              { type: 'let the successor take over', params: ({ event }) => event.output },
              'note that renewal works',
              'turn to it',
            ],
          },
        ],
        onError: failedRotation(ofFailure),
      },
    },
  },
});

/**
 * Two sessions overlap; the first one is let go once it has shown that it was alive to the end, and what was asked on it
 * is answered. Were it half-open, what it should have brought before the second one was subscribed would be missing, and
 * nobody would know.
 */
const parting = sessionSetup.createStateConfig({
  initial: 'having it prove itself',
  states: {
    'having it prove itself': {
      invoke: {
        src: 'heartbeat',
        input: ({ context }) => ({ session: context.predecessor ?? 0 }),
        onDone: { target: 'awaiting its last answers', actions: 'note that it was alive' },
        onError: {
          target: '#session.live.renewal.current',
          actions: ['report the blind spot', 'cut the predecessor', 'forget the predecessor'],
        },
      },
      on: {
        // A close frame proves nothing: how long it was on its way, and so whether it left after the takeover, nobody knows.
        'socket.closed': {
          guard: { type: "is it the predecessor's?", params: ({ event }) => event },
          target: '#session.live.renewal.current',
          actions: ['report the blind spot', 'forget the predecessor'],
        },
      },
    },
    // Calls go to the second one since it took over: no more of them come to the first.
    'awaiting its last answers': {
      invoke: {
        src: 'lastAnswers',
        input: ({ context }) => ({ session: context.predecessor ?? 0 }),
        onDone: 'saying goodbye',
        onError: 'saying goodbye',
      },
      on: {
        'socket.closed': {
          guard: { type: "is it the predecessor's?", params: ({ event }) => event },
          target: '#session.live.renewal.current',
          actions: 'forget the predecessor',
        },
      },
      after: { 'until its last answers are given up': 'saying goodbye' },
    },
    'saying goodbye': {
      entry: 'say goodbye to the predecessor',
      on: {
        'socket.closed': {
          guard: { type: "is it the predecessor's?", params: ({ event }) => event },
          target: '#session.live.renewal.current',
          actions: 'forget the predecessor',
        },
      },
      after: {
        'close timeout': {
          target: '#session.live.renewal.current',
          actions: ['cut the predecessor', 'forget the predecessor'],
        },
      },
    },
  },
});

/** A session lives as long as its token: it has to move to the new one before the old one dies. */
export const renewal = sessionSetup.createStateConfig({
  initial: 'current',
  states: {
    current: {
      always: [
        {
          guard: 'does a newer token need a new session?',
          target: '#session.closing',
          actions: {
            type: 'note the ending',
            params: { failure: failure('renewal', 'session.renewal is reconnect: a new token means a new session') },
          },
        },
        { guard: 'does a newer token need a second session?', target: 'awaiting a successor' },
        { guard: 'is a newer token out?', target: 'renewing in place' },
      ],
      on: { rotate: 'awaiting a successor' },
    },
    'renewing in place': {
      entry: 'note the token presented',
      invoke: {
        src: 'renewInPlace',
        input: ({ context }) => ({ session: context.id }),
        onDone: [
          {
            guard: { type: 'did the renewal bring a newer token?', params: ({ event }) => ({ token: event.output }) },
            target: 'current',
            actions: [
              { type: 'note the authentication', params: ({ event }) => ({ token: event.output }) },
              'note that renewal works',
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
        onError: [
          {
            guard: { type: 'is renewal in place refused for good?', params: ofFailure },
            target: 'awaiting a successor',
          },
          {
            target: 'stale',
            actions: [
              { type: 'note the failed rotation', params: ofFailure },
              { type: 'report the failed rotation', params: ofFailure },
            ],
          },
        ],
      },
    },
    'awaiting a successor': {
      entry: 'ask for a successor',
      on: {
        succeed: {
          target: 'rotating',
          actions: { type: 'note the successor', params: ({ event }) => event },
        },
      },
    },
    rotating,
    parting,
    // The session lives on its old token as long as that lasts, and is cut when that hurts least.
    stale: {
      invoke: {
        src: 'quietMoment',
        input: whenToCut,
        onDone: {
          target: '#session.closing',
          actions: {
            type: 'note the ending',
            params: ({ context, event }) => ({ failure: cutFailure(context, event.output) }),
          },
        },
        // Without it the venue ends the session with its token, which is worse by a few seconds.
        onError: {},
      },
      after: { 'until rotating again': 'trying again' },
      on: {
        'token.renewed': {
          target: 'current',
          actions: { type: 'note the newest token', params: ({ event }) => event },
        },
        rotate: 'awaiting a successor',
      },
    },
    'trying again': {
      always: [
        // As it may be wanted by now.
        { guard: 'does a newer token need a new session?', target: 'current' },
        // Also where a second session was tried last: what failed in place may have been a passing fault.
        { guard: 'can it be renewed in place?', target: 'renewing in place' },
        { target: 'awaiting a successor' },
      ],
    },
  },
});
