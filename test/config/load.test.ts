import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configurationFlags, loadSettings } from '../../src/config/load.ts';
import { venueMethods } from '../support/venue-methods.ts';
import { loadWithoutFile, Workspace } from './workspace.ts';

test('without any configuration gives the documented defaults', () => {
  const env = { RUNTIME_DIRECTORY: '/run/figd', STATE_DIRECTORY: '/var/lib/figd' };
  expect(loadWithoutFile(env)).toEqual({
    venue: {
      profile: 'quickstart',
      environment: 'test',
      restUrl: 'https://api.test.figmarkets.com',
      tokenUrl: 'https://api.test.figmarkets.com/v1/auth',
      tokenStyle: 'json',
      socketUrl: 'wss://api.test.figmarkets.com/ws/v1',
      methods: venueMethods,
      sign: false,
      signature: { encoding: 'hex' },
      requestsPerMinute: 1_000,
    },
    network: { proxy: 'off' },
    credentials: {},
    session: {
      authenticateWith: 'token',
      renewal: 'auto',
      channels: ['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'],
      heartbeatInterval: 10_000,
      heartbeatTimeout: 5_000,
      connectTimeout: 10_000,
      authTimeout: 10_000,
      subscribeTimeout: 5_000,
      backoff: { min: 500, max: 20_000, resetAfter: 30_000 },
    },
    token: { refreshAt: 0.8, refreshMargin: 60_000 },
    local: { directory: '/run/figd', maxConsumers: 256, consumerBuffer: 1_048_576 },
    gateway: { http: false, timeout: 30_000, maxBody: 16 * 1_048_576 },
    journal: {
      enabled: true,
      directory: '/var/lib/figd',
      retainFor: 604_800_000,
      retainBytes: 2_147_483_648,
      ring: 67_108_864,
    },
    reconcile: { enabled: true, interval: 300_000, lookback: 900_000 },
    metrics: { listen: { host: '127.0.0.1', port: 9464 } },
    log: { level: 'info' },
  });
});

describe('layers', () => {
  test('the file overrides defaults, a variable the file, a flag the variable', () => {
    const workspace = new Workspace();
    const yaml = 'log: { level: warn }\nsession: { authTimeout: 1s, connectTimeout: 1s, subscribeTimeout: 1s }';
    const env = { FIGD_SESSION__CONNECT_TIMEOUT: '2s', FIGD_SESSION__SUBSCRIBE_TIMEOUT: '2s' };
    const settings = workspace.load(yaml, env, { 'session.subscribe-timeout': '3s' });
    expect(settings.log.level).toBe('warn');
    expect(settings.session).toMatchObject({
      heartbeatTimeout: 5_000,
      authTimeout: 1_000,
      connectTimeout: 2_000,
      subscribeTimeout: 3_000,
    });
  });

  test('a value that is overridden is not judged', () => {
    const settings = new Workspace().load('log: { level: shouting }', { FIGD_LOG__LEVEL: 'debug' });
    expect(settings.log.level).toBe('debug');
  });

  test('variables and flags hold lists, numbers and booleans as text', () => {
    const settings = loadWithoutFile(
      { FIGD_SESSION__CHANNELS: 'rfq.maker, rfq.taker', FIGD_LOCAL__MAX_CONSUMERS: '4', FIGD_VENUE__SIGN: 'true' },
      { 'journal.enabled': 'false', 'token.refresh-at': '0.5', 'venue.methods.auth': 'login' },
    );
    expect(settings.session.channels).toEqual(['rfq.maker', 'rfq.taker']);
    expect(settings.local.maxConsumers).toBe(4);
    expect(settings.venue.sign).toBe(true);
    expect(settings.journal.enabled).toBe(false);
    expect(settings.token.refreshAt).toBe(0.5);
    expect(settings.venue.methods.auth).toBe('login');
  });

  test('an empty variable counts as not set', () => {
    expect(loadWithoutFile({ FIGD_LOG__LEVEL: '' }).log.level).toBe('info');
  });

  test('variables that are not ours are not looked at, nor those Kubernetes sets for a service named figd', () => {
    const env = { FIG_LOG: 'x', PATH: '/bin', FIGD_SERVICE_HOST: '10.0.0.1', FIGD_PORT: 'tcp://10.0.0.1:1' };
    expect(loadWithoutFile({ ...env, FIGD_PORT_9464_TCP_ADDR: '10.0.0.1' }).log.level).toBe('info');
  });

  test('FIGD_CONFIG names the file, and --config goes before it', () => {
    const workspace = new Workspace();
    const first = workspace.write('first.yaml', 'log: { level: warn }');
    const second = workspace.write('second.yaml', 'log: { level: error }');
    expect(loadSettings({ env: { FIGD_CONFIG: first }, flags: {} }).log.level).toBe('warn');
    expect(loadSettings({ file: second, env: { FIGD_CONFIG: first }, flags: {} }).log.level).toBe('error');
  });

  test('the file of the system is read when none is named', () => {
    const systemFile = new Workspace().write('figd.yaml', 'log: { level: warn }');
    expect(loadSettings({ env: {}, flags: {}, systemFile }).log.level).toBe('warn');
  });

  test.each(['', '# nothing but this\n', '---\n', 'venue:\nsession:\n  # channels: []\n'])(
    'a file or block that is empty, %j, changes nothing',
    (yaml) => {
      expect(new Workspace().load(yaml)).toEqual(loadWithoutFile());
    },
  );

  test('anchors and aliases stand for their values', () => {
    const { session } = new Workspace().load('session: { authTimeout: &wait 3s, connectTimeout: *wait }');
    expect(session).toMatchObject({ authTimeout: 3_000, connectTimeout: 3_000 });
  });
});

