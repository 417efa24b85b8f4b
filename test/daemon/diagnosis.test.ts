import { afterEach, beforeEach, expect, it } from 'vitest';
import { RecentLines } from '../../src/adapters/recent-lines.ts';
import { Vault } from '../../src/adapters/vault.ts';
import { Secret } from '../../src/config/secret.ts';
import { Diagnosis, type DiagnosisPorts } from '../../src/daemon/diagnosis.ts';
import { liveDocument } from '../commands/support/status-documents.ts';
import { CoreStage } from './support/core-stage.ts';

const clientSecret = 'a/secret"of 12';
let stage: CoreStage;
let taken: Diagnosis[] = [];

beforeEach(async () => {
  stage = await CoreStage.open();
});

afterEach(async () => {
  for (const diagnosis of taken) diagnosis.stop();
  taken = [];
  await stage.stop();
});

function take(others: Partial<DiagnosisPorts> = {}) {
  const budget = { view: () => ({ limit: 1, used: 0, others: 0, waiting: 0, closedForMs: 0 }) };
  const diagnosis = new Diagnosis({
    version: '1',
    clock: stage.clock,
    vault: new Vault({ clientId: new Secret('an-id-of-a-client'), clientSecret: new Secret(clientSecret) }),
    core: stage.core,
    venue: { budget } as unknown as DiagnosisPorts['venue'],
    settings: () => ({ credentials: { clientSecret: new Secret(clientSecret) } }) as unknown as never,
    status: () => liveDocument,
    local: () => ({ requestsWaiting: 3 }),
    warnings: () => [],
    ...others,
  });
  taken.push(diagnosis);
  return diagnosis.take();
}

it('tells of each machine its state and what it knows, and of the process how it is', () => {
  const { machines, status, configuration, queues, log, resources, memory, loop } = take();
  expect(machines.map(({ name, status }) => [name, status])).toEqual([
    ['supervisor', 'active'],
    ['token', 'active'],
    ['reconcile', 'active'],
    ['session', 'active'],
  ]);
  expect(machines.at(-1)).toMatchObject({
    state: { live: { heartbeat: expect.any(String) } },
    context: { id: 1, authenticatedWith: 1, lastHeartbeat: { rttMs: expect.any(Number) } },
    running: expect.arrayContaining(['sockets']),
  });
  expect(status).toEqual(liveDocument);
  expect(configuration).toEqual({ credentials: { clientSecret: '[secret]' } });
  expect(queues).toMatchObject({
    calls: { waiting: 0, sessions: [{ id: 1, unanswered: 0 }] },
    local: { requestsWaiting: 3 },
  });
  expect(log).toMatchObject({ head: stage.core.log.head });
  expect(Object.values(resources).every((count) => count > 0)).toBe(true);
  expect(memory['rss']).toBeGreaterThan(0);
  expect(loop.utilization).toBeGreaterThanOrEqual(0);
});

it('is bounded, whatever there is to tell, and keeps what matters most', () => {
  const long = `${clientSecret} ${'\u2028"'.repeat(1_000)}`;
  const lines = new RecentLines();
  for (let line = 0; line < 500; line += 1) lines.note(`{"level":"error","msg":"${'\u{1F4A5}"'.repeat(1_000)}"}`);
  const crowd = Array.from({ length: 1_000 }, () => ({
    ...Object.fromEntries([...Array(99)].map((_, i) => [`m${i}`, long])),
  }));
  const document = take({
    warnings: () => lines.lines,
    settings: () => ({ crowd }) as unknown as never,
    local: () => ({ crowd }),
  });
  const json = JSON.stringify(document);
  expect(Buffer.byteLength(json)).toBeLessThanOrEqual(256 * 1_024);
  expect(document).toMatchObject({
    machines: expect.any(Array),
    status: liveDocument,
    configuration: expect.stringMatching(/^left out: \d+ bytes$/),
  });
  expect(json).not.toContain('a/secret');
});

it('knows the machines that have died', async () => {
  await stage.core.machines.abandon();
  expect(take().machines[0]).toMatchObject({ name: 'supervisor', status: 'stopped' });
});
