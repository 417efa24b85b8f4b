import { advice, type Failure } from '../../protocol/failure.ts';
import { type LayerName, layerNames, type OverallState } from '../../protocol/status.ts';
import { dialsPerMinute } from './backoff.ts';
import { unasked, unwanted } from './channel-book.ts';

/** What the machines know, as far as it decides what users see. Moments are monotonic milliseconds. */
export interface HealthFacts {
  readonly now: number;
  readonly token: {
    readonly state: string;
    readonly usable: boolean;
    readonly expiresAt: number | null;
    readonly retryAt: number | null;
    readonly lastFailure: Failure | null;
  };
  /** False when the socket is authenticated with the credentials themselves. */
  readonly sessionNeedsToken: boolean;
  /** The session's state, or null while none is dialled. */
  readonly session: {
    readonly state: 'connecting' | 'authenticating' | 'subscribing' | 'live' | 'closing' | 'closed';
    readonly wanted: readonly string[];
    readonly confirmed: readonly string[];
    readonly refused: readonly string[];
    readonly held: readonly string[];
    /** Why the channels could not be made what is wanted, or null. */
    readonly subscriptionFailure: Failure | null;
    /** Until when the venue takes no subscription, or null where it has not said so. */
    readonly limitedUntil: number | null;
    /** Why it ends, once it does. */
    readonly ending: Failure | null;
    /** Why the session is not on the newest token, or null. */
    readonly renewalFailure: Failure | null;
    readonly lastHeartbeat: { readonly at: number; readonly rttMs: number } | null;
  } | null;
  /** When the venue was last heard on the session, or null. */
  readonly lastHeardAt: number | null;
  readonly socketHost: string;
  readonly lastClose: Failure | null;
  readonly nextDialAt: number | null;
  /** Whether that dial waits for the ceiling of dials per minute. */
  readonly heldByCeiling: boolean;
  /** Dials in a row that did not lead to a lasting session. */
  readonly failedInARow: number;
  /** Why something cannot be kept on disk at present, or null. */
  readonly storageTrouble: string | null;
}

export interface LayerHealth {
  readonly name: LayerName;
  readonly ok: boolean;
  readonly evidence: string;
}

export interface Health {
  readonly state: OverallState;
  /** Does not change from second to second: a change of it is worth an event. */
  readonly reason: string;
  readonly next: string;
  readonly layers: readonly LayerHealth[];
}

/** Derives the one state users see, the layer that is to blame, and what happens next. */
export function deriveHealth(given: HealthFacts): Health {
  const facts = { ...given, lastClose: given.session?.ending ?? given.lastClose };
  const layers = deriveLayers(facts);
  const { session, token } = facts;
  const live = session?.state === 'live';
  const refusal = blockedBy(facts);
  if (live && session.confirmed.length > 0) {
    const total = session.confirmed.length + session.refused.length;
    if (session.refused.length > 0) {
      return {
        state: 'degraded',
        reason: `subscriptions: the venue refuses ${session.refused.join(', ')}; ${session.confirmed.length} of ${total} channels are live`,
        next: `figd asks for ${session.refused.join(', ')} again. ${advice('channels-refused')}`,
        layers,
      };
    }
    if (session.subscriptionFailure !== null) {
      return {
        state: 'degraded',
        reason: `subscriptions: ${unchanged(session)}: ${session.subscriptionFailure.message}`,
        next: `figd tries again; a new session, after \`figd rotate\`, subscribes to what is wanted alone. ${advice(session.subscriptionFailure.code)}`,
        layers,
      };
    }
    if (token.lastFailure !== null) {
      return {
        state: 'degraded',
        reason: `token: ${token.lastFailure.message}`,
        next: `the session stays live while its token does; ${whenRetried(facts, token.retryAt)}. ${advice(token.lastFailure.code)}`,
        layers,
      };
    }
    if (session.renewalFailure !== null) {
      return {
        state: 'degraded',
        reason: `session: it could not move to its new token: ${session.renewalFailure.message}`,
        next: `figd tries again; should that not succeed before the old token ends, it reconnects, if it can while no RFQ is open. ${advice(session.renewalFailure.code)}`,
        layers,
      };
    }
    if (facts.storageTrouble !== null) {
      return {
        state: 'degraded',
        reason: `journal: ${facts.storageTrouble}`,
        next: 'events are delivered, and kept in memory only; figd tries again every second',
        layers,
      };
    }
    return {
      state: 'live',
      reason: `authenticated, ${total} of ${total} channels confirmed`,
      next: 'nothing to do',
      layers,
    };
  }
  if (refusal !== null) {
    const retryAt = token.lastFailure === refusal ? token.retryAt : facts.nextDialAt;
    return {
      state: 'blocked',
      reason: refusal.message,
      next: `${whenRetried(facts, retryAt)}, or at once on \`figd refresh\`. ${advice(refusal.code)}`,
      layers,
    };
  }
  return { state: 'down', ...(live ? nothingConfirmed(session) : downBecause(facts)), layers };
}

