import { assign, cancel, fromPromise, raise, sendTo, setup } from 'xstate';
import { type Failure, failure } from '../protocol/failure.ts';
import { retryDelay } from './policies/backoff.ts';
import { clampDelay } from './policies/delay.ts';
import {
  earliestRequest,
  failuresOfRefreshToken,
  freshTokenRefusalsTolerated,
  refreshDelay,
  tokenRequestSpacingMs,
  withRequest,
} from './policies/token-times.ts';
import type {
  Grant,
  TokenContext,
  TokenEvent,
  TokenInput,
  TokenReport,
  TokenRequest,
  TokenSettings,
} from './token.events.ts';

const untilMoment = (context: TokenContext, moment: number | null): number =>
  clampDelay((moment ?? context.now()) - context.now());

/** The next request as soon as the spacing between requests and their ceiling allow. */
const soonest = ({ requests, now }: TokenContext): number =>
  earliestRequest(requests, Math.max(now(), (requests.at(-1) ?? Number.NEGATIVE_INFINITY) + tokenRequestSpacingMs));

const isUsable = (context: TokenContext): boolean => context.expiresAt !== null && context.expiresAt > context.now();

const requestMoment = ({ requestedAt, now }: TokenContext): number => requestedAt ?? now();

/** When a token of the latest request, with a life in milliseconds, is to be refreshed. */
const refreshMoment = (context: TokenContext, settings: TokenSettings, lifeMs: number): number =>
  Math.max(requestMoment(context) + refreshDelay(lifeMs, settings, context.random), soonest(context));

/** After a failed request: when to ask again. */
const afterFailure = (context: TokenContext, found: Failure): Partial<TokenContext> => {
  const delay = retryDelay({
    failure: found,
    failedBefore: context.failedInARow,
    settings: context.settings.backoff,
    random: context.random,
  });
  return {
    lastFailure: found,
    failedInARow: context.failedInARow + 1,
    retryAt: context.askedMeanwhile ? soonest(context) : Math.max(context.now() + delay, soonest(context)),
  };
};

/** What the chart of the token is made of: its actor, delays, questions and actions. */
export const tokenSetup = setup({
  types: {} as { context: TokenContext; input: TokenInput; events: TokenEvent },
  actors: {
    requestToken: fromPromise<Grant, TokenRequest>(() => Promise.reject(new Error('requestToken is not provided'))),
  },
  delays: {
    'until refresh': ({ context }) => untilMoment(context, context.refreshAt),
    'until retry': ({ context }) => untilMoment(context, context.retryAt),
  },
  guards: {
    'is refresh due?': ({ context }) => (context.refreshAt ?? 0) <= context.now(),
    'is retry due?': ({ context }) => (context.retryAt ?? 0) <= context.now(),
    'is the token usable?': ({ context }) => isUsable(context),
    'does renewing it fail again and again?': ({ context }) =>
      isUsable(context) && context.failedInARow >= failuresOfRefreshToken,
    'has the token expired?': ({ context }) => context.expiresAt !== null && !isUsable(context),
    'is it this token?': ({ context }, params: { generation: number }) =>
      params.generation === context.generation && context.expiresAt !== null,
    'is a fresh token refused again and again?': ({ context }, params: { generation: number }) =>
      params.generation === context.generation &&
      context.expiresAt !== null &&
      context.refusedInARow >= freshTokenRefusalsTolerated,
    'was only the refresh token refused?': (_, params: { failure: Failure }) =>
      params.failure.code === 'refresh-token-refused',
    'does the ceiling allow a request?': ({ context }) =>
      earliestRequest(context.requests, context.now()) <= context.now(),
    'are the credentials refused?': (_, params: { failure: Failure }) => params.failure.class === 'refused',
  },
  actions: {
    'note the request': assign(({ context }) => ({
      requestedAt: context.now(),
      requests: withRequest(context.requests, context.now()),
      retryAt: null,
      askedMeanwhile: false,
    })),
    'report the request': sendTo(
      ({ context }) => context.supervisor,
      (): TokenReport => ({ type: 'token.requested' }),
    ),
    'note the wish': assign({ askedMeanwhile: true }),
    'note the settings': assign((_, params: { settings: TokenSettings }) => ({ settings: params.settings })),
    'plan the refresh anew': assign(({ context }, { settings }: { settings: TokenSettings }) => {
      const { expiresAt, settings: before } = context;
      const isSame = before.refreshAt === settings.refreshAt && before.refreshMargin === settings.refreshMargin;
      if (isSame || expiresAt === null) return {};
      return { refreshAt: refreshMoment(context, settings, expiresAt - requestMoment(context)) };
    }),
    'keep the grant': assign(({ context }, params: { grant: Grant; renewal: boolean }) => {
      return {
        generation: context.generation + 1,
        expiresAt: requestMoment(context) + params.grant.lifeMs,
        // Somebody wants another one than that which was under way, perhaps for credentials that have changed since.
        refreshAt: context.askedMeanwhile
          ? soonest(context)
          : refreshMoment(context, context.settings, params.grant.lifeMs),
        failedInARow: 0,
        lastFailure: null,
        askedMeanwhile: false,
        refreshes: context.refreshes + (params.renewal ? 1 : 0),
      };
    }),
    'note the failure': assign(({ context }, params: { failure: Failure }) => afterFailure(context, params.failure)),
    'ask as soon as allowed': assign(({ context }) => ({ retryAt: soonest(context) })),
    'give up the refused token': assign(({ context }) => ({
      expiresAt: null,
      refreshAt: null,
      refusedInARow: context.refusedInARow + 1,
    })),
    'count the credentials as refused': assign(({ context }) =>
      afterFailure(
        // Each grant ends a row of failed requests, yet the probes must slow down.
        { ...context, failedInARow: context.refusedInARow - freshTokenRefusalsTolerated },
        failure(
          'credentials-refused',
          `the venue issues tokens for these credentials and its socket refused ${context.refusedInARow + 1} of them in a row`,
        ),
      ),
    ),
    'forget refusals': assign({ refusedInARow: 0 }),
    'watch for expiry': raise(
      { type: 'expiry.reached' },
      { id: 'expiry', delay: ({ context }: { context: TokenContext }) => untilMoment(context, context.expiresAt) },
    ),
    'stop watching for expiry': cancel('expiry'),
    'drop the token': assign({ expiresAt: null, refreshAt: null }),
    'report the grant': sendTo(
      ({ context }) => context.supervisor,
      ({ context }, params: { renewal: boolean }): TokenReport => ({
        type: 'token.granted',
        generation: context.generation,
        expiresAt: context.expiresAt ?? context.now(),
        lifeMs: (context.expiresAt ?? 0) - (context.requestedAt ?? 0),
        renewal: params.renewal,
      }),
    ),
    'report the failure': sendTo(
      ({ context }) => context.supervisor,
      ({ context }, params: { renewal: boolean }): TokenReport => ({
        type: 'token.failed',
        failure: context.lastFailure ?? failure('internal', 'a token request failed without a reason'),
        retryInMs: (context.retryAt ?? context.now()) - context.now(),
        renewal: params.renewal,
      }),
    ),
    'report the loss': sendTo(
      ({ context }) => context.supervisor,
      ({ context }, params: { why: 'expired' | 'refused' }): TokenReport => ({
        type: 'token.lost',
        why: params.why,
        generation: context.generation,
      }),
    ),
  },
});
