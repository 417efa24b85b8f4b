import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { channels } from '../../src/simulator/frames.ts';
import type { SentRecord } from '../../src/simulator/ports.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/server.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ rate: 0, ...options });
  cleanups.push(simulator.close);
  return simulator;
}

interface Reply {
  readonly id: string;
  readonly result?: unknown;
}

/** A client that collects the events it receives, and matches replies to its calls. */
class Client {
  readonly ws: WebSocket;
  /** Every frame but the replies. */
  readonly frames: { readonly data: Buffer; readonly isBinary: boolean }[] = [];
  readonly closed: Promise<number>;
  readonly #calls = new Map<string, (reply: Reply) => void>();

  constructor(url: string) {
    this.ws = new WebSocket(url, { skipUTF8Validation: true });
    cleanups.push(() => this.ws.terminate());
    this.ws.on('error', () => {});
    this.ws.on('message', (data: Buffer, isBinary) => {
      const reply = asReply(data);
      const answer = reply === undefined ? undefined : this.#calls.get(reply.id);
      if (reply === undefined || answer === undefined) this.frames.push({ data, isBinary });
      else answer(reply);
    });
    this.closed = new Promise((resolve) => this.ws.on('close', resolve));
  }

  /** Calls a method; the id of the call is the method's name. */
  call(method: string, params: object): Promise<Reply> {
    return new Promise((resolve) => {
      this.#calls.set(method, resolve);
      this.ws.send(JSON.stringify({ jsonrpc: '2.0', id: method, method, params }));
    });
  }
}

function asReply(data: Buffer): Reply | undefined {
  try {
    const message = JSON.parse(data.toString('utf8'));
    return typeof message.id === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

async function jsonToken(simulator: Simulator): Promise<string> {
  const reply = await fetch(simulator.tokenUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientId: 'demo', clientSecret: 'demo-secret' }),
  });
  const body = (await reply.json()) as { access_token: string };
  return body.access_token;
}

/** An authenticated client, subscribed to all channels. */
async function live(simulator: Simulator, url = simulator.socketUrl): Promise<Client> {
  const token = await jsonToken(simulator);
  const client = new Client(url);
  await once(client.ws, 'open');
  await client.call('auth', { token });
  await client.call('v1/subscribe', { channels });
  return client;
}

test('speaks the quickstart dialect', async () => {
  const simulator = await start();
  const token = await jsonToken(simulator);
  const reply = await fetch(`${simulator.restUrl}/v1/account/exchange-credentials`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await reply.json()).toMatchObject({ success: true });
  const client = new Client(simulator.socketUrl);
  await once(client.ws, 'open');
  expect(await client.call('auth', { token })).toEqual({ id: 'auth', method: 'auth', result: { success: true } });
  expect(await client.call('heartbeat', {})).toMatchObject({ result: { time: expect.any(Number) } });
});

test('speaks the platform dialect at the same port', async () => {
  const simulator = await start();
  const reply = await fetch(simulator.oauth2TokenUrl, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'demo', client_secret: 'demo-secret' }),
  });
  const { access_token: token } = (await reply.json()) as { access_token: string };
  const client = new Client(simulator.platformSocketUrl);
  await once(client.ws, 'open');
  expect(await client.call('auth', { token })).toEqual({ jsonrpc: '2.0', id: 'auth', result: { success: true } });
  expect(await client.call('v1/subscribe', { channels: ['rfq.maker'] })).toEqual({
    jsonrpc: '2.0',
    id: 'v1/subscribe',
    result: { status: 'subscribed', channels: ['rfq.maker'] },
  });
});

test('refuses WebSockets elsewhere with 404, and under http-status with that status', async () => {
  const simulator = await start();
  const refusedWith = async (url: string): Promise<number | undefined> => {
    const ws = new WebSocket(url);
    const [, response] = await once(ws, 'unexpected-response');
    ws.on('error', () => {});
    ws.terminate();
    return response.statusCode;
  };
  expect(await refusedWith(`${simulator.platformSocketUrl}/elsewhere`)).toBe(404);
  simulator.venue.inject({ kind: 'http-status', status: 503 });
  expect(await refusedWith(simulator.socketUrl)).toBe(503);
});

test('drop reaches the client as an abnormal close, or as the code asked for', async () => {
  const simulator = await start();
  const cut = await live(simulator);
  simulator.venue.inject({ kind: 'drop' });
  expect(await cut.closed).toBe(1006);
  const closed = await live(simulator);
  simulator.venue.inject({ kind: 'drop', code: 1012, reason: 'restart' });
  expect(await closed.closed).toBe(1012);
});

test('a half-open connection answers neither calls nor pings nor the closing handshake', async () => {
  const simulator = await start();
  const client = await live(simulator);
  let pongs = 0;
  client.ws.on('pong', () => {
    pongs += 1;
  });
  client.ws.ping();
  await vi.waitUntil(() => pongs === 1, { timeout: 5000, interval: 2 });

  simulator.venue.inject({ kind: 'half-open' });
  simulator.venue.clearFaults();
  client.ws.send('{"id":1,"method":"heartbeat"}');
  client.ws.ping();
  client.ws.close();
  // A second client, made afterwards, gets its answers: by then the first would have had its own.
  await (await live(simulator)).call('heartbeat', {});
  expect([client.frames.length, pongs, client.ws.readyState]).toEqual([0, 1, WebSocket.CLOSING]);

  client.ws.terminate();
  await vi.waitUntil(() => simulator.venue.stats.openConnections.length === 1, { timeout: 5000, interval: 2 });
});