describe('the venue', () => {
  test('in profile quickstart restUrl alone moves token and socket along', () => {
    const { venue } = new Workspace().load('venue: { restUrl: "http://127.0.0.1:7464/" }');
    expect(venue).toMatchObject({
      restUrl: 'http://127.0.0.1:7464',
      tokenUrl: 'http://127.0.0.1:7464/v1/auth',
      socketUrl: 'ws://127.0.0.1:7464/ws/v1',
    });
  });

  test('a URL set on its own stays', () => {
    const { venue } = new Workspace().load(
      'venue: { restUrl: "https://gateway.example/fig", socketUrl: "wss://socket.example" }',
    );
    expect(venue.tokenUrl).toBe('https://gateway.example/fig/v1/auth');
    expect(venue.socketUrl).toBe('wss://socket.example');
  });

  test.each([
    ['test', '.test'],
    ['production', ''],
  ])('profile platform has hosts of its own for %s, OAuth2 and signatures', (environment, infix) => {
    expect(loadWithoutFile({}, { 'venue.profile': 'platform', 'venue.environment': environment }).venue).toMatchObject({
      restUrl: `https://api${infix}.figmarkets.com`,
      tokenUrl: `https://id${infix}.figmarkets.com/realms/figmarkets-api/protocol/openid-connect/token`,
      tokenStyle: 'oauth2',
      socketUrl: `wss://ws${infix}.figmarkets.com`,
      sign: true,
    });
  });

  test('in profile platform restUrl moves nothing along', () => {
    const { venue } = loadWithoutFile({}, { 'venue.profile': 'platform', 'venue.rest-url': 'http://localhost:1' });
    expect(venue.tokenUrl).toContain('https://id.test.figmarkets.com/');
  });

  test('profile quickstart reaches production through a host of its own', () => {
    const env = { FIGD_VENUE__ENVIRONMENT: 'production', FIGD_VENUE__REST_URL: 'https://api.example' };
    expect(loadWithoutFile(env).venue.socketUrl).toBe('wss://api.example/ws/v1');
  });

  test.each(['http://localhost:1', 'http://127.8.9.10', 'http://127.1:80', 'http://[::1]:7464'])(
    'plain %s is fine: it stays on this machine',
    (restUrl) => {
      expect(loadWithoutFile({}, { 'venue.rest-url': restUrl }).venue.restUrl).toBe(restUrl);
    },
  );
});