/** There is a session, and no channel on it. */
function nothingConfirmed(session: NonNullable<HealthFacts['session']>): Pick<Health, 'reason' | 'next'> {
  const { wanted, refused, subscriptionFailure } = session;
  const missing = unasked(wanted, session);
  if (missing.length === 0) {
    return {
      reason: `subscriptions: the venue refuses every channel (${refused.join(', ')})`,
      next: `figd asks for them again. ${advice('channels-refused')}`,
    };
  }
  if (subscriptionFailure === null) {
    return { reason: 'subscriptions: no channel is live yet', next: `figd asks for ${missing.join(', ')} now` };
  }
  return {
    reason: `subscriptions: no channel is live: ${unchanged(session)}: ${subscriptionFailure.message}`,
    next: `figd asks for them again; ${advice(subscriptionFailure.code)}`,
  };
}

/** What of the channels is not as wanted. */
function unchanged(session: NonNullable<HealthFacts['session']>): string {
  const missing = unasked(session.wanted, session);
  const left = unwanted(session.wanted, session);
  return [
    ...(missing.length > 0 ? [`${missing.join(', ')} could not be subscribed to`] : []),
    ...(left.length > 0 ? [`${left.join(', ')} could not be given up`] : []),
  ].join(', ');
}

/** The refusal only a human can lift, or null. */
function blockedBy({ token, sessionNeedsToken, lastClose, session }: HealthFacts): Failure | null {
  const tokenRefused = token.lastFailure?.class === 'refused' && !token.usable;
  if (tokenRefused && sessionNeedsToken) return token.lastFailure;
  // One that waits to subscribe has been let in.
  const probing = session !== null && session.state !== 'live' && limitOf(session) === null;
  // A refused token is replaced without anybody's help.
  const closedForGood = lastClose?.class === 'refused' && lastClose.code !== 'token-refused';
  return closedForGood && (session === null || probing) ? lastClose : null;
}

/** The limit that the first subscription waits for, or null. */
function limitOf(session: HealthFacts['session']): Failure | null {
  return session?.state === 'subscribing' ? session.subscriptionFailure : null;
}

function downBecause(facts: HealthFacts): { reason: string; next: string } {
  const { token, lastClose, sessionNeedsToken, session } = facts;
  const limit = limitOf(session);
  if (session !== null && limit !== null) {
    return {
      reason: `subscriptions: ${limit.message}`,
      next: `${whenRetried(facts, session.limitedUntil)}. ${advice(limit.code)}`,
    };
  }
  if (sessionNeedsToken && !token.usable && token.lastFailure !== null) {
    return {
      reason: `token: ${token.lastFailure.message}`,
      next: `${whenRetried(facts, token.retryAt)}. ${advice(token.lastFailure.code)}`,
    };
  }
  if (lastClose === null) return { reason: 'starting: no session yet', next: progress(facts) };
  const layer = lastClose.code === 'token-refused' ? 'token' : 'session';
  return { reason: `${layer}: ${lastClose.message}`, next: progress(facts) };
}

