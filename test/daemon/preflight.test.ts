import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { loadSettings } from '../../src/config/load.ts';
import type { StepOutcome } from '../../src/daemon/preflight/step.ts';
import { preflight } from '../../src/daemon/preflight.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/server.ts';
import {
  clientId,
  clientSecret,
  deadUrl,
  type Received,
  scriptedServer,
  vaultWith,
} from '../adapters/support/venue.ts';
import { venueConfig } from '../e2e/support/simulator-process.ts';

const firstCall = '/v1/account/exchange-credentials';
const steps = [
  'local paths',
  'journal',
  'dns',
  'tls',
  'token',
  'first REST call',
  'socket',
  'socket auth',
  'heartbeat',
  'subscriptions',
];

interface Checked {
  readonly outcomes: readonly StepOutcome[];
  /** The outcome of a step. */
  readonly of: (step: string) => StepOutcome;
  /** The steps that failed. */
  readonly failed: readonly string[];
}

interface Checking {
  readonly secret?: string;
  /** By how much the clock of this host is wrong, in milliseconds. */
  readonly clockError?: number;
}

/** Walks all steps against a venue. @param venue the block `venue` of the configuration */
async function check(venue: object, { secret = clientSecret, clockError = 0 }: Checking = {}): Promise<Checked> {
  const directory = mkdtempSync(join(tmpdir(), 'figd-preflight-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const flags = flagsOf({
    venue,
    local: { directory: join(directory, 'run') },
    journal: { directory: join(directory, 'state') },
    session: { connectTimeout: '3s', authTimeout: '3s' },
  });
  const settings = loadSettings({ env: {}, flags, systemFile: '/nonexistent/figd.yaml' });
  const clock = systemClock();
  const vault = vaultWith(clientId, secret);
  const outcomes: StepOutcome[] = [];
  const wrongClock = { ...clock, wall: () => clock.wall() + clockError };
  for await (const outcome of preflight({ settings: () => settings, vault, clock: wrongClock })) outcomes.push(outcome);
  expect(outcomes.map(({ step }) => step)).toEqual(steps);
  return {
    outcomes,
    of: (step) => outcomes.find((outcome) => outcome.step === step) ?? { step, result: 'skipped', detail: 'none' },
    failed: outcomes.filter(({ result }) => result === 'failed').map(({ step }) => step),
  };
}

/** Keys of a configuration as options of the command line. */
function flagsOf(block: object, path = ''): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(block).map(([key, value]) => {
      const flag = path + key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      return typeof value === 'object' ? flagsOf(value, `${flag}.`) : { [flag]: String(value) };
    }),
  );
}

async function venueWith(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ clientId, clientSecret, rate: 0, ...options });
  onTestFinished(() => simulator.close());
  return simulator;
}

const strict = { verifySignatures: true, signature: { encoding: 'hex' } } as const;

describe('where everything is well', () => {
  test.each([
    ['quickstart', {}, ''],
    ['platform', strict, ', with a refresh token'],
  ] as const)('profile %s passes, with no request more than it takes', async (dialect, options, remark) => {
    const venue = await venueWith(options);
    const { failed, of } = await check(venueConfig(dialect, venue));
    expect(failed).toEqual([]);
    expect(of('token').detail).toBe(`granted for ${dialect === 'quickstart' ? 3600 : 300} s${remark}`);
    expect(of('first REST call').detail).toContain('HTTP 200, 1 exchange credentials');
    const { requestsByPath, dials } = venue.venue.stats;
    expect([Object.values(requestsByPath), dials]).toEqual([[1, 1], 1]);
  });

  test('a grant without a refresh token is remarked on', async () => {
    const venue = await venueWith();
    await using endpoint = await answering(200, { access_token: 'granted-without-more', expires_in: 60 });
    const { of } = await check({ ...venueConfig('platform', venue), tokenUrl: endpoint.url });
    expect(of('token')).toMatchObject({
      result: 'ok',
      detail: 'granted for 60 s, without a refresh token: figd renews with the credentials',
    });
  });
});

/** A server that says the same to everybody. */
function answering(status: number, body: unknown, headers: Record<string, string> = {}) {
  return scriptedServer((response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  });
}

