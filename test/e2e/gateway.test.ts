import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest } from './daemon.ts';
import { restAfterRefusal } from './support/callers.ts';
import { type CallEnd, RestCaller } from './support/rest-caller.ts';
import { SocketCaller } from './support/socket-caller.ts';

const gatewaySocket = (daemon: DaemonUnderTest) => join(daemon.directory, 'run', 'gateway.sock');

test('gateway.sock is there where the configuration says so, for owner and group', async () => {
  await using simulator = await startSimulator({ rate: 0 });
  const { restUrl } = simulator;
  await using without = await DaemonUnderTest.start({ restUrl });
  await using daemon = await DaemonUnderTest.start({ restUrl, config: { gateway: { http: true } } });
  await Promise.all([without.reaches('live'), daemon.reaches('live')]);
  await expect(stat(gatewaySocket(without))).rejects.toThrow('ENOENT');
  expect((await stat(gatewaySocket(daemon))).mode & 0o7777).toBe(0o660);
});

test('curl works as it stands, in both dialects', async (context) => {
  const curl = (...args: string[]) =>
    promisify(execFile)('curl', ['--silent', '--show-error', '--max-time', '10', ...args]);
  const isThere = await curl('--version').then(
    () => true,
    () => false,
  );
  if (!isThere) context.skip('curl is not installed: the example of the documentation is not tried');
  await using simulator = await startSimulator({ rate: 20, verifySignatures: true });
  const { restUrl, oauth2TokenUrl: tokenUrl, platformSocketUrl: socketUrl } = simulator;
  const venue = { profile: 'platform', restUrl, tokenUrl, socketUrl };
  await using daemon = await DaemonUnderTest.start({ restUrl, config: { venue, gateway: { http: true } } });
  await daemon.reaches('live');
  const socket = ['--unix-socket', gatewaySocket(daemon)];
  const listed = await curl(...socket, 'http://fig/v1/rfq?limit=3');
  expect(JSON.parse(listed.stdout)).toMatchObject({ results: expect.any(Array) });
  const echoed = await curl(...socket, '-d', '{"price": 1.50, "größe":"€"}', 'http://fig/v1/simulator/echo?a=b');
  expect(echoed.stdout).toBe('{"price": 1.50, "größe":"€"}');
  const deleted = await curl(
    ...socket,
    '-X',
    'DELETE',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    'http://fig/v1/simulator/echo',
  );
  expect(deleted.stdout).toBe('200');
});

/** Each caller makes so many calls, and goes on while a condition holds. */
async function flood(callers: readonly AnyCaller[], least: number, isOn: () => boolean): Promise<readonly CallEnd[]> {
  const ends: CallEnd[] = [];
  await Promise.all(
    callers.map(async (caller) => {
      for (let call = 0; call < least || isOn(); call += 1) {
        const end = await caller.echo();
        ends.push(end);
        if (end.status === 429) await restAfterRefusal();
      }
      await caller[Symbol.asyncDispose]();
    }),
  );
  return ends;
}

type AnyCaller = Pick<SocketCaller, 'echo'> & AsyncDisposable;

function restCallers(daemon: DaemonUnderTest, count: number): readonly AnyCaller[] {
  return Array.from(
    { length: count },
    (_, index) => new RestCaller(`rest-${index}`, gatewaySocket(daemon), index % 2 === 0 ? 'POST' : 'PUT'),
  );
}

function socketCallers(daemon: DaemonUnderTest, count: number): Promise<readonly AnyCaller[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => SocketCaller.connect(`socket-${index}`, daemon.controlSocket)),
  );
}

/** Of each of fifty callers: 1,000 on demand. */
const callsEach = Number(process.env['FIGD_TEST_CALLS'] ?? 50);