describe('the metrics address', () => {
  test.each([
    ['metrics: off', 'off'],
    ['metrics: false', 'off'],
    ['metrics: { listen: off }', 'off'],
    ['metrics: { listen: "off" }', 'off'],
    ['metrics: { listen: 0.0.0.0:0 }', { listen: { host: '0.0.0.0', port: 0 } }],
    ['metrics: { listen: "[::1]:9464" }', { listen: { host: '::1', port: 9464 } }],
    ['metrics: { listen: localhost:65535 }', { listen: { host: 'localhost', port: 65_535 } }],
  ])('%s', (yaml, expected) => {
    expect(new Workspace().load(yaml).metrics).toEqual(expected);
  });

  test('a variable turns on what the file has off', () => {
    const { metrics } = new Workspace().load('metrics: off', { FIGD_METRICS__LISTEN: '127.0.0.1:1' });
    expect(metrics).toEqual({ listen: { host: '127.0.0.1', port: 1 } });
  });
});

describe('directories', () => {
  test.each([
    [{ RUNTIME_DIRECTORY: '/run/a:/run/b', XDG_RUNTIME_DIR: '/run/user/1' }, '/run/a'],
    [{ XDG_RUNTIME_DIR: '/run/user/1' }, '/run/user/1/figd'],
    [{ XDG_RUNTIME_DIR: 'relative' }, `/tmp/figd-${process.getuid?.()}`],
    [{}, `/tmp/figd-${process.getuid?.()}`],
  ])('with %j the sockets are in %s', (env, directory) => {
    expect(loadWithoutFile(env).local.directory).toBe(directory);
  });

  test.each([
    [{ STATE_DIRECTORY: '/var/lib/a:/var/lib/b', XDG_STATE_HOME: '/state' }, '/var/lib/a'],
    [{ XDG_STATE_HOME: '/state', HOME: '/home/trader' }, '/state/figd'],
    [{ HOME: '/home/trader' }, '/home/trader/.local/state/figd'],
  ])('with %j the journal is in %s', (env, directory) => {
    expect(loadWithoutFile(env).journal.directory).toBe(directory);
  });

  test('relative paths start from the file they are in, and in flags from the working directory', () => {
    const workspace = new Workspace();
    const yaml = 'journal: { directory: j }\ncredentials: { clientSecretFile: keys/secret, clientIdFile: id }';
    const settings = workspace.load(yaml, {}, { 'local.directory': 's', 'credentials.client-id-file': 'i' });
    expect(settings.journal.directory).toBe(workspace.path('j'));
    expect(settings.credentials.clientSecretFile).toBe(workspace.path('keys/secret'));
    expect(settings.credentials.clientIdFile).toBe(resolve('i'));
    expect(settings.local.directory).toBe(resolve('s'));
  });
});

test('settings with credentials in them print without them', () => {
  const settings = new Workspace().load('credentials: { clientId: canary, clientSecret: "canary\\n" }');
  expect(JSON.stringify(settings)).not.toContain('canary');
  expect(settings.credentials.clientSecret?.reveal()).toBe('canary');
});

describe('flags', () => {
  test('there is one for each key, described, with its default or an example', () => {
    const flags = new Map(configurationFlags.map((flag) => [flag.flag, flag]));
    expect(flags.get('session.heartbeat-interval')).toEqual({
      flag: 'session.heartbeat-interval',
      key: 'session.heartbeatInterval',
      description: 'Time between heartbeats, 1s to 29s.',
      default: '10s',
      example: '10s',
      hidden: false,
    });
    expect(flags.get('venue.rest-url')).toMatchObject({ example: 'https://api.test.figmarkets.com' });
    expect(flags.get('session.channels')?.default).toBe('rfq.maker,rfq.taker,rfq_quote.maker,rfq_quote.taker');
    expect(configurationFlags.filter((flag) => flag.description === '')).toEqual([]);
  });

  test('only the secret is hidden', () => {
    expect(configurationFlags.filter((flag) => flag.hidden).map((flag) => flag.flag)).toEqual([
      'credentials.client-secret',
    ]);
  });

  test('each default, given as a flag, is what no flag gives', () => {
    const defaults = configurationFlags.flatMap((flag) =>
      flag.default === undefined ? [] : [[flag.flag, flag.default]],
    );
    expect(loadWithoutFile({}, Object.fromEntries(defaults))).toEqual(loadWithoutFile());
  });
});
