import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { overallStates, type StatusDocument } from '../protocol/status.ts';

/** Heartbeats take from a fraction of a millisecond (loopback) to the five seconds of their deadline. */
const rttBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** A turn of fan-out takes microseconds; a millisecond means that something holds up the loop. */
const fanoutBuckets = [0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1];

/** From a venue on the loopback to a call that waited for room in the venue's limit. */
const callBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The daemon's metrics. What the status document knows is read from it when Prometheus asks; what happens in between
 * is counted here.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly tokenRefreshes = new Counter({
    name: 'figd_token_refreshes_total',
    help: 'Token requests by result: ok, or the code of the failure.',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly connects = new Counter({
    name: 'figd_session_connects_total',
    help: 'Dials by cause: start, or the code of what ended the session before.',
    labelNames: ['cause'],
    registers: [this.registry],
  });
  readonly closes = new Counter({
    name: 'figd_session_closes_total',
    help: 'Ended sessions by the code of the failure.',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly heartbeatRtt = new Histogram({
    name: 'figd_heartbeat_rtt_seconds',
    help: 'Time from a heartbeat to its reply.',
    buckets: rttBuckets,
    registers: [this.registry],
  });
  readonly gaps = new Counter({
    name: 'figd_gaps_total',
    help: 'Closed gaps: times in which a session had been live and the venue could not be heard.',
    labelNames: ['cause', 'reconciled'],
    registers: [this.registry],
  });
  readonly blindSeconds = new Counter({
    name: 'figd_blind_seconds_total',
    help: 'Length of the closed gaps.',
    labelNames: ['cause'],
    registers: [this.registry],
  });
  readonly gatewayRequests = new Counter({
    name: 'figd_gateway_requests_total',
    help: 'Calls of local programs by door (call, rest) and outcome: an HTTP status, ok, or the code of an error.',
    labelNames: ['door', 'status'],
    registers: [this.registry],
  });
  readonly gatewaySeconds = new Histogram({
    name: 'figd_gateway_seconds',
    help: 'Time from a call of a local program to its answer.',
    labelNames: ['door'],
    buckets: callBuckets,
    registers: [this.registry],
  });
  readonly fanout = new Histogram({
    name: 'figd_fanout_seconds',
    help: 'Time to hand the events of one turn of the event loop to all consumers.',
    buckets: fanoutBuckets,
    registers: [this.registry],
  });

  /** @param status read at each scrape */
  constructor(status: () => StatusDocument, now: () => number) {
    collectDefaultMetrics({ register: this.registry });
    const gauge = (
      name: string,
      help: string,
      collect: (gauge: Gauge, document: StatusDocument) => void,
      labels: string[] = [],
    ) =>
      new Gauge({
        name,
        help,
        labelNames: labels,
        registers: [this.registry],
        collect() {
          this.reset();
          collect(this, status());
        },
      });
    gauge(
      'figd_up',
      '1 for the state the daemon is in, 0 for the others.',
      (up, { state }) => {
        for (const each of overallStates) up.set({ state: each }, each === state ? 1 : 0);
      },
      ['state'],
    );
    gauge('figd_state_age_seconds', 'Seconds since the daemon came into the state it is in.', (age, { since }) =>
      age.set((now() - since) / 1_000),
    );
    gauge(
      'figd_layer_ok',
      '1 for a layer that is ok, 0 for one that is not: the first of these is the one that is broken.',
      (ok, { layers }) => {
        for (const layer of layers) ok.set({ layer: layer.name }, layer.ok ? 1 : 0);
      },
      ['layer'],
    );
    gauge(
      'figd_token_expires_seconds',
      'Seconds until the access token in use expires; absent without one.',
      (left, { token }) => {
        if (token.expiresAt === null) left.remove();
        else left.set((token.expiresAt - now()) / 1_000);
      },
    );
    gauge('figd_clock_offset_seconds', 'Venue clock minus ours, from the latest heartbeat.', (offset, { session }) => {
      if (session.clockOffsetMs === null) offset.remove();
      else offset.set(session.clockOffsetMs / 1_000);
    });
    gauge(
      'figd_last_event_age_seconds',
      'Seconds since the latest event of a channel.',
      (age, { channels }) => {
        for (const { name, lastEventAt } of channels) {
          if (lastEventAt !== null) age.set({ channel: name }, (now() - lastEventAt) / 1_000);
        }
      },
      ['channel'],
    );
    gauge('figd_consumers', 'Local clients that have subscribed.', (count, { consumers }) =>
      count.set(consumers.length),
    );
    gauge(
      'figd_consumer_lag_events',
      'Events between the slowest consumer and the head of the log.',
      (lag, { consumers }) => lag.set(Math.max(0, ...consumers.map((each) => each.lag))),
    );
    gauge('figd_journal_bytes', 'Bytes of events on disk.', (bytes, { journal }) => bytes.set(journal.bytes));
    gauge('figd_journal_ok', '1 while everything is kept on disk, 0 while something is not.', (ok, { journal }) =>
      ok.set(journal.enabled && journal.trouble === null ? 1 : 0),
    );
    gauge('figd_journal_unwritten_events', 'Events that are not on disk yet.', (count, { journal }) => {
      if (journal.written === null) count.remove();
      else count.set(journal.head - journal.written);
    });
    gauge('figd_rate_limit_used', 'HTTP requests of the last minute, by figd and its callers.', (count, { gateway }) =>
      count.set(gateway.limit.used),
    );
    gauge('figd_rate_limit', 'HTTP requests that the venue allows in a minute.', (count, { gateway }) =>
      count.set(gateway.limit.requestsPerMinute),
    );
    gauge('figd_ring_bytes', 'Memory held for the newest events.', (bytes, { journal }) =>
      bytes.set(journal.ringBytes),
    );
    new Counter({
      name: 'figd_events_total',
      help: 'Events of a channel since the start.',
      labelNames: ['channel'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { name, events } of status().channels) this.inc({ channel: name }, events);
      },
    });
  }
}
