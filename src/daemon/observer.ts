import { BoundedLabels } from '../adapters/bounded-labels.ts';
import type { Logger } from '../adapters/logger.ts';
import type { Metrics } from '../adapters/metrics.ts';
import { loggable } from '../gateway/access-record.ts';
import { isFailed } from '../machines/policies/backoff.ts';
import type { ReconcileReport } from '../machines/reconcile.events.ts';
import type { SupervisorFact } from '../machines/supervisor.events.ts';
import type { CoreOptions } from './core.ts';
import type { Counters } from './counters.ts';

export interface ObserverPorts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly counters: Counters;
}

const seconds = (ms: number): number => Math.round(ms) / 1_000;

/** Turns the facts the supervisor makes known into log lines and metrics. */
export function observe(ports: ObserverPorts): (fact: SupervisorFact) => void {
  const { logger, metrics, counters } = ports;
  const count = (name: keyof Counters) => {
    counters[name] += 1;
  };
  return (fact) => {
    switch (fact.type) {
      case 'token.requested':
      case 'session.wants-successor':
        return;
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
        logger.info({ session: fact.id, channels: fact.confirmed, refused: fact.refused }, 'channels asked for');
        return;
      case 'session.unsubscribed':
        logger.info({ session: fact.id, channels: fact.channels }, 'channels given up');
        return;
      case 'session.channels-failed':
        logger.warn(
          { session: fact.id, code: fact.failure.code, class: fact.failure.class },
          `the channels could not be changed: ${fact.failure.message}; figd tries again`,
        );
        return;
      case 'session.subscription-limited':
        logger.warn(
          { session: fact.id, code: fact.failure.code, retryInSeconds: seconds(fact.retryInMs) },
          `the session waits to subscribe: ${fact.failure.message}`,
        );
        return;
      case 'session.heartbeat':
        metrics.heartbeatRtt.observe(fact.rttMs / 1_000);
        if (fact.refusal === undefined) logger.debug({ session: fact.id, rttMs: fact.rttMs }, 'heartbeat');
        else logger.warn({ session: fact.id, code: fact.refusal.code }, fact.refusal.message);
        return;
      case 'session.renewed':
        count('renewals');
        logger.info({ session: fact.id }, 'session renewed in place');
        return;
      case 'session.rotated':
        count('rotations');
        metrics.closes.inc({ code: 'renewal' });
        logger.info({ session: fact.id, previous: fact.previous }, 'session renewed: a second one has taken over');
        return;
      case 'session.stepped-in':
        count('closes');
        metrics.closes.inc({ code: fact.failure.code });
        logger.warn(
          { session: fact.id, previous: fact.previous, code: fact.failure.code, class: fact.failure.class },
          `session closed: ${fact.failure.message}; the second one, on its way to take over, goes on in its place`,
        );
        return;
      case 'session.blind-spot':
        logger.warn(
          { session: fact.id, previous: fact.previous },
          'the session that was taken over from had been dead',
        );
        return;
      case 'session.rotation-failed':
        logger.warn(
          { session: fact.id, code: fact.failure.code, class: fact.failure.class },
          `the session could not move on: ${fact.failure.message}; it carries on while its token lasts`,
        );
        return;
      case 'session.closed':
        count('closes');
        metrics.closes.inc({ code: fact.failure.code });
        logger[isFailed(fact.failure) ? 'warn' : 'info'](
          {
            session: fact.id,
            code: fact.failure.code,
            class: fact.failure.class,
            liveSeconds: fact.liveForMs === null ? null : seconds(fact.liveForMs),
            retryInSeconds: fact.retryInMs === null ? null : seconds(fact.retryInMs),
          },
          `${fact.liveForMs === null ? 'no session' : 'session closed'}: ${fact.failure.message}`,
        );
        return;
      case 'gap.opened':
      case 'gap.ended':
        return;
      case 'reconcile.finished':
        tellComparison(ports, fact);
        return;
    }
  };
}

function tellComparison({ logger, counters }: ObserverPorts, { outcome, missed, failure }: ReconcileReport): void {
  if (outcome === 'not-attempted') return;
  counters[outcome === 'complete' ? 'comparisons' : 'comparisonsFailed'] += 1;
  counters.reconciled += missed;
  if (outcome === 'failed') {
    const { code, class: of, message } = failure ?? {};
    logger.warn({ code, class: of }, `what was missed cannot be fetched now: ${message}`);
  } else if (missed > 0) logger.warn({ missed }, 'events that had been missed are published on figd.reconcile');
  else logger.debug("compared with the venue's list: nothing is missing");
}

export type Tellers = Pick<CoreOptions, 'onState' | 'onJump' | 'onGapOpened' | 'onGapSettled' | 'onCall'>;

export interface TellersPorts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether somebody has asked figd to stop, so that its session is no loss. */
  readonly isStopping: () => boolean;
  readonly redact: (text: string) => string;
}

/**
 * Turns what a core makes known beside the facts of its machines into log lines and metrics.
 */
export function tellers({ logger, metrics, isStopping, redact }: TellersPorts): Tellers {
  const statuses = new BoundedLabels();
  return {
    onCall: ({ ms, ...record }) => {
      metrics.gatewayRequests.inc({ door: record.door, status: statuses.of(record.status) });
      metrics.gatewaySeconds.observe({ door: record.door }, ms / 1_000);
      logger.info(loggable({ ...record, ms: Number(ms.toFixed(1)) }, redact), 'call');
    },
    onState: ({ state, previous, reason, next }) => {
      const line = `${state}: ${reason}`;
      if (state === 'live' || isStopping()) logger.info({ state, previous }, line);
      else logger.warn({ state, previous, next }, line);
    },
    onJump: ({ kind, ms }) => logger.warn({ kind, seconds: seconds(ms) }, jumpWords[kind]),
    onGapOpened: ({ id, cause, since, channels }) =>
      logger[isStopping() ? 'info' : 'warn'](
        { gap: id, cause, since: Math.round(since), channels },
        'a gap has begun: these channels are not heard',
      ),
    onGapSettled: ({ id, cause, blindMs, reconciled }) => {
      const blindSeconds = seconds(blindMs ?? 0);
      metrics.gaps.inc({ cause, reconciled: String(reconciled) });
      metrics.blindSeconds.inc({ cause }, (blindMs ?? 0) / 1_000);
      logger.warn({ gap: id, cause, blindSeconds, reconciled }, 'gap closed');
    },
  };
}

/** Tells of frames in which no channel is found, never what is in them. */
export function unroutedTeller(logger: Logger): (frames: number) => void {
  return (frames) =>
    logger.warn(
      { frames },
      'frames without a channel that figd can find have come: they are published on venue.unrouted',
    );
}

const jumpWords = {
  suspend: 'this host was suspended; everything is checked now',
  stall: 'figd did not run for a while (stopped, or starved of processor time); everything is checked now',
  step: 'the clock of this host was set; lengths of time are not affected',
};
