import { afterEach, expect, test } from 'vitest';
import { statusDocument } from '../../src/daemon/status.ts';
import { passingStorage } from '../../src/daemon/storage.ts';
import { CoreStage, channels } from './support/core-stage.ts';
import { epoch } from './support/test-clock.ts';

const second = 1_000;

let stage: CoreStage;
afterEach(() => stage.stopSoundly());

function session() {
  const { core, clock } = stage;
  return statusDocument({
    version: '0',
    startedAt: epoch,
    socketUrl: 'ws://venue',
    channels,
    clock,
    log: core.log,
    feed: null,
    storage: passingStorage(),
    ledger: core.ledger,
    unknownCodes: core.unknownCodes,
    watch: core.watch,
    view: () => core.machines.view(),
    subscribers: () => [],
    gateway: () => ({
      socket: null,
      inFlight: 0,
      limit: { requestsPerMinute: 60, used: 0, usedByOthers: 0, waiting: 0, closedForMs: 0 },
    }),
    counters: core.counters,
  }).session;
}

test('a heartbeat is missed once it has been without an answer for a second, until the session is given up', async () => {
  stage = await CoreStage.open();
  await stage.pass(9 * second);
  expect(session().heartbeat).toEqual({ rttMs: 0, lastAckAt: epoch, missed: 0 });
  stage.venue.inject({ kind: 'no-reply', method: 'heartbeat', times: 1 });
  const seen: string[] = [];
  for (let halves = 0; halves < 12; halves += 1) {
    await stage.pass(second / 2);
    const { heartbeat, state } = session();
    seen.push(`${state} ${heartbeat.missed}`);
  }
  // Sent at 10 s, given up at 15 s.
  const given = ['live 0', 'live 0', 'live 0', ...Array(7).fill('live 1'), 'backoff 0', 'live 0'];
  expect(seen).toEqual(given);
});
