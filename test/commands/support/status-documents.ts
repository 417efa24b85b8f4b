import type { StatusDocument } from '../../../src/protocol/status.ts';

/** The moment the documents were made. */
export const now = 1_795_334_400_000;

const evidence = 'as it should be';
const since = now - 11_520_000;

/** A daemon that has been live for 3 h 12 m. */
export const liveDocument: StatusDocument = {
  version: '0.1.0',
  pid: 4242,
  startedAt: since - 60_000,
  state: 'live',
  since,
  reason: 'authenticated, 4 of 4 channels confirmed',
  next: 'nothing to do',
  layers: (['transport', 'session', 'token', 'subscriptions', 'data'] as const).map((name) => ({
    name,
    ok: true,
    since,
    evidence,
  })),
  token: { state: 'valid', expiresAt: now + 3_180_000, refreshAt: now + 2_460_000, refreshes: 3, lastError: null },
  session: {
    id: 7,
    state: 'live',
    url: 'ws://127.0.0.1:7464',
    connectedAt: since,
    attempts: 0,
    nextAttemptAt: null,
    heartbeat: { rttMs: 0.8, lastAckAt: now - 3_100, missed: 0 },
    clockOffsetMs: -1.24,
    lastClose: null,
  },
  channels: ['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'].map((name, index) => ({
    name,
    state: 'confirmed',
    events: index === 0 ? 12_345 : 0,
    lastEventAt: index === 0 ? now - 200 : null,
  })),
  consumers: [
    { id: 1, channels: ['*'], position: 12_346, lag: 0, bufferedBytes: 0, connectedAt: now - 7_200_000 },
    { id: 2, channels: ['rfq.*'], position: 11_000, lag: 1_346, bufferedBytes: 1_048_576, connectedAt: now - 90_000 },
  ],
  journal: {
    enabled: false,
    epoch: 'e1',
    oldest: 1,
    head: 12_345,
    written: null,
    bytes: 0,
    ringBytes: 1_000,
    trouble: null,
  },
  gateway: {
    socket: '/run/figd/gateway.sock',
    inFlight: 2,
    limit: { requestsPerMinute: 1_000, used: 12, usedByOthers: 0, waiting: 0, closedForMs: 0 },
  },
  gaps: { open: 0, total: 2, blindMsTotal: 3_400 },
  unknownCodes: [],
  counters: {},
};

export const downDocument: StatusDocument = {
  ...liveDocument,
  state: 'down',
  since: now - 12_000,
  reason: 'session: connection refused by 127.0.0.1:7464',
  next: 'figd tries again in 3.2 s (attempt 4)',
  layers: liveDocument.layers.map((layer) =>
    layer.name === 'session' ? { ...layer, ok: false, since: now - 12_000, evidence: 'connection refused' } : layer,
  ),
  session: { ...liveDocument.session, id: null, state: 'backoff', attempts: 3, nextAttemptAt: now + 3_200 },
};

export const degradedDocument: StatusDocument = {
  ...liveDocument,
  state: 'degraded',
  since: now - 125_000,
  reason: 'subscriptions: the venue refuses rfq.taker; 3 of 4 channels are live',
  next: 'figd asks for them again',
};

export const blockedDocument: StatusDocument = {
  ...liveDocument,
  state: 'blocked',
  since: now - 3_000_000,
  reason: 'the venue refuses the credentials',
  next: 'Check client id and secret with `figd check`.',
};
