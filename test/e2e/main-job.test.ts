import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isRecord } from '../../src/protocol/json-rpc.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { Figd } from '../support/figd.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest, frameOf, RawConsumer, workspace } from './daemon.ts';

const channels = ['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'];

test('run against a separately started simulate: live within a second, all channels, no holes, frames byte for byte', async () => {
  await using place = await workspace();
  const sentLog = join(place.path, 'sent.ndjson');
  const simulate = new Figd(['simulate', '--port', '0', '--rate', '200', '--sent-log', sentLog]);
  const port = await until('the port of simulate', () => /"port":(\d+)/.exec(simulate.stdout)?.[1]);
  await using daemon = await DaemonUnderTest.start({ restUrl: `http://127.0.0.1:${port}` });
  const { startedAt, since } = await daemon.reaches('live');
  expect(since - startedAt).toBeLessThan(1_000);

  using consumer = await RawConsumer.subscribe(daemon.eventsSocket);
  await until('300 events of all channels', () => {
    const seen = new Set(consumer.events().map(({ params }) => params.channel));
    return consumer.events().length >= 300 && channels.every((channel) => seen.has(channel)) ? true : undefined;
  });
  await daemon.process.stop();
  await consumer.ended;
  await simulate.stop();

  const events = consumer.events();
  expect(events.map(({ params }) => params.seq)).toEqual(events.map((_, index) => index + 1));
  const sent = (await readFile(sentLog, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly frame: string }).frame);
  const received = events.filter(({ params }) => channels.includes(params.channel)).map(frameOf);
  expect(received.length).toBeGreaterThan(290);
  // What was still under way at the end may be missing at the tail, and nowhere else.
  expect(received).toEqual(sent.slice(0, received.length));
});

test('SIGTERM: says bye, closes the WebSocket in good order, removes its sockets and exits 0', async () => {
  await using simulator = await startSimulator({ rate: 20 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  using consumer = await RawConsumer.subscribe(daemon.eventsSocket, {});
  await until('the reply to subscribe', () => consumer.lines.find((line) => line.text.includes('"result"')));

  const startedAt = performance.now();
  const { code } = await daemon.process.stop();
  await consumer.ended;

  expect(code).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(consumer.lines.at(-1)).toMatchObject({
    method: 'bye',
    params: { reason: 'SIGTERM', head: expect.any(Number) },
  });
  const closed = await until('the close seen by the venue', () => simulator.venue.stats.closedConnections[0]);
  expect(closed).toMatchObject({ closedBy: 'client', closeCode: 1000 });
  expect(existsSync(daemon.eventsSocket) || existsSync(daemon.controlSocket)).toBe(false);
});

test('kill -9: the next start takes the place of the dead sockets, and goes on in the same epoch', async () => {
  await using simulator = await startSimulator({ rate: 20 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  const before = await daemon.reaches('live');
  daemon.process.child.kill('SIGKILL');
  await daemon.process.ended;
  expect(existsSync(daemon.eventsSocket)).toBe(true);

  daemon.launch();
  const after = await daemon.reaches('live');
  expect(after.journal.epoch).toBe(before.journal.epoch);
  expect(after.journal.head).toBeGreaterThan(before.journal.head);
});

test('a second daemon in the same directory is refused, names the first, and leaves it alone', async () => {
  await using simulator = await startSimulator();
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  const { pid } = await daemon.reaches('live');
  const second = await new Figd(['run', '--config', daemon.configFile]).ended;
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`already running`);
  expect(second.stderr).toContain(`pid ${pid}`);
  expect((await daemon.status()).state).toBe('live');
});

test.each([
  ['the quickstart dialect, credentials on the socket', { session: { authenticateWith: 'credentials' } }, {}],
  ['a new token in the auth reply', {}, { tokenInAuthReply: true }],
  ['channels found in the method of a notification', {}, { envelope: 'method' as const }],
  ['plain JSON-RPC replies', {}, { replyStyle: 'jsonrpc' as const }],
])('goes live with %s', async (_, config, options) => {
  await using simulator = await startSimulator({ rate: 50, ...options });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl, config });
  const { channels: states } = await daemon.statusWhere('events on every channel', (status) =>
    status.channels.every(({ events, state }) => events > 0 && state === 'confirmed'),
  );
  expect(states.map(({ name }) => name).sort()).toEqual(channels);
});

test('the platform dialect: OAuth2 with refresh tokens, a socket of its own, signed REST', async () => {
  await using simulator = await startSimulator({ rate: 50, tokenLife: 6_000, verifySignatures: true });
  const { restUrl, oauth2TokenUrl: tokenUrl, platformSocketUrl: socketUrl } = simulator;
  await using daemon = await DaemonUnderTest.start({
    restUrl,
    config: { venue: { profile: 'platform', restUrl, tokenUrl, socketUrl } },
  });
  await daemon.reaches('live');
  const { stdout, code } = await daemon.command('rest', 'GET', '/v1/rfq?limit=2');
  expect(code).toBe(0);
  const page: unknown = JSON.parse(stdout);
  expect(isRecord(page) && page['results']).toHaveLength(2);
  await daemon.statusWhere('a renewal by refresh token', ({ token }) => token.refreshes > 0);
  expect(simulator.venue.stats.tokenRequests.refresh_token.issued).toBeGreaterThan(0);
});