describe('a wrong profile', () => {
  test('JSON to an OAuth2 endpoint', async () => {
    const venue = await venueWith();
    const { of, failed } = await check({ restUrl: venue.restUrl, tokenUrl: venue.oauth2TokenUrl });
    expect(failed).toEqual(['token']);
    expect(of('token')).toMatchObject({
      detail: 'token request: HTTP 401, "Invalid client or Invalid client credentials"',
      advice:
        'This endpoint takes OAuth2, as in profile platform, and was asked in JSON: set venue.profile: platform (or venue.tokenStyle: oauth2 alone).',
    });
    expect(of('first REST call')).toMatchObject({ result: 'skipped', detail: 'needs token' });
  });

  test('OAuth2 to an endpoint for JSON', async () => {
    const venue = await venueWith();
    const { of } = await check({ ...venueConfig('platform', venue), tokenUrl: venue.tokenUrl });
    expect(of('token')).toMatchObject({
      detail: 'token request: HTTP 400, "Bad Request: body must be a JSON object"',
      advice:
        'This endpoint takes JSON, as in profile quickstart, and was asked in OAuth2: set venue.profile: quickstart (or venue.tokenStyle: json alone).',
    });
  });

  test('the profile is right, and its style was changed', async () => {
    const venue = await venueWith();
    const { of } = await check({ ...venueConfig('platform', venue), tokenStyle: 'json' });
    expect(of('token').advice).toBe(
      'This endpoint takes OAuth2, as in profile platform, and was asked in JSON: set venue.tokenStyle: oauth2.',
    );
  });

  test.each([
    ['json', 'quickstart', 'platform', 'OAuth2'],
    ['oauth2', 'platform', 'quickstart', 'JSON'],
  ] as const)('a body of type %s is not supported', async (_style, profile, other, takes) => {
    await using endpoint = await answering(415, '');
    const { restUrl, socketUrl } = await venueWith();
    const { of } = await check({ profile, restUrl, socketUrl, tokenUrl: endpoint.url });
    expect(of('token').advice).toContain(`This endpoint takes ${takes}, as in profile ${other}`);
    expect(endpoint.received).toHaveLength(1);
  });

  test.each([
    ['quickstart', 'platform', '/realms/figmarkets-api/protocol/openid-connect/token'],
    ['platform', 'quickstart', '/v1/auth'],
  ] as const)(
    'there is nothing at the address of profile %s, and the same host has an endpoint of the other',
    async (profile, other, path) => {
      const { restUrl, socketUrl } = await venueWith();
      await using server = await scriptedServer((response, { url }) => {
        const refusal = other === 'platform' ? { error: 'invalid_client' } : { code: 400, message: 'Bad Request' };
        response.writeHead(url === path ? 400 : 404).end(url === path ? JSON.stringify(refusal) : 'no such page');
      });
      const tokenUrl = `${server.url}/elsewhere`;
      const { of } = await check({ profile, restUrl, socketUrl, tokenUrl });
      expect(of('token').advice).toBe(
        `There is no token endpoint at ${tokenUrl}. There is one of profile ${other} at ${server.url}${path}: ` +
          `set venue.profile: ${other} and venue.tokenUrl.`,
      );
      expect(server.received.length).toBeLessThanOrEqual(3);
      // Found without the credentials: they are for the address that is configured.
      expect(server.received.slice(1).filter(({ body }) => body.includes(clientId))).toEqual([]);
    },
  );

  test('a REST path in place of the token endpoint, which wants a token itself', async () => {
    const venue = await venueWith();
    const { of } = await check({ restUrl: venue.restUrl, tokenUrl: `${venue.restUrl}/v1/rfq` });
    expect(of('token').advice).toBe(
      `There is no token endpoint at ${venue.restUrl}/v1/rfq. There is one of profile quickstart at ${venue.tokenUrl}: set venue.tokenUrl.`,
    );
  });

  test('a page for people in place of the token endpoint', async () => {
    const { restUrl } = await venueWith();
    await using page = await answering(200, '<html>Sign in</html>', { 'content-type': 'text/html' });
    const { of } = await check({ restUrl, tokenUrl: `${page.url}/login?session=secret` });
    expect(of('token').advice).toBe(
      `There is no token endpoint at ${page.url}/login. Check venue.tokenUrl: in profile quickstart its path is /v1/auth.`,
    );
  });

  test('one of the three hosts of profile platform was moved, and the others were not', async () => {
    const { restUrl, oauth2TokenUrl } = await venueWith();
    const { of } = await check({
      profile: 'platform',
      restUrl,
      tokenUrl: oauth2TokenUrl,
      socketUrl: 'wss://ws.test.figmarkets.com',
    });
    expect(of('dns')).toMatchObject({
      result: 'failed',
      advice:
        'In profile platform the venue has three hosts, and each of their addresses is set on its own: venue.restUrl and venue.tokenUrl are set, venue.socketUrl is not.',
    });
  });

  test('wrong credentials are no wrong profile', async () => {
    for (const dialect of ['quickstart', 'platform'] as const) {
      const { of } = await check(venueConfig(dialect, await venueWith()), { secret: 'another secret' });
      expect(of('token').advice).toBe(
        'The venue does not know this client id with this secret: compare both with the key at the venue. Its environments have keys of their own, and venue.environment is test.',
      );
    }
  });

  test.each([
    [429, 'figd waits as long as the venue asked'],
    [503, 'The venue has a fault of its own'],
  ])('HTTP %d is no wrong profile', async (status, advice) => {
    const venue = await venueWith();
    venue.venue.inject({ kind: 'http-status', status, path: '/v1/auth' });
    const { of } = await check({ restUrl: venue.restUrl });
    expect(of('token').advice).toContain(advice);
  });
});

