import type { SessionContext } from '../machines/session.events.ts';

/** How long an answer to a subscription may take before the wait for it counts as a gap, in milliseconds. */
const usualAnswerMs = 1_000;

/** What a live session knows of its channels. */
export type LiveChannels = Pick<SessionContext, 'confirmed' | 'refused' | 'subscriptionFailure' | 'liveAt'>;

/**
 * The channels that are wanted and not heard, with the moment (monotonic) from when each would have been, had the venue
 * confirmed it. On a live session one that is wanted since a moment ago begins with its confirmation, unless the venue has
 * said no or not answered.
 *
 * @param wantedSince by channel: since when it is wanted without a break (monotonic milliseconds, as `now`)
 * @param session the live session; null while there is none
 */
export function missingChannels(
  wantedSince: ReadonlyMap<string, number>,
  session: LiveChannels | null,
  now: number,
): ReadonlyMap<string, number> {
  const { confirmed = [], refused = [], subscriptionFailure = null, liveAt = null } = session ?? {};
  const liveSince = liveAt ?? Number.NEGATIVE_INFINITY;
  // Without a session there is nothing that could be about to answer.
  const patience = session === null ? 0 : usualAnswerMs;
  const unconfirmed = [...wantedSince].filter(([channel]) => !confirmed.includes(channel));
  return new Map(
    unconfirmed
      .map(([channel, since]) => [channel, Math.max(since, liveSince)] as const)
      .filter(
        ([channel, since]) => refused.includes(channel) || subscriptionFailure !== null || now - since >= patience,
      ),
  );
}
