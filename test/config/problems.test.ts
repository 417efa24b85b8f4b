import { describe, expect, test } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { configurationErrorOf, loadWithoutFile, problemLines, Workspace } from './workspace.ts';

describe('values', () => {
  test.each([
    ['session.heartbeat-interval', '40s', '40s is more than 29s', 'the venue closes a session after 30 s without'],
    ['session.heartbeat-interval', '999ms', '999ms is less than 1s', 'write 1s to 29s'],
    ['session.heartbeat-timeout', '0s', '0s is less than 1ms', 'write a duration from 1ms on, for example 5s'],
    ['session.connect-timeout', '10', '10 has no unit', 'write 10s'],
    ['session.auth-timeout', '2d', '2d is more than 1d', '1d is the most'],
    ['session.channels', 'a,b,a', 'a is listed twice', 'list it once'],
    ['session.channels', 'a,,b', 'is empty', 'for example rfq.maker'],
    ['session.renewal', 'inplace', 'inplace is not a known value', 'did you mean in-place?'],
    ['session.backoff.min', '30s', 'is more than session.backoff.max', 'make min at most max'],
    ['token.refresh-at', '1', '1 is not a number between 0 and 1', 'for example 0.8'],
    ['token.refresh-at', '0', '0 is not a number between 0 and 1', 'for example 0.8'],
    ['token.refresh-at', 'late', 'late is not a number between 0 and 1', 'for example 0.8'],
    ['local.max-consumers', '0', '0 is not a whole number from 1 up', 'for example 256'],
    ['local.max-consumers', '1.5', '1.5 is not a whole number from 1 up', 'for example 256'],
    ['local.consumer-buffer', '0B', '0B is nothing', 'for example 1MiB'],
    ['local.directory', '~/figd', 'begins with ~, which only a shell expands', 'write the whole path'],
    ['local.directory', `/${'d'.repeat(100)}`, 'makes a socket path of 114 bytes', 'choose a shorter one'],
    ['journal.enabled', 'yes', 'yes is not true or false', 'write true or false'],
    ['journal.ring', '64MB', '64MB is not a size', 'write 64MiB'],
    ['journal.ring', '64', '64 has no unit', 'write 64MiB'],
    ['journal.ring', '256KiB', '256KiB is less than 8MiB', 'what waits for the disk for a moment has to fit in'],
    ['metrics.listen', '9464', '9464 is not an address', 'write host:port, for example 127.0.0.1:9464'],
    ['metrics.listen', 'localhost:65536', 'localhost:65536 is not an address', 'write host:port'],
    ['metrics.listen', '::1:9464', '::1:9464 is not an address', '[::] for every interface'],
    ['log.level', 'verbose', 'verbose is not a known value', 'use trace, debug, info, warn, error, fatal or silent'],
    ['venue.environment', 'production', 'production has no hosts in profile quickstart', 'use venue.profile: platform'],
    ['venue.rest-url', 'http://api.example', 'is plain http to another host', 'use https'],
    ['venue.rest-url', 'http://127.example', 'is plain http to another host', 'use https'],
    ['venue.token-url', 'http://0.0.0.0/auth', 'is plain http to another host', 'use https'],
    ['venue.socket-url', 'ws://api.example', 'is plain ws to another host', 'use wss'],
    ['venue.socket-url', 'https://api.example', 'is not a wss or ws URL', 'write a wss URL, for example'],
    ['venue.rest-url', 'wss://api.example', 'is not an https or http URL', 'write an https URL, for example'],
    ['venue.rest-url', 'api.example', 'is not a URL', 'write an https URL, for example'],
    ['venue.rest-url', 'https://api.example/v1/', 'ends in /v1 or has a query', 'leave that out'],
    ['venue.rest-url', 'https://api.example?key=1', 'ends in /v1 or has a query', 'leave that out'],
    ['venue.socket-url', 'wss://api.example/#x', 'has a fragment', 'leave it out'],
    ['venue.socket-url', 'wss://user:canary@api.example', 'has a user name or password in it', 'leave them out'],
    ['venue.methods.auth', 'log in', '"log in" is not a text without blanks or commas', 'for example auth'],
  ])('--%s %s: %s', (flag, value, problem, advice) => {
    const { problems } = configurationErrorOf(() => loadWithoutFile({}, { [flag]: value }));
    expect(problems).toEqual([
      {
        key: expect.stringMatching(new RegExp(`^${flag.replaceAll(/[.-]/g, '\\W?')}$`, 'i')),
        problem: expect.stringContaining(problem),
        where: `--${flag}`,
        advice: expect.stringContaining(advice),
      },
    ]);
  });

  test.each([
    ['session: { channels: rfq.maker }', 'session.channels: rfq.maker is not a list', '[rfq.maker, rfq.taker'],
    ['session: { channels: [] }', 'session.channels: is empty', 'name at least one'],
    ['session: { channels: [1] }', 'session.channels: 1 is not a text', 'for example rfq.maker'],
    ['session: { heartbeatInterval: 10 }', 'session.heartbeatInterval: 10 has no unit', 'write 10s'],
    ['session: { heartbeatInterval: [10s] }', 'session.heartbeatInterval: a list is not a duration', 'for example 10s'],
    ['session: { heartbeatInterval: }', 'session.heartbeatInterval: is empty', 'write a duration, for example 10s'],
    ['session: 10s', 'session: is a text, not a block of keys', 'write its keys below it'],
    ['session: [channels]', 'session: is a list, not a block of keys', 'write its keys below it'],
    ['network: { proxy: 3128 }', 'network.proxy: is a number, not a URL', 'write http://proxy.example:3128, or off'],
    ['network: { proxy: proxy:3128 }', 'network.proxy: is not the http or https URL of a proxy', 'or off'],
    [
      'network: { proxy: "http://a:b@proxy" }',
      'network.proxy: has a user name or password in it',
      'gives none to a proxy',
    ],
    ['network: { proxy: "http://proxy/x" }', 'network.proxy: has more than a host and a port', 'or off'],
    ['venue: { restUrl: 1 }', 'venue.restUrl: is a number, not a URL', 'write an https URL'],
    ['venue: { sign: "true" }', 'venue.sign: true is not true or false', 'write true or false'],
    ['log: { level: }', 'log.level: is empty', 'use trace, debug'],
    ['journal: { directory: 5 }', 'journal.directory: is a number, not a path', 'for example /var/lib/figd'],
    ['journal: { directory: }', 'journal.directory: is empty', 'for example /var/lib/figd'],
    ['credentials: { clientSecret: }', 'credentials.clientSecret: is empty', 'between quotes'],
    ['journal: { directory: "" }', 'journal.directory: is empty', 'for example /var/lib/figd'],
    ['metrics: on', 'metrics: is a text, not a block of keys', 'write its keys below it'],
    ['credentials: { clientId: 5 }', 'credentials.clientId: is a number, not a text', 'between quotes'],
    ['credentials: { clientSecret: "" }', 'credentials.clientSecret: is empty', 'leave the key out'],
    ['credentials: { clientIdFile: 5 }', 'credentials.clientIdFile: is a number, not a path', '/etc/figd/client-id'],
  ])('%s', (yaml, beginning, advice) => {
    const workspace = new Workspace();
    const lines = problemLines(() => workspace.load(yaml));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(beginning);
    expect(lines[0]).toContain(`(line 1 of ${workspace.path('figd.yaml')}); `);
    expect(lines[0]).toContain(advice);
  });
});