describe('a socket address that answers in HTTP', () => {
  test.each([
    ['quickstart', '/ws/v1', 'venue.socketUrl'],
    ['platform', '', 'venue.socketUrl'],
  ] as const)('in profile %s leads to where one opens', async (dialect, path, key) => {
    const venue = await venueWith();
    const socketUrl = `${venue.platformSocketUrl}/elsewhere?token=secret`;
    const { of, failed } = await check({ ...venueConfig(dialect, venue), socketUrl });
    expect(failed).toEqual(['socket']);
    expect(of('socket')).toMatchObject({
      detail: expect.stringContaining('HTTP 404'),
      advice:
        `${venue.platformSocketUrl}/elsewhere answers, but not with a WebSocket. One opens at ${venue.platformSocketUrl}${path}, ` +
        `where profile ${dialect} has it: set ${key}.`,
    });
  });

  test('at the host of the REST API, where there is none at its own', async () => {
    const venue = await venueWith();
    await using other = await answering(404, '');
    const { of } = await check({ restUrl: venue.restUrl, socketUrl: `${other.url.replace('http', 'ws')}/ws/v1` });
    expect(of('socket').advice).toContain(`One opens at ${venue.socketUrl}, where profile quickstart has it`);
  });

  test('and nowhere else', async () => {
    await using other = await answering(200, 'hello');
    const { restUrl, tokenUrl } = await venueWith();
    const { of } = await check({ restUrl: other.url, tokenUrl, socketUrl: `${other.url.replace('http', 'ws')}/ws/v1` });
    expect(of('socket').advice).toMatch(
      /answers, but not with a WebSocket\. Check venue\.socketUrl: in profile quickstart/,
    );
    expect(restUrl).not.toBe(other.url);
  });

  test('a method with another name is named by its key', async () => {
    const venue = await venueWith();
    const { of, failed } = await check({ restUrl: venue.restUrl, methods: { subscribe: 'v2/subscribe' } });
    expect(failed).toEqual(['subscriptions']);
    expect(of('subscriptions').advice).toContain('set venue.methods.subscribe');
  });
});

