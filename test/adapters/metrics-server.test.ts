import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { serveMetrics } from '../../src/adapters/metrics-server.ts';
import type { OverallState } from '../../src/protocol/status.ts';
import { within } from '../support/until.ts';

interface Stage extends AsyncDisposable {
  readonly port: number;
  health: { state: OverallState; reason: string };
  metrics: () => Promise<string>;
}

async function stage(): Promise<Stage> {
  const set: Pick<Stage, 'health' | 'metrics'> = {
    health: { state: 'live', reason: 'heartbeat 0.2 s ago' },
    metrics: async () => 'figd_up 1\n',
  };
  const server = await serveMetrics({
    host: '127.0.0.1',
    port: 0,
    metrics: () => set.metrics(),
    contentType: 'text/plain; version=0.0.4',
    health: () => set.health,
  });
  return Object.assign(set, { port: server.port, [Symbol.asyncDispose]: () => within('closing', server.close()) });
}

async function ask(port: number, path: string, method = 'GET') {
  const [response] = await within('the answer', once(request({ port, path, method, agent: false }).end(), 'response'));
  let body = '';
  for await (const part of response) body += part;
  return { status: response.statusCode, type: response.headers['content-type'], body };
}

/** What the server says to bytes that no HTTP client would send. */
async function raw(port: number, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.end(`${head}\r\nHost: x\r\nConnection: close\r\n\r\n`);
  let text = '';
  socket.on('data', (part) => {
    text += part;
  });
  await within('the end', once(socket, 'close'));
  return text.split('\r\n')[0] ?? '';
}

const plain = 'text/plain; charset=utf-8';

it('serves the metrics as Prometheus wants them', async () => {
  await using server = await stage();
  const { port } = server;
  expect(await ask(port, '/metrics')).toEqual({ status: 200, type: 'text/plain; version=0.0.4', body: 'figd_up 1\n' });
  expect(await ask(port, '/metrics?name[]=x')).toMatchObject({ status: 200, body: 'figd_up 1\n' });
});

it.each<[OverallState, number]>([
  ['live', 200],
  ['degraded', 503],
  ['down', 503],
  ['blocked', 503],
])('is alive and, while %s, answers /readyz with %d and the reason', async (state, status) => {
  await using server = await stage();
  server.health = { state, reason: 'because' };
  expect(await ask(server.port, '/livez')).toEqual({ status: 200, type: plain, body: 'ok\n' });
  expect(await ask(server.port, '/readyz')).toEqual({ status, type: plain, body: `${state}: because\n` });
});

it('answers HEAD with the status and no body', async () => {
  await using server = await stage();
  const { port } = server;
  expect(await ask(port, '/readyz', 'HEAD')).toEqual({ status: 200, type: plain, body: '' });
  expect(await ask(port, '/metrics', 'HEAD')).toMatchObject({ status: 200, body: '' });
});

it('knows no other path and no other method', async () => {
  await using server = await stage();
  const { port } = server;
  const notFound = { status: 404, type: plain, body: 'there are /metrics, /livez and /readyz\n' };
  for (const path of ['/', '/metrics/', '/metricsx']) expect(await ask(port, path)).toEqual(notFound);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    expect(await ask(port, '/metrics', method)).toEqual({ status: 405, type: plain, body: 'only GET and HEAD\n' });
  }
});

it.each(['//', '//:', '/\\', 'http://', 'http://[', '*', '?'])('survives a request for %s', async (target) => {
  await using server = await stage();
  const { port } = server;
  expect(await raw(port, `GET ${target} HTTP/1.1`)).toMatch(/^HTTP\/1\.1 40[04] /);
  expect(await ask(port, '/livez')).toMatchObject({ status: 200 });
});

it('answers 500 when the metrics cannot be collected, and goes on', async () => {
  await using server = await stage();
  server.metrics = async () => {
    throw new Error('a collector failed');
  };
  expect(await ask(server.port, '/metrics')).toEqual({
    status: 500,
    type: plain,
    body: 'the metrics could not be collected\n',
  });
  expect(await ask(server.port, '/livez')).toMatchObject({ status: 200 });
});

it('says that its port is taken', async () => {
  await using server = await stage();
  const { port } = server;
  const second = serveMetrics({
    host: '127.0.0.1',
    port,
    metrics: async () => '',
    contentType: 'text/plain',
    health: () => ({ state: 'live', reason: '' }),
  });
  await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

it('closes within a moment even while an answer is outstanding', async () => {
  const server = await stage();
  const asked = Promise.withResolvers<void>();
  server.metrics = () => {
    asked.resolve();
    return new Promise(() => undefined);
  };
  const answer = expect(ask(server.port, '/metrics')).rejects.toMatchObject({ code: 'ECONNRESET' });
  await asked.promise;
  await server[Symbol.asyncDispose]();
  await answer;
  await expect(ask(server.port, '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
