import { unasked, unconfirmed, unwanted } from './policies/channel-book.ts';
import { cuttingTime, expiryOf, resubscribeDelay } from './policies/renewal.ts';
import type { CuttingTime, SessionContext } from './session.events.ts';

// What the charts of a session ask of its context.

const refusedHeartbeatPauseMs = 2_000;

/** The channels that are to be asked for. */
export const wantedNow = (context: SessionContext): readonly string[] =>
  unconfirmed(context.settings.channels, context);

/** The channels that are to be given up. */
export const unwantedNow = (context: SessionContext): readonly string[] => unwanted(context.settings.channels, context);

/** The count of retries once the channels were asked for: the first time is none. */
export const retriesAfter = ({ subscribeRetries, refused, subscriptionFailure }: SessionContext): number =>
  subscribeRetries + (refused.length > 0 || subscriptionFailure !== null ? 1 : 0);

/** How long the venue still wants to be left alone before it takes a subscription, in milliseconds. */
export const limitedForMs = ({ limitedUntil, now }: SessionContext): number =>
  limitedUntil === null ? 0 : Math.max(0, limitedUntil - now());

/** What failed for other channels says nothing about these, unless the venue has to be left alone for a while. */
export const afreshUnlessLimited = ({ limitedUntil }: SessionContext): Partial<SessionContext> =>
  limitedUntil !== null ? {} : { subscribeRetries: 0, subscriptionFailure: null };

/**
 * How long to wait before the channels are made what is wanted once more, in milliseconds. What the venue has not said
 * no to could simply not be told or answered in time.
 */
export function changeAgainDelay(context: SessionContext): number {
  const { settings, subscribeRetries, subscriptionFailure } = context;
  const isOpen = unasked(settings.channels, context).length > 0 || isAnyUnwanted(context);
  return Math.max(resubscribeDelay(subscribeRetries, subscriptionFailure !== null && isOpen), limitedForMs(context));
}

export const isAnyUnconfirmed = (context: SessionContext): boolean => wantedNow(context).length > 0;
export const isAnyUnwanted = (context: SessionContext): boolean => unwantedNow(context).length > 0;
/** Whether this is the only session: none is to take over, and none that was taken over from is still there. */
export const isAlone = ({ successor, predecessor }: SessionContext): boolean =>
  successor === null && predecessor === null;
/** What the session has, and would not have any more where these are refused. */
export const lostWith = ({ confirmed }: SessionContext, refused: readonly string[]): readonly string[] =>
  refused.filter((channel) => confirmed.includes(channel));
export const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((channel, index) => channel === b[index]);

/** How long the session was live, and how long it was authenticated, in milliseconds; null where it never was. */
export const livedFor = ({ liveAt, authenticatedAt, now }: SessionContext) => ({
  liveForMs: liveAt === null ? null : now() - liveAt,
  authenticatedForMs: authenticatedAt === null ? null : now() - authenticatedAt,
});

export const isNewerTokenOut = ({ newestToken, authenticatedWith }: SessionContext): boolean =>
  newestToken > authenticatedWith;

/** One that the venue did not take does not count for it: the next one has to come before it loses patience. */
export const heartbeatPause = ({ settings, lastHeartbeat }: SessionContext): number =>
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