describe('a refused REST call', () => {
  test('for want of a role: which, and what goes without it', async () => {
    const { restUrl, venue } = await venueWith({ roles: ['reader'] });
    const { of, failed } = await check({ restUrl });
    expect(failed).toEqual(['first REST call']);
    expect(of('first REST call')).toMatchObject({
      detail: `GET ${firstCall}: HTTP 403, "Forbidden: role "trader" is required"`,
      advice:
        'The key lacks the role "trader", which calls below /v1/account need: ask the venue for it, or do without them. ' +
        'The list of RFQs works, so that figd fetches what a gap missed. Whether events come is told by the steps below.',
    });
    expect(venue.stats.requestsByPath['/v1/rfq']).toBe(1);
  });

  test('for want of a role, and of the list of RFQs too', async () => {
    const { restUrl, venue } = await venueWith({ roles: [] });
    venue.inject({ kind: 'http-status', status: 403, path: '/v1/rfq' });
    const { of } = await check({ restUrl });
    expect(of('first REST call').advice).toContain(
      'GET /v1/rfq is refused too (HTTP 403): what a gap missed cannot be fetched.',
    );
  });

  test.each([
    ['token', 'token'],
    ['rest', 'first REST call'],
    ['socket', 'socket auth'],
  ] as const)('for the address of this host, where the %s is: told apart from a role', async (where, step) => {
    const venue = await venueWith();
    venue.venue.inject({ kind: 'refuse-address', where: [where] });
    const { of, failed } = await check({ restUrl: venue.restUrl });
    expect(failed).toEqual([step]);
    expect(of(step)).toMatchObject({
      detail: expect.stringContaining('this IP address is not on the allow-list of the API key'),
      advice:
        'Add the address of this host to the IP allow-list of the key at the venue: it goes there from 127.0.0.1. ' +
        'figd does not press: it asks again after 30 s, then less and less often, down to once in 5 minutes.',
    });
    const { requestsByPath, dials } = venue.venue.stats;
    // Once is enough: a refusal is not to be hammered, by a check least of all.
    expect([Math.max(...Object.values(requestsByPath)), dials]).toEqual([1, where === 'token' ? 0 : 1]);
  });
});

