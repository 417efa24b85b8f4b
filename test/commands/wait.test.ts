import { afterEach, beforeEach, expect, it } from 'vitest';
import { Figd, figd } from '../support/figd.ts';
import { FakeDaemon } from './support/fake-daemon.ts';
import { downDocument } from './support/status-documents.ts';

let daemon: FakeDaemon;
const waiting = (...args: string[]) => ['wait', '--local.directory', daemon.directory, ...args];

beforeEach(() => {
  daemon = FakeDaemon.prepare();
});

afterEach(() => daemon.remove());

it('ends at once for a daemon that is live', async () => {
  await daemon.start();
  const ended = await figd(waiting());
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(/^live after 0\.\d s\n$/);
  expect(daemon.requests).toEqual([]);
});

it.each([
  ['a tick', { method: 'tick', params: { head: 1, state: 'blocked', lastReceivedAt: null, now: 1 } }],
  [
    'a change of state',
    {
      method: 'event',
      params: { seq: 10, channel: 'figd.state', receivedAt: 1, session: 0, message: { state: 'blocked' } },
    },
  ],
])('learns of the state by %s', async (_name, { method, params }) => {
  await daemon.start();
  daemon.onSubscribe(10, (connection) => {
    connection.notify('tick', { head: 1, state: 'down', lastReceivedAt: null, now: 1 });
    connection.event(9, 'rfq.maker', { state: 'blocked' });
    connection.notify(method, params);
  });
  expect(await figd(waiting('--for', 'blocked'))).toMatchObject({ code: 0, stderr: '' });
  expect(daemon.requests).toMatchObject([{ params: { channels: ['figd.state'], from: 'now', ticks: true } }]);
});

it('waits for a daemon that is not running yet, and through its restart', async () => {
  const run = new Figd(waiting('--timeout', '15s'));
  daemon.state = 'down';
  const subscribed = Promise.withResolvers<void>();
  daemon.onSubscribe(10, () => subscribed.resolve());
  await daemon.start();
  await subscribed.promise;
  await daemon.stop();
  daemon.state = 'live';
  await daemon.start();
  expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
});

it('gives up at the time-out, with the state it is in and why', async () => {
  expect(await figd(waiting('--timeout', '200ms'))).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^figd: not live after 0\.\d s: no daemon runs at .*events\.sock\n$/),
  });
  daemon.state = 'down';
  daemon.handlers.set('status', () => downDocument);
  daemon.onSubscribe(10, (connection) => connection.event(10, 'rfq.maker', { state: 'live' }));
  await daemon.start();
  const ended = await figd(waiting('--timeout', '300ms'));
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^figd: not live after 0\.\d s: down for .*: session — connection refused by 127/);
});
