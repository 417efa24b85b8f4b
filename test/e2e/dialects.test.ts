import { expect, test } from 'vitest';
import type { Fault } from '../../src/simulator/faults.ts';
import { isChannel } from '../../src/simulator/frames.ts';
import { type SimulatorOptions, startSimulator } from '../../src/simulator/server.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest, frameOf, type Line, RawConsumer } from './daemon.ts';
import { SimulatorProcess, venueConfig } from './support/simulator-process.ts';
import { accountFor, Witness } from './support/witness.ts';

/** Lives as short as the spacing of token requests allows: five minutes in six seconds. */
const tokenLife = 6_000;
/** For a host that starts much else at the same time. */
const startDeadlineMs = 60_000;
const path = '/v1/account/exchange-credentials';
const oauth2Path = '/realms/figmarkets-api/protocol/openid-connect/token';

const isNews = ({ params }: Line): boolean => isChannel(params.channel);

test.concurrent.for([
  {
    dialect: 'quickstart',
    options: [],
    socketPath: '/ws/v1',
    tokenPath: '/v1/auth',
    grants: { json: 3, client_credentials: 0, refresh_token: 0 },
    first: { success: true },
    signed: null,
  },
  {
    dialect: 'platform',
    options: ['--signature-encoding', 'base64', '--signature-omit-prefix', '/v1'],
    socketPath: '/',
    tokenPath: oauth2Path,
    grants: { json: 0, client_credentials: 1, refresh_token: 2 },
    first: [{ exchangeShortCode: 'DBT' }],
    signed: 4,
  },
] as const)(
  '$dialect: two processes, live, renewed twice in place, REST in its form, every frame byte for byte',
  {
    timeout: 120_000,
  },
  async ({ dialect, options, socketPath, tokenPath, grants, first, signed }) => {
    await using venue = await SimulatorProcess.start('--rate', '200', '--token-life', '6s', ...options);
    const signature = { encoding: 'base64', omitPrefix: '/v1' };
    await using daemon = await DaemonUnderTest.start({
      restUrl: venue.urls.restUrl,
      config: { venue: { ...venueConfig(dialect, venue.urls), ...(signed === null ? {} : { signature }) } },
    });
    await daemon.reaches('live', startDeadlineMs);
    using consumer = await RawConsumer.subscribe(daemon.eventsSocket);

    const credentials = await daemon.command('rest', 'GET', path);
    expect([credentials.code, JSON.parse(credentials.stdout)]).toMatchObject([0, first]);
    const rfqs = await daemon.command('rest', 'GET', '/v1/rfq?status=open,expired&limit=3');
    expect([rfqs.code, JSON.parse(rfqs.stdout)]).toMatchObject([0, { results: expect.any(Array) }]);
    const body = '{"größe" : 1.50}';
    expect(await daemon.command('rest', 'POST', '/v1/simulator/echo/x?y=%20', '--data', body)).toMatchObject({
      code: 0,
      stdout: body,
    });

    const status = await daemon.statusWhere('two renewals', ({ counters }) => (counters['renewals'] ?? 0) >= 2, 30_000);
    expect(status).toMatchObject({ state: 'live', session: { id: 1 }, gaps: { total: 0 }, token: { refreshes: 2 } });
    expect(status.counters).toMatchObject({ comparisons: 1, comparisonsFailed: 0, tokenFailures: 0 });
    const { tokenRequests, requestsByPath, signatures, ...stats } = await venue.stats();
    const issued = Object.entries(tokenRequests).map(([grant, outcomes]) => [grant, outcomes.issued]);
    expect(Object.fromEntries(issued)).toMatchObject(grants);
    expect(requestsByPath[tokenPath]).toBe(3);
    expect(stats).toMatchObject({ httpErrors: {}, dials: 1, openConnections: [{ path: socketPath }] });
    if (signed === null) expect(signatures).toEqual({ accepted: {}, refused: 0 });
    else {
      // The comparison with the venue's list is a call of figd's own, and signed as any.
      const accepted = { [path]: 1, '/v1/rfq': 2, '/v1/simulator/echo': 1 };
      expect(signatures).toEqual({ accepted, refused: 0 });
    }

    await daemon.process.stop();
    await consumer.ended;
    const sent = await venue.stop();
    const received = consumer.events().filter(isNews).map(frameOf);
    expect(received.length).toBeGreaterThan(1_000);
    expect(received).toEqual(sent.slice(0, received.length));
  },
);

interface Renewal {
  readonly name: string;
  readonly options: SimulatorOptions;
  readonly session?: object;
  readonly faults?: readonly Fault[];
  /** The counter of renewals. */
  readonly renewedBy: 'renewals' | 'rotations';
  /** Whether each refresh token is refused, and the credentials have to do. */
  readonly isRefreshRefused?: boolean;
}