describe('names', () => {
  test.each([
    ['\n\nvenue: { restURL: x }', 'venue.restURL: unknown key (line 3 of', 'did you mean venue.restUrl?'],
    ['\nvenue:\n  rest_url: x', 'venue.rest_url: unknown key (line 3 of', 'did you mean venue.restUrl?'],
    ['heartbeatInterval: 10s', 'heartbeatInterval: unknown key (line 1 of', 'did you mean session.heartbeatInterval?'],
    ['session: { ring: 1MiB }', 'session.ring: unknown key (line 1 of', 'did you mean journal.ring?'],
    ['venue.restUrl: x', 'venue.restUrl: unknown key (line 1 of', 'write it in blocks: venue: { restUrl: … }'],
    ['colour: red', 'colour: unknown key (line 1 of', 'known at the top are venue, network, credentials'],
    ['log: { colour: red }', 'log.colour: unknown key (line 1 of', 'known in log are level'],
    [
      'venue: { methods: { logon: x } }',
      'venue.methods.logon: unknown key',
      'known in venue.methods are auth, refresh',
    ],
    ['{log:debug}', 'log…: unknown key', 'put a blank after the colon'],
    ['? [a]\n: 1', '…: unknown key (line 1 of', 'known at the top are'],
    ['__proto__: { x: 1 }', '__proto__: unknown key (line 1 of', 'did you mean network.proxy?'],
    ['1: 2', '1: unknown key (line 1 of', 'known at the top are'],
    [
      'credentials: { clientSecrt: x }',
      'credentials.clientSecrt: unknown key',
      'did you mean credentials.clientSecret?',
    ],
    ['credentials: { password: x }', 'credentials: has an unknown key (line 1 of', 'known are clientId, clientSecret'],
    ['clientSecret: x', 'clientSecret: unknown key', 'did you mean credentials.clientSecret?'],
  ])('in the file: %j', (yaml, beginning, advice) => {
    const lines = problemLines(() => new Workspace().load(yaml));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.startsWith(beginning)).toBe(true);
    expect(lines[0]).toContain(advice);
  });

  test.each([
    ['FIGD_LOG__LEVLE', 'FIGD_LOG__LEVLE: no such variable; did you mean FIGD_LOG__LEVEL?'],
    ['FIGD_LOG_LEVEL', 'FIGD_LOG_LEVEL: no such variable; did you mean FIGD_LOG__LEVEL?'],
    ['FIGD_CONFG', 'FIGD_CONFG: no such variable; did you mean FIGD_CONFIG?'],
    ['FIGD_X', 'FIGD_X: no such variable; every key has its variable in docs/configuration.md'],
  ])('of a variable: %s', (name, line) => {
    expect(problemLines(() => loadWithoutFile({ [name]: 'canary' }))).toEqual([line]);
  });

  test('of a flag', () => {
    expect(problemLines(() => loadWithoutFile({}, { 'log.levle': 'canary' }))).toEqual([
      '--log.levle: no such option; did you mean --log.level?',
    ]);
  });
});