test('down closes the port and comes back on the same one', async () => {
  const simulator = await start();
  const client = await live(simulator);
  const end = simulator.venue.inject({ kind: 'down' });
  expect(await client.closed).toBe(1006);
  const refused = await fetch(simulator.restUrl).catch((error: Error) => error.cause);
  expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
  end();
  await vi.waitUntil(() => live(simulator).catch(() => false), { timeout: 5000, interval: 2 });
});

test('faults are scripted over HTTP', async () => {
  const simulator = await start({ httpLimit: 0 });
  const url = `${simulator.restUrl}/simulator/faults`;
  const post = async (body: string): Promise<unknown> => (await fetch(url, { method: 'POST', body })).json();
  expect(await post('{"kind":"delay","ms":5}')).toEqual({ id: 1 });
  expect(await post('{"kind":"mute","channel":"rfq.maker","afterMs":60000}')).toEqual({ id: 2 });
  expect(await post('{"kind":"delay","ms":"long"}')).toMatchObject({
    code: 400,
    reason: [expect.stringContaining('delay: ms:')],
  });
  expect(await post('{')).toMatchObject({ code: 400, reason: ['body must be JSON'] });
  expect(await (await fetch(url)).json()).toMatchObject([
    { id: 1, state: 'active' },
    { id: 2, state: 'scheduled' },
  ]);
  expect((await fetch(`${url}/1`, { method: 'DELETE' })).status).toBe(200);
  expect((await fetch(`${url}/1`, { method: 'DELETE' })).status).toBe(404);
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(200);
  expect(await (await fetch(url)).json()).toEqual([]);
  expect(await (await fetch(`${simulator.restUrl}/simulator/stats`)).json()).toMatchObject({ dials: 0 });
  expect((await fetch(`${simulator.restUrl}/simulator/nothing`)).status).toBe(404);
});

test('the sent log holds what the client received, byte for byte', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'figd-sent-log-'));
  cleanups.push(() => rm(directory, { recursive: true }));
  const sentLog = join(directory, 'sent.ndjson');
  const simulator = await start({ sentLog });
  const client = await live(simulator);
  simulator.venue.burst(300);
  simulator.venue.inject({ kind: 'malformed' });
  simulator.venue.inject({ kind: 'oversized', bytes: 1_000_000 });
  const sent = simulator.venue.stats.eventsSent;
  await vi.waitUntil(() => client.frames.length === sent, { timeout: 5000, interval: 2 });
  await simulator.close();

  const lines = (await readFile(sentLog, 'utf8')).trimEnd().split('\n');
  const logged = lines.map((line) => JSON.parse(line));
  const bytes = logged.map(({ frame, base64 }) =>
    base64 === undefined ? Buffer.from(frame) : Buffer.from(base64, 'base64'),
  );
  expect(bytes).toEqual(client.frames.map((frame) => frame.data));
  expect(logged.map(({ base64 }) => base64 !== undefined)).toEqual(client.frames.map((frame) => frame.isBinary));
  expect(logged[0]).toMatchObject({
    connection: 1,
    session: 1,
    sentAt: expect.any(Number),
    channel: expect.any(String),
  });
});

test('the sent log is complete when close resolves', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'figd-sent-log-'));
  cleanups.push(() => rm(directory, { recursive: true }));
  const sentLog = join(directory, 'sent.ndjson');
  const records: SentRecord[] = [];
  const simulator = await start({ sentLog, onSent: (record) => records.push(record) });
  await live(simulator);
  simulator.venue.burst(10_000);
  await simulator.close();
  const lines = (await readFile(sentLog, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).frame)).toEqual(records.map((record) => record.frame));
});

test('sustains 2,000 events a second, the same to every session', async () => {
  const records: SentRecord[] = [];
  const simulator = await start({ rate: 2000, onSent: (record) => records.push(record) });
  const clients = await Promise.all([live(simulator), live(simulator)]);
  const { stats } = simulator.venue;
  const from = performance.now();
  const first = stats.eventsSent;
  await vi.waitUntil(() => stats.eventsSent - first >= 2 * 2000, { timeout: 5000, interval: 2 });
  const seconds = (performance.now() - from) / 1000;
  expect(2000 / seconds).toBeGreaterThan(1800);

  simulator.venue.stop();
  for (const [index, client] of clients.entries()) {
    const sent = records.filter((record) => record.connection === index + 1).map((record) => record.frame);
    await vi.waitUntil(() => client.frames.length === sent.length, { timeout: 5000, interval: 2 });
    expect(client.frames.map((frame) => frame.data.toString('utf8'))).toEqual(sent);
  }
});

test('close is prompt with clients connected, and a second time', async () => {
  const simulator = await start();
  const client = await live(simulator);
  simulator.venue.inject({ kind: 'half-open' });
  simulator.venue.inject({ kind: 'delay', ms: 60_000 });
  await Promise.all([simulator.close(), simulator.close()]);
  expect(await client.closed).toBe(1006);
});

test('close while down does not reach for the port again', async () => {
  const simulator = await start();
  simulator.venue.inject({ kind: 'down' });
  const successor = await vi.waitUntil(() =>
    startSimulator({ rate: 0, port: simulator.port }).catch(() => false as const),
  );
  cleanups.push(successor.close);
  await simulator.close();
  expect((await fetch(successor.restUrl)).status).toBe(401);
});

test('a port in use is an error with its code', async () => {
  const simulator = await start();
  await expect(startSimulator({ port: simulator.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
