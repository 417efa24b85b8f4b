import { ofFailure } from './broken-promise.ts';
import type { GrantKind } from './token.events.ts';
import { tokenSetup } from './token.setup.ts';

/** A request under way; `renewal` tells whether an older token is still in use meanwhile. */
const asking = (kind: GrantKind, renewal: boolean) =>
  tokenSetup.createStateConfig({
    entry: ['note the request', 'report the request'],
    invoke: {
      src: 'requestToken',
      input: ({ context }) => ({ generation: context.generation + 1, kind }),
      onDone: {
        target: '#token.valid',
        actions: [
          { type: 'keep the grant', params: ({ event }) => ({ grant: event.output, renewal }) },
          { type: 'report the grant', params: { renewal } },
        ],
      },
      onError: [
        {
          guard: { type: 'was only the refresh token refused?', params: ofFailure },
          target: '#token.falling back on the credentials',
        },
        {
          guard: { type: 'are the credentials refused?', params: ofFailure },
          target: '#token.blocked',
          actions: [
            { type: 'note the failure', params: ofFailure },
            { type: 'report the failure', params: { renewal } },
          ],
        },
        {
          target: '#token.waiting',
          actions: [
            { type: 'note the failure', params: ofFailure },
            { type: 'report the failure', params: { renewal } },
          ],
        },
      ],
    },
  });

const letGo = ['drop the token' as const, { type: 'report the loss' as const, params: { why: 'expired' as const } }];

/**
 * The life of the access token. While a new one is fetched the old one stays in use until it truly expires; one
 * request is in flight at a time, and two are never closer than `tokenRequestSpacingMs`.
 */
export const tokenMachine = tokenSetup.createMachine({
  id: 'token',
  initial: 'idle',
  context: ({ input }) => ({
    ...input,
    generation: 0,
    requests: input.earlierRequests,
    requestedAt: null,
    expiresAt: null,
    refreshAt: null,
    retryAt: null,
    failedInARow: 0,
    refusedInARow: 0,
    refreshes: 0,
    lastFailure: null,
    askedMeanwhile: false,
  }),
  on: {
    'token.accepted': { actions: 'forget refusals' },
    'settings.changed': { actions: { type: 'note the settings', params: ({ event }) => event } },
    'expiry.reached': [
      { guard: 'has the token expired?', actions: letGo },
      // Lives beyond 24.8 days: the timer came early.
      { guard: 'is the token usable?', actions: ['stop watching for expiry', 'watch for expiry'] },
    ],
    'clock.jumped': [
      { guard: 'has the token expired?', actions: letGo },
      { guard: 'is the token usable?', actions: ['stop watching for expiry', 'watch for expiry'] },
    ],
    // While a request is under way its answer decides what happens next.
    'token.refused': {
      guard: { type: 'is it this token?', params: ({ event }) => ({ generation: event.generation }) },
      actions: ['give up the refused token', { type: 'report the loss', params: { why: 'refused' } }],
    },
  },
  states: {
    idle: {
      on: {
        start: [
          { guard: 'does the ceiling allow a request?', target: 'authenticating' },
          { target: 'waiting', actions: 'ask as soon as allowed' },
        ],
      },
    },
    authenticating: {
      on: { refresh: { actions: 'note the wish' } },
      ...asking('credentials', false),
    },
    valid: {
      entry: ['stop watching for expiry', 'watch for expiry'],
      after: {
        'until refresh': [
          { guard: 'is refresh due?', target: 'refreshing' },
          { target: 'valid', reenter: true },
        ],
      },
      on: {
        refresh: { target: 'waiting', actions: 'ask as soon as allowed' },
        // It stays in use until there is another one.
        'token.doubted': {
          guard: { type: 'is it this token?', params: ({ event }) => ({ generation: event.generation }) },
          target: 'waiting',
          actions: 'ask as soon as allowed',
        },
        'settings.changed': {
          target: 'valid',
          reenter: true,
          actions: [
            { type: 'plan the refresh anew', params: ({ event }) => event },
            { type: 'note the settings', params: ({ event }) => event },
          ],
        },
        // The machine was asleep past the refresh and past the expiry.
        'expiry.reached': [
          { guard: 'has the token expired?', target: 'waiting', actions: [...letGo, 'ask as soon as allowed'] },
          { guard: 'is the token usable?', actions: ['stop watching for expiry', 'watch for expiry'] },
        ],
        'clock.jumped': [
          { guard: 'has the token expired?', target: 'waiting', actions: [...letGo, 'ask as soon as allowed'] },
          { target: 'valid', reenter: true },
        ],
        'token.refused': [
          {
            guard: {
              type: 'is a fresh token refused again and again?',
              params: ({ event }) => ({ generation: event.generation }),
            },
            target: 'blocked',
            actions: [
              'count the credentials as refused',
              'give up the refused token',
              { type: 'report the loss', params: { why: 'refused' } },
              { type: 'report the failure', params: { renewal: false } },
            ],
          },
          {
            guard: { type: 'is it this token?', params: ({ event }) => ({ generation: event.generation }) },
            target: 'waiting',
            actions: [
              'give up the refused token',
              'ask as soon as allowed',
              { type: 'report the loss', params: { why: 'refused' } },
            ],
          },
        ],
      },
    },
    refreshing: {
      on: { refresh: { actions: 'note the wish' } },
      initial: 'by refresh token',
      states: {
        'by refresh token': asking('refresh', true),
        'by credentials': asking('credentials', true),
      },
    },
    // At once, as the venue documents it: nothing is wrong with the credentials.
    'falling back on the credentials': {
      always: [
        { guard: 'does the ceiling allow a request?', target: 'refreshing.by credentials' },
        { target: 'waiting', actions: 'ask as soon as allowed' },
      ],
    },
    waiting: {
      after: {
        'until retry': [
          { guard: 'is retry due?', target: 'asking again' },
          { target: 'waiting', reenter: true },
        ],
      },
      on: {
        'clock.jumped': [
          { guard: 'has the token expired?', target: 'waiting', reenter: true, actions: letGo },
          { target: 'waiting', reenter: true },
        ],
        refresh: { target: 'waiting', reenter: true, actions: 'ask as soon as allowed' },
      },
    },
    blocked: {
      after: {
        'until retry': [
          { guard: 'is retry due?', target: 'asking again' },
          { target: 'blocked', reenter: true },
        ],
      },
      on: {
        'clock.jumped': [
          { guard: 'has the token expired?', target: 'blocked', reenter: true, actions: letGo },
          { target: 'blocked', reenter: true },
        ],
        refresh: { target: 'waiting', actions: 'ask as soon as allowed' },
      },
    },
    'asking again': {
      always: [
        // The refresh token may be what the venue fails at.
        { guard: 'does renewing it fail again and again?', target: 'refreshing.by credentials' },
        { guard: 'is the token usable?', target: 'refreshing' },
        { target: 'authenticating' },
      ],
    },
  },
});
