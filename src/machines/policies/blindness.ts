import type { FailureCode } from '../../protocol/failure.ts';
import type { ProofOfLife, SessionContext } from '../session.events.ts';

/** "The server will close your connection if it doesn't receive a heartbeat" within this time (venue's quickstart). */
const venueHeartbeatLimitMs = 30_000;
/** A reply may take a few round trips; one that takes longer than this too says that the network holds things up. */
const usualDelayMs = 1_000;
const usualRoundTrips = 4;

export const nothingProven: ProofOfLife = { provenAt: null, heartbeatSentAt: null, rttMs: 0 };

/** What the heartbeats of a session have proved. */
export function proofOfLife({
  lastHeartbeat,
  lastHeartbeatSentAt,
}: Pick<SessionContext, 'lastHeartbeat' | 'lastHeartbeatSentAt'>): ProofOfLife {
  return {
    provenAt: lastHeartbeat === null ? null : lastHeartbeat.at - lastHeartbeat.rttMs,
    heartbeatSentAt: Number.isFinite(lastHeartbeatSentAt) ? lastHeartbeatSentAt : null,
    rttMs: lastHeartbeat?.rttMs ?? 0,
  };
}

export interface LostSession {
  readonly now: number;
  readonly cause: FailureCode;
  /** When the latest frame was read; null where none was. */
  readonly heardAt: number | null;
  /** Since when this process may have been away, without a heartbeat answered after it came back; null: it was not. */
  readonly awaySince: number | null;
  readonly proof: ProofOfLife;
}

/**
 * From when on events may be missing, in monotonic milliseconds: the last moment at which everything the venue had sent
 * is known to have arrived. Rather too early than too late: events outside of a gap count as complete.
 *
 * - Frames come in order, so all that was sent before the latest frame left has come; it left at most a round trip
 *   before it was read, as far as the latest heartbeat tells, and not before that heartbeat did.
 * - What is read while a heartbeat is long overdue was held up by the network, nobody knows how long.
 * - After an absence of the process that says nothing: the frames had waited in the kernel. What holds is when it was
 *   last there; and where the venue closed for want of a heartbeat, that it did so 30 s after the last one.
 */
export function blindSince({ now, cause, heardAt, awaySince, proof }: LostSession): number {
  const provenAt = proof.provenAt ?? Number.NEGATIVE_INFINITY;
  const left = heardAt === null || wasHeldUp(heardAt, proof) ? provenAt : heardAt - proof.rttMs;
  const known = Math.max(left, provenAt);
  const sure = Number.isFinite(known) ? Math.min(known, now) : now;
  if (awaySince === null) return sure;
  // Cut off earlier than documented, or for another reason: then nothing is known but when we were last there.
  const cutAt = cause === 'heartbeat-overdue' ? overdueSince(now, proof) : null;
  return Math.max(Math.min(sure, awaySince), cutAt ?? Number.NEGATIVE_INFINITY);
}

/**
 * When the venue closed for want of a heartbeat; null where it cannot have waited as long as documented. Heartbeats leave
 * one at a time, so one that left too lately to be the last it got (as soon as the process was back, say, before it
 * read that the session is closed) leaves the one that was answered before.
 */
function overdueSince(now: number, { heartbeatSentAt, provenAt }: ProofOfLife): number | null {
  const ends = [heartbeatSentAt, provenAt].map((at) => (at ?? Number.NEGATIVE_INFINITY) + venueHeartbeatLimitMs);
  return ends.find((at) => at <= now) ?? null;
}

function wasHeldUp(heardAt: number, { provenAt, heartbeatSentAt, rttMs }: ProofOfLife): boolean {
  if (provenAt === null || heartbeatSentAt === null || heartbeatSentAt <= provenAt) return false;
  return heardAt > heartbeatSentAt + Math.max(usualDelayMs, usualRoundTrips * rttMs);
}