test('each of fifty callers gets its own answer, none twice, while tokens and sessions change', async () => {
  await using simulator = await startSimulator({ rate: 50, tokenLife: 6_000, httpLimit: 10_000_000 });
  const { restUrl, venue } = simulator;
  await using daemon = await DaemonUnderTest.start({
    restUrl,
    config: {
      venue: { requestsPerMinute: 10_000_000 },
      gateway: { http: true },
      session: { renewal: 'rotate' },
      log: { level: 'warn' },
    },
  });
  await daemon.reaches('live');
  // Nearly all of them wait for an answer at any moment, also when one session takes over from another.
  venue.inject({ kind: 'delay', ms: 150, forMs: 300_000 });
  let isOn = true;
  const callers = [...restCallers(daemon, 25), ...(await socketCallers(daemon, 25))];
  const flooding = flood(callers, callsEach, () => isOn);
  await daemon.statusWhere('two renewals', ({ token }) => token.refreshes >= 2, 60_000);
  expect((await daemon.command('rotate')).code).toBe(0);
  await daemon.statusWhere('three rotations', ({ counters }) => (counters['rotations'] ?? 0) >= 3, 60_000);
  isOn = false;
  const ends = await flooding;
  expect(ends.length).toBeGreaterThanOrEqual(50 * callsEach);
  const isOwn = ({ status, key, body }: CallEnd) => status === 200 && body === JSON.stringify({ key });
  expect(ends.filter((end) => !isOwn(end)).slice(0, 3)).toEqual([]);
  expect(ends.filter(({ key }) => (venue.stats.echoes.timesByKey[key] ?? 0) > 1)).toEqual([]);
  expect(venue.stats.echoes).toMatchObject({ executed: ends.length, repeated: 0 });
  expect((await daemon.status()).gaps.total).toBe(0);
}, 300_000);

test('the limit of the venue is not exceeded, and neither renewals nor heartbeats wait for a flood of calls', async () => {
  await using simulator = await startSimulator({ rate: 20, tokenLife: 6_000, httpLimit: 60 });
  const { restUrl, venue } = simulator;
  await using daemon = await DaemonUnderTest.start({
    restUrl,
    config: {
      venue: { requestsPerMinute: 60 },
      gateway: { http: true, timeout: '1s' },
      session: { heartbeatInterval: '1s' },
      log: { level: 'warn' },
    },
  });
  await daemon.reaches('live');
  let isOn = true;
  const flooding = flood(restCallers(daemon, 20), 1, () => isOn);
  const { token } = await daemon.statusWhere('two renewals', (status) => status.token.refreshes >= 2, 40_000);
  isOn = false;
  const ends = await flooding;
  expect(venue.stats.rateLimited).toBe(0);
  const refused = ends.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.every(({ refusal }) => refusal === 'rate-limited')).toBe(true);
  expect(ends.filter(({ status }) => status === 200).length).toBeGreaterThan(20);
  expect(ends.filter(({ status }) => status !== 429 && status !== 200)).toEqual([]);
  const { gaps, session, counters } = await daemon.status();
  expect([token.lastError, gaps.total, session.heartbeat.missed, counters['tokenFailures']]).toEqual([null, 0, 0, 0]);
}, 60_000);

test('a token that the venue has revoked is replaced once for all who call', async () => {
  await using simulator = await startSimulator({ rate: 20, httpLimit: 100_000 });
  const { restUrl, venue } = simulator;
  await using daemon = await DaemonUnderTest.start({
    restUrl,
    config: {
      venue: { requestsPerMinute: 100_000 },
      // The end of a session would tell as well that its token is none any more.
      session: { authenticateWith: 'credentials' },
      gateway: { http: true },
    },
  });
  await daemon.reaches('live');
  await until(
    '5 s since the last token request',
    () => Date.now() - (venue.stats.tokenRequestTimes.at(-1) ?? 0) > 5_000,
  );
  venue.inject({ kind: 'expire-tokens' });
  const ends = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      await using caller = new RestCaller(`caller-${index}`, gatewaySocket(daemon), 'PUT');
      return await caller.echo();
    }),
  );
  expect(ends.map(({ status }) => status)).toEqual(Array(8).fill(200));
  expect(venue.stats.httpErrors['401']).toBeGreaterThan(0);
  expect(venue.stats.tokenRequests.json.issued).toBe(2);
});