describe('the file', () => {
  test.each([
    ['a: *x', 1, 4, 'an alias (*name) without its anchor'],
    ['a: "\\q"', 1, 5, 'an unknown escape'],
    ['a: 1\n b: 2', 1, 4, ''],
    ['a: @b', 1, 4, 'a text begins with a character that YAML keeps for itself'],
    ['a: b: c', 1, 4, 'two keys on one line'],
    ['log: {}\nlog: {}', 2, 1, 'a key is written twice'],
    ['a: "b', 1, 6, 'something is missing'],
    ['---\na: 1\n---\nb: 2', 3, 1, 'a second document begins'],
    ['\tlog: {}', 1, 1, 'a tab is used for indentation'],
    ['a: !b c', 1, 4, 'a value begins with !'],
    ['metrics:\n  listen: [::1]:9464', 2, 16, 'something stands where it cannot'],
  ])('is not YAML: %j', (yaml, line, column, problem) => {
    const workspace = new Workspace();
    const [first] = problemLines(() => workspace.load(yaml));
    expect(first).toContain(`${workspace.path('figd.yaml')}: line ${line}, column ${column}: ${problem}`);
  });

  test('holds something else than keys', () => {
    const workspace = new Workspace();
    expect(problemLines(() => workspace.load('- a'))).toEqual([
      `${workspace.path('figd.yaml')}: holds a list where keys should be; begin with a block such as venue: and its keys below it`,
    ]);
  });

  test('is not there, though it was named', () => {
    const load = () => loadSettings({ file: '/nonexistent/figd.yaml', env: {}, flags: {} });
    expect(problemLines(load)).toEqual([
      '/nonexistent/figd.yaml: there is no such file; name the configuration with --config or FIGD_CONFIG',
    ]);
  });

  test('is a directory', () => {
    const { directory } = new Workspace();
    const load = () => loadSettings({ env: { FIGD_CONFIG: directory }, flags: {} });
    expect(problemLines(load)).toEqual([`${directory}: is a directory; name the file in it`]);
  });

  test.skipIf(process.getuid?.() === 0)('may not be read', () => {
    const file = new Workspace().write('figd.yaml', '', 0o000);
    const load = () => loadSettings({ file, env: {}, flags: {} });
    expect(problemLines(load)).toEqual([
      `${file}: may not be read by this user; give the user of figd read permission`,
    ]);
  });

  test.each([0o644, 0o604, 0o602])('holds the secret and has mode %o', (mode) => {
    const file = new Workspace().write('figd.yaml', 'credentials: { clientSecret: canary }', mode);
    expect(problemLines(() => loadSettings({ file, env: {}, flags: {} }))).toEqual([
      `credentials.clientSecret: is written here, and ${file} has mode 0${mode.toString(8)}, with which every user of the host may open it (line 1 of ${file}); chmod 600 ${file}`,
    ]);
  });

  test.each([
    ['credentials: { clientSecret: x }', 0o640],
    ['credentials: { clientId: x, clientSecretFile: /x }', 0o644],
  ])('%s may have mode %o', (yaml, mode) => {
    const file = new Workspace().write('figd.yaml', yaml, mode);
    expect(loadSettings({ file, env: {}, flags: {} }).log.level).toBe('info');
  });

  test('that is broken makes no rule between keys fail that it might have satisfied', () => {
    const yaml = 'venue: { restUrl: "https://api.example" }\n\tbroken';
    const env = { FIGD_VENUE__ENVIRONMENT: 'production', FIGD_LOG__LEVEL: 'loud' };
    const keys = configurationErrorOf(() => new Workspace().load(yaml, env)).problems.map(({ key }) => key);
    expect(keys).toContain('log.level');
    expect(keys).not.toContain('venue.environment');
  });
});