function progress(facts: HealthFacts): string {
  const { session, token, lastClose } = facts;
  if (session !== null) return `${session.state} now (attempt ${facts.failedInARow + 1})`;
  if (facts.sessionNeedsToken && !token.usable) return `${whenRetried(facts, token.retryAt)} for a new token`;
  const held = facts.heldByCeiling ? `, as it dials at most ${dialsPerMinute} times a minute` : '';
  const hint = lastClose === null ? '' : `. ${advice(lastClose.code)}`;
  return `${whenRetried(facts, facts.nextDialAt)} (attempt ${facts.failedInARow + 1}${held})${hint}`;
}

function whenRetried(facts: HealthFacts, at: number | null): string {
  if (at === null || at <= facts.now) return 'figd asks now';
  return `figd tries again in ${Math.max(0.1, (at - facts.now) / 1_000).toFixed(1)} s`;
}

const reached: Readonly<Record<string, number>> = { connecting: 0, authenticating: 1, subscribing: 2, live: 3 };

function deriveLayers(facts: HealthFacts): readonly LayerHealth[] {
  const judge: Readonly<Record<LayerName, readonly [boolean, string]>> = {
    transport: judgeTransport(facts),
    session: judgeSession(facts),
    token: judgeToken(facts),
    subscriptions: judgeSubscriptions(facts),
    data: judgeData(facts),
  };
  return layerNames.map((name) => ({ name, ok: judge[name][0], evidence: judge[name][1] }));
}

type Verdict = readonly [boolean, string];

const progressOf = ({ session }: HealthFacts): number => (session === null ? 0 : (reached[session.state] ?? 0));
const lossOf = ({ lastClose }: HealthFacts): string => (lastClose === null ? 'not connected yet' : lastClose.message);
const ago = (now: number, at: number): string => `${(Math.max(0, now - at) / 1_000).toFixed(1)} s ago`;

function judgeTransport(facts: HealthFacts): Verdict {
  return progressOf(facts) >= 1 ? [true, `connected to ${facts.socketHost}`] : [false, lossOf(facts)];
}

function judgeSession(facts: HealthFacts): Verdict {
  const progressMade = progressOf(facts);
  if (progressMade < 2) return [false, progressMade === 1 ? 'authenticating' : lossOf(facts)];
  const beat = facts.session?.lastHeartbeat ?? null;
  const stuck = facts.session?.renewalFailure ?? null;
  if (stuck !== null) return [false, `on an old token: ${stuck.message}`];
  if (beat === null) return [true, 'authenticated'];
  return [true, `authenticated; heartbeat answered ${ago(facts.now, beat.at)} in ${beat.rttMs.toFixed(1)} ms`];
}

function judgeToken({ token, now }: HealthFacts): Verdict {
  if (token.lastFailure !== null) return [false, token.lastFailure.message];
  if (token.usable) return [true, `valid for another ${Math.floor(((token.expiresAt ?? now) - now) / 1_000)} s`];
  return [false, token.state === 'idle' ? 'not asked for yet' : `${token.state}, none to use`];
}

function judgeSubscriptions({ session }: HealthFacts): Verdict {
  if (session === null || session.state !== 'live') return [false, limitOf(session)?.message ?? 'no live session'];
  const { confirmed, refused, subscriptionFailure } = session;
  const total = confirmed.length + refused.length;
  if (subscriptionFailure !== null) return [false, `${unchanged(session)}: ${subscriptionFailure.message}`];
  if (refused.length > 0) return [false, `refused: ${refused.join(', ')}`];
  return total === 0 ? [false, 'none confirmed yet'] : [true, `${total} of ${total} channels confirmed`];
}

/** Silence of data proves nothing either way: a market may be quiet. What is told is when the venue last spoke. */
function judgeData(facts: HealthFacts): Verdict {
  const { session, lastHeardAt, now } = facts;
  if (progressOf(facts) < 3 || session === null) return [false, 'no live session'];
  if (session.confirmed.length === 0) return [false, 'no channel is live'];
  return [true, lastHeardAt === null ? 'nothing heard yet' : `the venue was last heard ${ago(now, lastHeardAt)}`];
}
