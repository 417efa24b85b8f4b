import { sendTo } from 'xstate';
import { failure } from '../protocol/failure.ts';
import type { SupervisorSettings } from './supervisor.events.ts';
import { planDial, supervisorSetup, tokenSettings } from './supervisor.setup.ts';

/** The configuration has changed. */
const takeSettings = [
  {
    type: 'note the settings' as const,
    params: ({ event }: { event: { settings: SupervisorSettings } }) => event,
  },
  'tell the token of the settings' as const,
  'tell the reconciliation of the settings' as const,
];

/** What a channel that was missing would have told; without one the fact goes on to whoever makes it known. */
const haveItComparedIfConfirmed = {
  guard: {
    type: 'was a channel confirmed?' as const,
    params: ({ event }: { event: { added: readonly string[] } }) => event,
  },
  actions: ['make it known' as const, 'have it compared' as const],
};

/**
 * Starts the token, dials a session when there is something to authenticate with, and dials again for ever. Every
 * expected failure is an event it handles; what it learns it makes known as facts.
 */
export const supervisorMachine = supervisorSetup.createMachine({
  id: 'supervisor',
  initial: 'awaiting a token',
  context: ({ input }) => ({
    ...input,
    sessions: 0,
    dials: input.earlier.dials,
    failedInARow: 0,
    cutShort: 0,
    notLetIn: 0,
    // The ceiling holds from the first dial on: an earlier run may have used it up.
    ...planDial(input.earlier.dials, input.now()),
    token: null,
    lastClose: null,
  }),
  invoke: [
    {
      id: 'token',
      src: 'token',
      input: ({ context, self }) => ({
        supervisor: self,
        settings: tokenSettings(context.settings),
        earlierRequests: context.earlier.tokenRequests,
        now: context.now,
        random: context.random,
      }),
    },
    {
      id: 'reconcile',
      src: 'reconcile',
      input: ({ context: { settings, now, random }, self }) => ({
        supervisor: self,
        interval: settings.reconcileInterval,
        now,
        random,
      }),
    },
  ],
  entry: sendTo('token', { type: 'start' }),
  on: {
    'token.granted': {
      actions: [{ type: 'note the token', params: ({ event }) => event }, 'make it known'],
    },
    'token.requested': { actions: 'make it known' },
    'token.lost': { actions: ['note the lost token', 'make it known'] },
    'token.failed': { actions: 'make it known' },
    'session.*': { actions: 'make it known' },
    'reconcile.finished': { actions: 'make it known' },
    'clock.jumped': { actions: 'have the token check the time' },
    'settings.changed': { actions: takeSettings },
    refresh: { actions: 'ask for a token' },
    'renew the token': { actions: 'ask for a token' },
    stop: '.stopped',
  },
  states: {
    'awaiting a token': {
      always: { guard: 'is there something to authenticate with?', target: 'backing off' },
      on: { reconnect: { actions: 'ask for a token' } },
    },
    'backing off': {
      after: {
        'until the next dial': [
          { guard: 'is the dial due?', target: 'choosing' },
          { target: 'backing off', reenter: true },
        ],
      },
      on: {
        'clock.jumped': { target: 'backing off', reenter: true, actions: 'have the token check the time' },
        reconnect: { target: 'backing off', reenter: true, actions: 'dial as soon as allowed' },
        refresh: [
          {
            guard: 'did the venue refuse us?',
            target: 'backing off',
            reenter: true,
            actions: ['ask for a token', 'dial as soon as allowed'],
          },
          { actions: 'ask for a token' },
        ],
      },
    },
    choosing: {
      always: [
        { guard: 'is there something to authenticate with?', target: 'dialled' },
        { target: 'awaiting a token' },
      ],
    },
    dialled: {
      entry: ['count the dial', 'tell of the dial'],
      exit: 'plan no successor',
      invoke: {
        id: 'session',
        src: 'session',
        input: ({ context, self }) => ({
          id: context.sessions,
          supervisor: self,
          settings: context.settings.session,
          token: context.token?.usable === true ? context.token : null,
          now: context.now,
        }),
        onDone: [
          {
            guard: 'is it stopping?',
            target: 'stopped',
            actions: { type: 'tell of the ending', params: ({ event }) => event.output },
          },
          {
            target: 'choosing how to go on',
            actions: [
              { type: 'note the ending', params: ({ event }) => event.output },
              { type: 'tell of the ending', params: ({ event }) => event.output },
              { type: 'tell of the gap', params: ({ event }) => event.output },
            ],
          },
        ],
      },
      initial: 'serving',
      states: {
        serving: {
          on: {
            'session.live': {
              actions: [
                'make it known',
                'tell that the venue is heard',
                'count the token as accepted',
                'have it reconciled',
              ],
            },
            'clock.jumped': { actions: ['have the token check the time', 'have the session check the time'] },
            'session.blind-spot': {
              actions: [
                'make it known',
                { type: 'tell of the blind spot', params: ({ event }) => event },
                'have it compared',
              ],
            },
            'session.resubscribed': haveItComparedIfConfirmed,
            'session.rotated': haveItComparedIfConfirmed,
            compare: { actions: 'have it compared' },
            'session.stepped-in': {
              actions: [
                'make it known',
                { type: 'note the loss of the first session', params: ({ event }) => event },
                { type: 'tell of the gap', params: ({ event }) => ({ ...event, unproven: event.previous }) },
              ],
            },
            'session.wants-successor': { actions: 'plan a successor' },
            'successor.due': [
              { guard: 'does the ceiling allow a dial?', actions: 'dial a successor' },
              { actions: ['plan no successor', 'plan a successor'] },
            ],
            'session.rotation-failed': {
              actions: ['make it known', { type: 'replace the token if it was refused', params: ({ event }) => event }],
            },
            rotate: { actions: 'pass on the wish to rotate' },
            'settings.changed': { actions: [...takeSettings, 'tell the session of the settings'] },
            'token.granted': {
              actions: [
                { type: 'note the token', params: ({ event }) => event },
                'make it known',
                { type: 'move the session to the new token', params: ({ event }) => event },
              ],
            },
            reconnect: {
              actions: {
                type: 'end the session',
                params: { failure: failure('on-request', 'somebody asked figd to reconnect') },
              },
            },
            stop: {
              target: 'draining',
              actions: {
                type: 'end the session',
                params: { failure: failure('on-request', 'figd is stopping') },
              },
            },
          },
        },
        draining: {
          on: { stop: {} },
          after: { 'stop deadline': '#supervisor.stopped' },
        },
      },
    },
    'choosing how to go on': {
      always: [
        { guard: 'is there something to authenticate with?', target: 'backing off' },
        { target: 'awaiting a token' },
      ],
    },
    stopped: { type: 'final' },
  },
});
