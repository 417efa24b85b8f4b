import { assign, fromPromise, sendTo, setup } from 'xstate';
import type { Failure } from '../protocol/failure.ts';
import { ofFailure } from './broken-promise.ts';
import { retryDelay } from './policies/backoff.ts';
import { clampDelay } from './policies/delay.ts';
import type {
  Comparison,
  ReconcileContext,
  ReconcileEvent,
  ReconcileInput,
  ReconcileReport,
} from './reconcile.events.ts';

/** A gap waits no longer than this for a comparison that keeps failing; what it missed is still fetched later. */
const patienceMs = 90_000;
/** Where the venue has no such listing it is looked for again once an hour. */
const absentRetryMs = 3_600_000;
const backoff = { min: 2_000, max: 30_000 };
/** Some failures are retried without a delay where something else sets the pace. Here nothing does. */
const shortestPauseMs = 1_000;

/** When to compare again after a failure; null where it would take longer than a gap is to wait. */
function nextTry(context: ReconcileContext, found: Failure): number | null {
  const { now, draw, startedAt, failedInARow } = context;
  const pause = retryDelay({ failure: found, failedBefore: failedInARow, settings: backoff, random: () => draw });
  const at = now() + Math.max(shortestPauseMs, pause);
  return at - (startedAt ?? now()) > patienceMs ? null : at;
}

/**
 * Compares what figd has published with what the venue lists: after each gap, and every so often, because frames can
 * be lost on a link that looks well. It runs beside the session and never holds it up.
 */
export const reconcileMachine = setup({
  types: {} as { context: ReconcileContext; input: ReconcileInput; events: ReconcileEvent },
  actors: {
    /** Fetches the venue's list and publishes what was missed. */
    compare: fromPromise<Comparison>(() => Promise.reject(new Error('compare is not provided'))),
  },
  delays: {
    'until the next comparison': ({ context }) => clampDelay((context.nextAt ?? context.now()) - context.now()),
  },
  guards: {
    'is it on?': ({ context }) => context.interval !== null,
    'has the venue no such list?': (_, params: { failure: Failure }) =>
      params.failure.code === 'not-found' ||
      params.failure.code === 'permission-denied' ||
      params.failure.code === 'address-refused',
    'is there time for another try?': ({ context }, params: { failure: Failure }) =>
      nextTry(context, params.failure) !== null,
  },
  actions: {
    'draw for the pause after it': assign(({ context }) => ({ draw: context.random() })),
    'note the start': assign(({ context }) => ({ startedAt: context.now(), failedInARow: 0 })),
    'plan another try': assign(({ context }, params: { failure: Failure }) => ({
      nextAt: nextTry(context, params.failure),
      failedInARow: context.failedInARow + 1,
    })),
    'plan the next comparison': assign(({ context }) => ({ nextAt: context.now() + (context.interval ?? 0) })),
    'note the interval': assign((_, params: { interval: number | null }) => ({ interval: params.interval })),
    'move the next comparison': assign(({ context }, params: { interval: number | null }) => ({
      nextAt: (context.nextAt ?? context.now()) + (params.interval ?? 0) - (context.interval ?? 0),
    })),
    'plan a look in an hour': assign(({ context }) => ({ nextAt: context.now() + absentRetryMs })),
    'report that it is off': sendTo(
      ({ context }) => context.supervisor,
      (): ReconcileReport => ({ type: 'reconcile.finished', outcome: 'not-attempted', missed: 0, failure: null }),
    ),
    'report what was found': sendTo(
      ({ context }) => context.supervisor,
      (_, params: Comparison): ReconcileReport => ({
        type: 'reconcile.finished',
        outcome: 'complete',
        missed: params.missed,
        failure: null,
      }),
    ),
    'report the failure': sendTo(
      ({ context }) => context.supervisor,
      (_, params: { failure: Failure }): ReconcileReport => ({
        type: 'reconcile.finished',
        outcome: 'failed',
        missed: 0,
        failure: params.failure,
      }),
    ),
  },
}).createMachine({
  id: 'reconcile',
  initial: 'blind',
  context: ({ input }) => ({ ...input, startedAt: null, nextAt: null, failedInARow: 0, draw: 0 }),
  on: {
    'session.lost': '.blind',
    'settings.changed': { actions: { type: 'note the interval', params: ({ event }) => event } },
  },
  states: {
    // Nothing can be compared while events do not come: what is missed meanwhile is fetched afterwards.
    blind: {
      on: {
        'session.live': [
          { guard: 'is it on?', target: 'comparing', actions: 'note the start' },
          { target: 'off', actions: 'report that it is off' },
        ],
      },
    },
    off: { on: { 'look again': { actions: 'report that it is off' } } },
    comparing: {
      on: { 'look again': { target: 'comparing', reenter: true, actions: 'note the start' } },
      entry: 'draw for the pause after it',
      invoke: {
        src: 'compare',
        onDone: {
          target: 'resting',
          actions: [{ type: 'report what was found', params: ({ event }) => event.output }, 'plan the next comparison'],
        },
        onError: [
          {
            guard: { type: 'has the venue no such list?', params: ofFailure },
            target: 'resting',
            actions: [{ type: 'report the failure', params: ofFailure }, 'plan a look in an hour'],
          },
          {
            guard: { type: 'is there time for another try?', params: ofFailure },
            target: 'waiting',
            actions: { type: 'plan another try', params: ofFailure },
          },
          {
            target: 'resting',
            actions: [{ type: 'report the failure', params: ofFailure }, 'plan the next comparison'],
          },
        ],
      },
    },
    // What it waits for may be a limit, and the comparison after it looks at everything.
    waiting: { after: { 'until the next comparison': 'comparing' } },
    resting: {
      after: { 'until the next comparison': { target: 'comparing', actions: 'note the start' } },
      on: {
        'look again': { target: 'comparing', actions: 'note the start' },
        'settings.changed': {
          target: 'resting',
          reenter: true,
          actions: [
            { type: 'move the next comparison', params: ({ event }) => event },
            { type: 'note the interval', params: ({ event }) => event },
          ],
        },
      },
    },
  },
});
