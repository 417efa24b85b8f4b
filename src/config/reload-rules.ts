/**
 * When a change of a key takes effect:
 * - `now`: with the reload;
 * - `next session`: when the next session with the venue is opened, which a reload does not do;
 * - `restart`: when figd is started again.
 */
export type ReloadRule = 'now' | 'next session' | 'restart';

/** The one place where that is decided, for each key of the configuration. */
export const reloadRules: Readonly<Record<string, ReloadRule>> = {
  'venue.profile': 'restart',
  'venue.environment': 'restart',
  'venue.restUrl': 'restart',
  'venue.tokenUrl': 'restart',
  'venue.tokenStyle': 'restart',
  'venue.socketUrl': 'restart',
  'venue.methods.auth': 'restart',
  'venue.methods.refresh': 'restart',
  'venue.methods.heartbeat': 'restart',
  'venue.methods.subscribe': 'restart',
  'venue.methods.unsubscribe': 'restart',
  'venue.sign': 'restart',
  'venue.signature.encoding': 'restart',
  'venue.signature.omitPrefix': 'restart',
  'venue.requestsPerMinute': 'now',
  'network.proxy': 'restart',
  'network.caFile': 'restart',
  'credentials.clientId': 'now',
  'credentials.clientSecret': 'now',
  'credentials.clientIdFile': 'now',
  'credentials.clientSecretFile': 'now',
  'session.authenticateWith': 'next session',
  'session.renewal': 'now',
  'session.channels': 'now',
  'session.heartbeatInterval': 'now',
  'session.heartbeatTimeout': 'now',
  'session.connectTimeout': 'now',
  'session.authTimeout': 'now',
  'session.subscribeTimeout': 'now',
  'session.backoff.min': 'now',
  'session.backoff.max': 'now',
  'session.backoff.resetAfter': 'now',
  'token.refreshAt': 'now',
  'token.refreshMargin': 'now',
  'reconcile.enabled': 'restart',
  'reconcile.interval': 'now',
  // What is remembered of RFQs reaches back so far and no further: a longer look would find what was forgotten.
  'reconcile.lookback': 'restart',
  'local.directory': 'restart',
  'local.maxConsumers': 'now',
  'local.consumerBuffer': 'now',
  'gateway.http': 'restart',
  'gateway.allow': 'now',
  'gateway.timeout': 'now',
  'gateway.maxBody': 'now',
  'journal.enabled': 'restart',
  'journal.directory': 'restart',
  'journal.retainFor': 'now',
  'journal.retainBytes': 'now',
  'journal.ring': 'restart',
  'metrics.listen': 'restart',
  'log.level': 'now',
};

/** What says whose credentials they are: they must not be shown to another venue than the one they were written for. */
export const addressKeys: readonly string[] = [
  'venue.profile',
  'venue.environment',
  'venue.restUrl',
  'venue.tokenUrl',
  'venue.tokenStyle',
  'venue.socketUrl',
];