test.concurrent.for<Renewal>([
  { name: 'by a second session', options: {}, session: { renewal: 'rotate' }, renewedBy: 'rotations' },
  {
    name: 'by auth once more, which brings a token of its own',
    options: { inPlaceRefresh: false, tokenInAuthReply: true },
    session: { renewal: 'in-place' },
    renewedBy: 'renewals',
  },
  {
    name: 'by credentials on the socket',
    options: {},
    session: { authenticateWith: 'credentials', renewal: 'rotate' },
    renewedBy: 'rotations',
  },
  {
    name: 'in place, though each refresh token has expired',
    options: { refreshTokenLife: 1_000 },
    renewedBy: 'renewals',
    isRefreshRefused: true,
  },
  {
    name: 'by a second session, though each refresh token has expired',
    options: { refreshTokenLife: 1_000 },
    session: { renewal: 'rotate' },
    renewedBy: 'rotations',
    isRefreshRefused: true,
  },
])(
  'platform, renewed $name: no event lost, none doubled',
  {
    timeout: 120_000,
  },
  async ({ options, session = {}, renewedBy, isRefreshRefused = false }) => {
    const witness = new Witness();
    await using simulator = await startSimulator({
      rate: 100,
      tokenLife,
      verifySignatures: true,
      signature: { encoding: 'hex' },
      ...options,
      ...witness.options,
    });
    const { venue } = simulator;
    await using daemon = await DaemonUnderTest.start({
      restUrl: simulator.restUrl,
      config: { venue: venueConfig('platform', simulator), session },
    });
    await daemon.reaches('live', startDeadlineMs);
    using consumer = await RawConsumer.subscribe(daemon.eventsSocket);
    const status = await daemon.statusWhere('two renewals', ({ counters }) => (counters[renewedBy] ?? 0) >= 2, 60_000);
    venue.stop();
    const last = witness.published.at(-1);
    await until('the last event', () => {
      const line = consumer.events().findLast(isNews);
      return line !== undefined && frameOf(line) === last?.frame;
    });

    const { missing, surplus } = accountFor(witness.sinceSubscribed(), consumer.events(), {
      isExcused: () => false,
      lateMs: 5_000,
    });
    expect([missing.length, missing[0], surplus.length, surplus[0]?.text]).toEqual([0, undefined, 0, undefined]);
    expect(status.gaps.total).toBe(0);
    const seqs = consumer.events().map(({ params }) => params.seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    if (renewedBy === 'renewals') expect(status.session.id).toBe(1);
    // Meanwhile the next renewal may have begun.
    const { session: now } = await daemon.status();
    const mostSubscriptions = renewedBy === 'renewals' ? 1 : (now.id ?? 0) + 1;
    expect(witness.subscriptions.length).toBeGreaterThanOrEqual(
      renewedBy === 'renewals' ? 1 : (status.session.id ?? 0),
    );
    expect(witness.subscriptions.length).toBeLessThanOrEqual(mostSubscriptions);

    const { client_credentials, refresh_token } = venue.stats.tokenRequests;
    if (!isRefreshRefused) expect([client_credentials, refresh_token.refused]).toEqual([{ issued: 1, refused: 0 }, 0]);
    else {
      expect(refresh_token.issued).toBe(0);
      expect(refresh_token.refused).toBeGreaterThanOrEqual(2);
      expect(client_credentials.refused).toBe(0);
      // The latest refusal may not have led to its request yet.
      expect([refresh_token.refused, refresh_token.refused + 1]).toContain(client_credentials.issued);
    }
  },
);

test.concurrent('platform: a refresh token that is refused is replaced with the credentials at once, and the session goes on', {
  timeout: 120_000,
}, async () => {
  await using simulator = await startSimulator({ rate: 200, tokenLife });
  const { venue } = simulator;
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { venue: venueConfig('platform', simulator) },
  });
  await daemon.statusWhere('a renewal', ({ counters }) => (counters['renewals'] ?? 0) >= 1, startDeadlineMs);
  venue.inject({ kind: 'http-status', status: 400, path: '/realms', times: 1 });
  const status = await daemon.statusWhere('another', ({ counters }) => (counters['renewals'] ?? 0) >= 2, 30_000);
  const { tokenRequests, tokenRequestTimes: times } = venue.stats;
  expect(tokenRequests).toMatchObject({ client_credentials: { issued: 2 }, refresh_token: { issued: 1 } });
  const [refused = 0, replaced = 0] = times.slice(-2);
  expect(replaced - refused).toBeLessThan(1_000);
  expect(status).toMatchObject({ state: 'live', session: { id: 1 }, gaps: { total: 0 }, token: { lastError: null } });
});

test.concurrent('an address that is not on the allow-list: blocked, in these words, and asked about seldom', {
  timeout: 120_000,
}, async () => {
  await using simulator = await startSimulator({ rate: 0 });
  simulator.venue.inject({ kind: 'refuse-address', where: ['socket'] });
  await using daemon = await DaemonUnderTest.start({
    restUrl: simulator.restUrl,
    config: { venue: venueConfig('platform', simulator) },
  });
  const status = await daemon.statusWhere(
    'blocked, and the next attempt planned',
    ({ state, session }) => state === 'blocked' && session.nextAttemptAt !== null,
    startDeadlineMs,
  );
  expect(status).toMatchObject({
    reason: expect.stringContaining('this IP address is not on the allow-list of the API key'),
    next: expect.stringContaining('have its address added at the venue'),
    session: { lastClose: { code: 'address-refused' } },
  });
  expect(status.session.nextAttemptAt).toBeGreaterThan(Date.now() + 25_000);
  // The token is not what was refused: no other one is asked for.
  const { tokenRequests, dials } = simulator.venue.stats;
  expect([tokenRequests.client_credentials.issued, tokenRequests.refresh_token.issued, dials]).toEqual([1, 0, 1]);
});