describe('a refused signature', () => {
  const hex = { encoding: 'hex' } as const;
  test.each([
    ['not made', { sign: false }, hex, 'venue.sign: true'],
    [
      'not made, and otherwise',
      { sign: false },
      { encoding: 'base64', omitPrefix: '/v1' },
      'venue.sign: true and venue.signature.encoding: base64 and venue.signature.omitPrefix: /v1',
    ],
    ['over too much', {}, { ...hex, omitPrefix: '/v1' }, 'venue.signature.omitPrefix: /v1'],
    ['over too little', { signature: { omitPrefix: '/v1' } }, hex, 'no venue.signature.omitPrefix'],
    ['in the wrong encoding', {}, { encoding: 'base64' }, 'venue.signature.encoding: base64'],
    [
      'in the wrong encoding, over too much',
      {},
      { encoding: 'base64', omitPrefix: '/v1' },
      'venue.signature.encoding: base64 and venue.signature.omitPrefix: /v1',
    ],
    [
      'in the wrong encoding, over too little',
      { signature: { encoding: 'base64', omitPrefix: '/v1' } },
      hex,
      'venue.signature.encoding: hex and no venue.signature.omitPrefix',
    ],
  ] as const)('%s: what the venue accepts is found', async (_what, config, signature, change) => {
    const venue = await venueWith({ verifySignatures: true, signature });
    const { of, failed } = await check({ ...venueConfig('platform', venue), ...config });
    expect(failed).toEqual(['first REST call']);
    expect(of('first REST call').advice).toBe(`The venue accepts the call with ${change}.`);
    expect(venue.venue.stats.requestsByPath[firstCall]).toBeLessThanOrEqual(6);
    // What it says is true.
    const right = { encoding: signature.encoding, ...('omitPrefix' in signature ? signature : {}) };
    expect((await check({ ...venueConfig('platform', venue), signature: right })).failed).toEqual([]);
  });

  test.each([
    [-45_000, /about 4[456] s behind the venue's/],
    [3_600_000, /about 60 min ahead of the venue's/],
    [-86_400_000, /about 24 h behind the venue's/],
  ])('because the clock of this host is off by %d ms: said, and how much', async (clockError, said) => {
    const venue = await venueWith(strict);
    const { of, failed } = await check(venueConfig('platform', venue), { clockError });
    expect(failed).toEqual(['first REST call', 'heartbeat']);
    expect(of('first REST call')).toMatchObject({
      detail: expect.stringContaining('X-FIG-Timestamp is too far from now'),
      advice: expect.stringMatching(
        /^The clock of this host .*, and signatures hold the time: set it right \(NTP\)\.$/,
      ),
    });
    expect(of('first REST call').advice).toMatch(said);
    expect(of('heartbeat').detail).toMatch(said);
    expect(venue.venue.stats.requestsByPath[firstCall]).toBe(2);
  });

  test('for both reasons at once: both are said', async () => {
    const venue = await venueWith({ verifySignatures: true, signature: { encoding: 'base64' } });
    const { of } = await check(venueConfig('platform', venue), { clockError: -45_000 });
    expect(of('first REST call').advice).toMatch(
      /^The clock of this host is .* set it right \(NTP\)\. The venue accepts the call with venue\.signature\.encoding: base64\.$/,
    );
  });

  test('and after it a missing role: that something remains is said', async () => {
    const venue = await venueWith({ verifySignatures: true, signature: { encoding: 'base64' }, roles: [] });
    const { of } = await check(venueConfig('platform', venue));
    expect(of('first REST call').advice).toBe(
      'The venue accepts the call with venue.signature.encoding: base64. It then answers HTTP 403: check again when this is done.',
    );
  });

  test('a clock that is off and does no harm yet is told by the heartbeat alone', async () => {
    const venue = await venueWith({ ...strict, signatureSkew: 60_000 });
    const { failed } = await check(venueConfig('platform', venue), { clockError: -20_000 });
    expect(failed).toEqual(['heartbeat']);
  });

  test('a token that is refused however the call is signed', async () => {
    const venue = await venueWith(strict);
    venue.venue.inject({ kind: 'http-status', status: 401, path: firstCall });
    const { of } = await check(venueConfig('platform', venue));
    expect(of('first REST call').advice).toBe(
      'No setting of venue.sign and venue.signature gets through, and the clocks agree. ' +
        'The token is fresh: do venue.tokenUrl and venue.restUrl belong together?',
    );
    expect(venue.venue.stats.requestsByPath[firstCall]).toBe(5);
  });

  test('the trial ends where the venue limits it', async () => {
    const venue = await venueWith({ ...strict, signature: { encoding: 'base64' }, httpLimit: 3 });
    await check(venueConfig('platform', venue));
    expect(venue.venue.stats.rateLimited).toBe(1);
  });
});

test.each(['tokenUrl', 'restUrl', 'socketUrl'] as const)(
  'where nobody listens at %s, that key is named',
  async (key) => {
    const { restUrl, tokenUrl, socketUrl } = await venueWith();
    const dead = await deadUrl(key === 'socketUrl' ? 'ws' : 'http');
    const { outcomes } = await check({ restUrl, tokenUrl, socketUrl, [key]: dead });
    const advice = outcomes.flatMap((outcome) => (outcome.result === 'failed' ? [outcome.advice] : []));
    expect(advice).toEqual([
      `Nothing listens there, or a firewall forbids it: check venue.${key}, or wait for the venue.`,
    ]);
  },
);

test('nothing that is told holds a secret', async () => {
  const told: (string | undefined)[] = [];
  const remember = ({ body, headers }: Received) => told.push(body, headers.authorization);
  await using echo = await scriptedServer((response, request) => {
    remember(request);
    const message = `you sent ${request.body}, ${request.headers.authorization}`;
    response.writeHead(401).end(JSON.stringify({ code: 401, message }));
  });
  const venue = await venueWith();
  for (const profile of ['quickstart', 'platform'] as const) {
    const { outcomes } = await check({ profile, restUrl: echo.url, tokenUrl: echo.url, socketUrl: venue.socketUrl });
    expect(JSON.stringify(outcomes)).not.toContain(clientSecret);
    expect(JSON.stringify(outcomes)).toContain('[secret]');
  }
  expect(told.join()).toContain(clientSecret);
});
