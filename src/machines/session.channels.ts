import { ofFailure } from './broken-promise.ts';
import { unwantedNow, wantedNow } from './session.context.ts';
import { sessionSetup } from './session.setup.ts';

/** The first subscription. A limit is waited for on the open session: heartbeats have no limit, dials do. */
export const firstSubscription = sessionSetup.createStateConfig({
  initial: 'asking',
  states: {
    asking: {
      entry: 'note what is asked for',
      invoke: {
        src: 'subscribe',
        input: ({ context }) => ({ session: context.id, channels: wantedNow(context) }),
        onDone: {
          target: '#session.live',
          actions: { type: 'note the channels', params: ({ event }) => event.output },
        },
        onError: [
          {
            guard: { type: 'does the venue limit us?', params: ofFailure },
            target: 'limited',
            actions: [
              { type: 'note the limit', params: ofFailure },
              { type: 'note the failed change', params: ofFailure },
              { type: 'report the limit', params: ofFailure },
            ],
          },
          { target: '#session.closing', actions: { type: 'note the ending', params: ofFailure } },
        ],
      },
    },
    limited: { after: { 'until the limit is over': 'asking' } },
  },
});

const toldOf = [
  { type: 'note the failed change', params: ofFailure },
  { type: 'report the failed change', params: ofFailure },
] as const;

const afterFailedChange = [
  {
    guard: { type: 'does the venue limit us?' as const, params: ofFailure },
    target: 'partial',
    actions: [{ type: 'note the limit' as const, params: ofFailure }, ...toldOf],
  },
  { target: 'partial', actions: ['count the retry' as const, ...toldOf] },
] as const;

/**
 * Makes the channels what is wanted, now and whenever that changes. What the venue refuses, and what could not be
 * changed, is tried again, ever more rarely.
 */
export const subscriptions = sessionSetup.createStateConfig({
  initial: 'counted',
  on: { 'took over': '.counted' },
  states: {
    counted: {
      always: [
        { guard: 'are the channels to be changed?', target: 'due' },
        { guard: 'is every channel confirmed?', target: 'complete' },
        { target: 'partial' },
      ],
    },
    complete: {
      entry: 'note that the channels are as wanted',
      on: { 'settings noted': 'counted' },
    },
    partial: {
      after: { 'until resubscribing': 'due' },
      on: {
        'settings noted': [
          { guard: 'are the channels as wanted?', target: 'counted' },
          { guard: 'may the venue be asked now?', target: 'counted' },
        ],
      },
    },
    // It waits here while a second session takes over, which subscribes to what is wanted by itself.
    due: {
      always: [
        { guard: 'are the channels as wanted?', target: 'counted' },
        { guard: 'may channels be asked for?', target: 'asking' },
        { guard: 'may channels be given up?', target: 'giving up' },
      ],
    },
    asking: {
      entry: 'note what is asked for',
      invoke: {
        src: 'subscribe',
        input: ({ context }) => ({ session: context.id, channels: wantedNow(context) }),
        onDone: {
          target: 'counted',
          actions: [
            { type: 'add the channels', params: ({ event }) => event.output },
            { type: 'report the channels', params: ({ event }) => event.output },
          ],
        },
        onError: afterFailedChange,
      },
    },
    'giving up': {
      entry: 'note what is given up',
      invoke: {
        src: 'unsubscribe',
        input: ({ context }) => ({ session: context.id, channels: unwantedNow(context) }),
        onDone: {
          target: 'counted',
          actions: [
            { type: 'drop the channels', params: ({ event }) => ({ channels: event.output }) },
            { type: 'report what was given up', params: ({ event }) => ({ channels: event.output }) },
          ],
        },
        onError: afterFailedChange,
      },
    },
  },
});
