import { failure } from '../protocol/failure.ts';
import { ofFailure } from './broken-promise.ts';
import { proofOfLife } from './policies/blindness.ts';
import { emptyBook } from './policies/channel-book.ts';
import { firstSubscription, subscriptions } from './session.channels.ts';
import { livedFor } from './session.context.ts';
import { connectTimeout, renewal } from './session.renewal.ts';
import { sessionSetup } from './session.setup.ts';

/** The session proves every interval that it is alive; one heartbeat without a reply ends it. */
const heartbeat = (initial: 'beating' | 'resting') =>
  sessionSetup.createStateConfig({
    initial,
    states: {
      resting: {
        after: { 'until the next heartbeat': 'beating' },
        on: {
          // Timers were late by who knows how much: the link has to prove itself now.
          'took over': 'beating',
          'clock.jumped': 'beating',
          'settings noted': { target: 'resting', reenter: true },
        },
      },
      beating: {
        // Here and not on the region: entering a region anew would enter its siblings anew as well.
        on: { 'took over': { target: 'beating', reenter: true } },
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
          onError: { target: '#session.closed', actions: { type: 'note the ending', params: ofFailure } },
        },
      },
    },
  });

/**
 * One authenticated session, from dialling to its end; a second socket may take over within its life. It never dials
 * again by itself after its end: that is the supervisor's decision.
 */
export const sessionMachine = sessionSetup.createMachine({
  id: 'session',
  initial: 'connecting',
  context: ({ input: { token, ...input } }) => ({
    ...input,
    newestToken: token?.generation ?? 0,
    tokens: token === null ? [] : [token],
    authenticatedAt: null,
    connectedAt: null,
    liveAt: null,
    presentedToken: 0,
    authenticatedWith: 0,
    lastHeartbeatSentAt: Number.NEGATIVE_INFINITY,
    lastHeartbeat: null,
    ...emptyBook,
    subscribeRetries: 0,
    subscriptionFailure: null,
    successor: null,
    predecessor: null,
    predecessorExpiresAt: null,
    successorToken: 0,
    successorOpenedAt: null,
    successorAsked: [],
    takeover: null,
    rotationsFailed: 0,
    limitedUntil: null,
    renewalFailure: null,
    ending: null,
  }),
  output: ({ context }) => ({
    id: context.id,
    failure: context.ending ?? failure('internal', 'the session ended without a reason'),
    token: context.authenticatedWith || context.presentedToken || context.newestToken,
    ...livedFor(context),
    wasOpen: context.connectedAt !== null,
    unproven: context.takeover === null ? context.id : (context.predecessor ?? context.id),
    proof: context.takeover?.proof ?? proofOfLife(context),
  }),
  invoke: {
    id: 'sockets',
    src: 'sockets',
    input: ({ context }) => ({ session: context.id }),
    onError: { target: '.closed', actions: { type: 'note the ending', params: ofFailure } },
  },
  on: {
    'socket.closed': {
      guard: { type: 'is it ours?', params: ({ event }) => event },
      target: '.closed',
      actions: { type: 'note the ending', params: ({ event }) => event },
    },
    close: { target: '.closing', actions: { type: 'note the ending', params: ({ event }) => event } },
    'token.renewed': { actions: { type: 'note the newest token', params: ({ event }) => event } },
    'settings.changed': {
      actions: [{ type: 'note the settings', params: ({ event }) => event }, 'look at what has changed'],
    },
  },
  states: {
    connecting: {
      on: {
        'socket.opened': { target: 'authenticating', actions: ['note the connection', 'note the token presented'] },
      },
      after: {
        'connect timeout': {
          target: 'closed',
          actions: { type: 'note the ending', params: ({ context }) => ({ failure: connectTimeout(context) }) },
        },
      },
    },
    // Also where a second one steps in, whose token was shown to the venue before.
    authenticating: {
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
        onError: { target: 'closing', actions: { type: 'note the ending', params: ofFailure } },
      },
    },
    subscribing: {
      type: 'parallel',
      states: { heartbeat: heartbeat('resting'), subscription: firstSubscription },
    },
    live: {
      entry: ['note going live', 'report being live'],
      type: 'parallel',
      states: { heartbeat: heartbeat('beating'), renewal, subscriptions },
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