test('a secret on the command line is refused without being shown', () => {
  expect(problemLines(() => loadWithoutFile({}, { 'credentials.client-secret': 'canary' }))).toEqual([
    'credentials.clientSecret: a secret on the command line is visible to every user of the host (ps); put it in a file of mode 600 and name that in credentials.clientSecretFile',
  ]);
});

test('every problem of every layer is reported, a line each', () => {
  const yaml = [
    'venue: { profile: quickstar, environment: production, restUrl: "ftp://x", metods: {} }',
    'session: { backoff: { min: 9s, max: 1s, resetAfter: 5 }, heartbeatInterval: 1h }',
    'local: here',
    'log: { level: loud }',
  ].join('\n');
  const error = configurationErrorOf(() =>
    new Workspace().load(
      yaml,
      { FIGD_LOGS: '1', FIGD_LOCAL__MAX_CONSUMERS: 'x' },
      { nonsense: '1', 'token.refresh-at': '2' },
    ),
  );
  expect(error.problems.map(({ key }) => key).sort()).toEqual([
    '--nonsense',
    'FIGD_LOGS',
    'local',
    'local.maxConsumers',
    'log.level',
    'session.backoff.min',
    'session.backoff.resetAfter',
    'session.heartbeatInterval',
    'token.refreshAt',
    'venue.metods',
    'venue.profile',
    'venue.restUrl',
  ]);
  expect(error.message.split('\n')).toHaveLength(error.problems.length);
});
