import type { Logger } from '../adapters/logger.ts';
import type { Metrics } from '../adapters/metrics.ts';
import type { SupervisorFact } from '../machines/supervisor.events.ts';
import type { Gaps } from './gaps.ts';

/** What `status` counts, since the start. */
export function emptyCounters() {
  return {
    dials: 0,
    sessionsLive: 0,
    closes: 0,
    renewals: 0,
    rotations: 0,
    tokensGranted: 0,
    tokenFailures: 0,
    /** Replies that no call waited for any more. */
    strayReplies: 0,
  };
}

export type Counters = ReturnType<typeof emptyCounters>;

export interface ObserverPorts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly gaps: Gaps;
  readonly counters: Counters;
  /** When the venue was last heard (unix milliseconds). */
  readonly lastHeardAt: () => number;
  readonly wall: () => number;
  readonly channels: readonly string[];
}

const seconds = (ms: number): number => Math.round(ms) / 1_000;

/** Turns the facts the supervisor makes known into log lines, metrics and the ledger of gaps. */
export function observe(ports: ObserverPorts): (fact: SupervisorFact) => void {
  const { logger, metrics, gaps, counters } = ports;
  const count = (name: keyof Counters) => {
    counters[name] += 1;
  };
  return (fact) => {
    switch (fact.type) {
      case 'token.granted':
        count('tokensGranted');
        metrics.tokenRefreshes.inc({ result: 'ok' });
        logger.info({ lifeSeconds: seconds(fact.lifeMs) }, fact.renewal ? 'token renewed' : 'token granted');
        return;
      case 'token.failed':
        count('tokenFailures');
        metrics.tokenRefreshes.inc({ result: fact.failure.code });
        logger.warn(
          { code: fact.failure.code, class: fact.failure.class, retryInSeconds: seconds(fact.retryInMs) },
          `token: ${fact.failure.message}`,
        );
        return;
      case 'token.lost':
        logger.warn(fact.why === 'expired' ? 'token expired before it was renewed' : 'token refused by the venue');
        return;
      case 'session.dialled':
        count('dials');
        metrics.connects.inc({ cause: fact.cause });
        logger.debug({ session: fact.id, attempt: fact.attempt }, 'dialling');
        return;
      case 'session.authenticated':
        logger.debug({ session: fact.id }, 'authenticated');
        return;
      case 'session.live':
        count('sessionsLive');
        logger.info({ session: fact.id, channels: fact.confirmed, refused: fact.refused }, 'session live');
        return;
      case 'session.resubscribed':
        logger.info({ session: fact.id, channels: fact.confirmed, refused: fact.refused }, 'channels asked for again');
        return;
      case 'session.heartbeat':
        metrics.heartbeatRtt.observe(fact.rttMs / 1_000);
        logger.debug({ session: fact.id, rttMs: fact.rttMs }, 'heartbeat');
        return;
      case 'session.renewed':
        count('renewals');
        logger.info({ session: fact.id }, 'session renewed in place');
        return;
      case 'session.wants-successor':
        return;
      case 'session.rotated':
        count('rotations');
        metrics.closes.inc({ code: 'renewal' });
        logger.info({ session: fact.id, previous: fact.previous }, 'session renewed: a second one has taken over');
        return;
      case 'session.rotation-failed':
        logger.warn(
          { session: fact.id, code: fact.failure.code, class: fact.failure.class },
          `no second session: ${fact.failure.message}; the first one carries on while its token lasts`,
        );
        return;
      case 'session.closed':
        count('closes');
        metrics.closes.inc({ code: fact.failure.code });
        logger.warn(
          {
            session: fact.id,
            code: fact.failure.code,
            class: fact.failure.class,
            liveSeconds: fact.liveForMs === null ? null : seconds(fact.liveForMs),
            retryInSeconds: fact.retryInMs === null ? null : seconds(fact.retryInMs),
          },
          `session closed: ${fact.failure.message}`,
        );
        return;
      case 'gap.opened':
        gaps.open(fact.cause, ports.lastHeardAt(), ports.channels);
        return;
      case 'gap.closed': {
        const gap = gaps.close(ports.wall());
        if (gap === null) return;
        const blindMs = gap.until - gap.since;
        metrics.gaps.inc({ cause: gap.cause, reconciled: 'not-attempted' });
        metrics.blindSeconds.inc({ cause: gap.cause }, blindMs / 1_000);
        logger.warn({ gap: gap.id, cause: gap.cause, blindSeconds: seconds(blindMs) }, 'gap closed');
        return;
      }
    }
  };
}
