import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Configuration } from '../../src/config/configuration-source.ts';
import { loadCredentials } from '../../src/config/credentials.ts';
import { configurationKeys } from '../../src/config/keys.ts';
import { planReload } from '../../src/config/reload-plan.ts';
import { reloadRules } from '../../src/config/reload-rules.ts';
import { loadWithoutFile, Workspace } from './workspace.ts';

const key = { FIGD_CREDENTIALS__CLIENT_ID: 'id', FIGD_CREDENTIALS__CLIENT_SECRET: 'secret' };
const configured = (flags: Record<string, string> = {}, env: NodeJS.ProcessEnv = key): Configuration => {
  const settings = loadWithoutFile({ RUNTIME_DIRECTORY: '/run/figd', STATE_DIRECTORY: '/var/lib/figd', ...env }, flags);
  return { settings, credentials: loadCredentials(settings.credentials, env) };
};
const plan = (flags: Record<string, string>, before = configured()) => planReload(before, configured(flags));

/** Another value than the default of each key that can be given as a flag. */
const others: Readonly<Record<string, string>> = {
  'venue.profile': 'platform',
  'venue.rest-url': 'https://rest.example',
  'venue.token-url': 'https://token.example',
  'venue.token-style': 'oauth2',
  'venue.socket-url': 'wss://socket.example',
  'venue.methods.auth': 'login',
  'venue.methods.refresh': 'prolong',
  'venue.methods.heartbeat': 'beat',
  'venue.methods.subscribe': 'hear',
  'venue.methods.unsubscribe': 'unhear',
  'venue.sign': 'true',
  'venue.signature.encoding': 'base64',
  'venue.signature.omit-prefix': '/v1',
  'venue.requests-per-minute': '900',
  'session.authenticate-with': 'credentials',
  'session.renewal': 'rotate',
  'session.channels': 'rfq.maker',
  'session.heartbeat-interval': '5s',
  'session.heartbeat-timeout': '4s',
  'session.connect-timeout': '3s',
  'session.auth-timeout': '2s',
  'session.subscribe-timeout': '1s',
  'session.backoff.min': '1s',
  'session.backoff.max': '9s',
  'session.backoff.reset-after': '8s',
  'token.refresh-at': '0.5',
  'token.refresh-margin': '7s',
  'reconcile.enabled': 'false',
  'reconcile.interval': '6m',
  'reconcile.lookback': '1h',
  'local.directory': '/run/other',
  'local.max-consumers': '5',
  'local.consumer-buffer': '64KiB',
  'gateway.http': 'true',
  'gateway.allow': 'GET /v1/*',
  'gateway.timeout': '4s',
  'gateway.max-body': '1MiB',
  'journal.enabled': 'false',
  'journal.directory': '/var/lib/other',
  'journal.retain-for': '1d',
  'journal.retain-bytes': '1GiB',
  'journal.ring': '16MiB',
  'metrics.listen': 'off',
  'log.level': 'debug',
};
const keyOf = new Map(configurationKeys.map(({ flag, key: name }) => [flag, name]));

test('there is a rule for each key of the configuration, and no other', () => {
  expect(Object.keys(reloadRules)).toEqual(configurationKeys.map(({ key: name }) => name));
});

test('what is as it was is no difference', () => {
  expect(plan({})).toEqual({
    applied: [],
    needsRestart: [],
    inForce: configured(),
    hasOtherCredentials: false,
  });
});

test.each(Object.entries(others))('%s: a change to %s is told, and done or left as its rule says', (flag, value) => {
  const name = keyOf.get(flag) ?? '';
  const before = configured();
  const wanted = configured({ [flag]: value });
  const { applied, needsRestart, inForce } = planReload(before, wanted);
  const [told, others] = reloadRules[name] === 'restart' ? [needsRestart, applied] : [applied, needsRestart];
  expect([told.includes(name), others]).toEqual([true, []]);
  expect(inForce.settings).toEqual(reloadRules[name] === 'restart' ? before.settings : wanted.settings);
});

const someFlags = fc
  .uniqueArray(fc.constantFrom(...Object.keys(others)))
  .map((flags) => Object.fromEntries(flags.map((flag) => [flag, others[flag] ?? ''])));

test('whatever changes: what is applied is in force, what waits is told until figd is started again', () => {
  fc.assert(
    fc.property(someFlags, someFlags, (first, second) => {
      const before = configured(first);
      const wanted = configured(second);
      const { applied, needsRestart, inForce } = planReload(before, wanted);
      const rules = [applied, needsRestart].map((keys) => keys.map((name) => reloadRules[name] === 'restart'));
      expect(rules).toEqual([applied.map(() => false), needsRestart.map(() => true)]);
      // Once more: nothing is left to apply, and the same keys wait.
      const again = planReload(inForce, wanted);
      expect([again.applied, again.needsRestart]).toEqual([[], needsRestart]);
      // Back again, from either: nothing waits where all that was applied is taken back.
      expect(planReload(inForce, before).needsRestart).toEqual([]);
      // What a new process would run with is what is wanted.
      if (needsRestart.length === 0) expect(inForce.settings).toEqual(wanted.settings);
    }),
  );
});

describe('credentials', () => {
  const withKey = (id: string, secret: string, flags: Record<string, string> = {}) =>
    configured(flags, { FIGD_CREDENTIALS__CLIENT_ID: id, FIGD_CREDENTIALS__CLIENT_SECRET: secret });

  test('that are others are told by the name of the key, never by their value', () => {
    const { inForce, ...told } = planReload(withKey('a', 'canary-1'), withKey('a', 'canary-2'));
    expect(told).toEqual({ applied: ['credentials.clientSecret'], needsRestart: [], hasOtherCredentials: true });
    expect(inForce.credentials.clientSecret.reveal()).toBe('canary-2');
    expect(JSON.stringify([inForce, told])).not.toContain('canary');
  });

  test('that moved to another file and are the same are no other credentials', () => {
    const workspace = new Workspace();
    const [first, second] = [workspace.write('a', 'secret'), workspace.write('b', 'secret')];
    const at = (file: string) => {
      const flags = { 'credentials.client-secret-file': file };
      return configured(flags, { FIGD_CREDENTIALS__CLIENT_ID: 'id' });
    };
    const { applied, hasOtherCredentials, inForce } = planReload(at(first), at(second));
    expect([applied, hasOtherCredentials]).toEqual([['credentials.clientSecretFile'], false]);
    expect(inForce.credentials.files).toEqual([second]);
  });

  test('wait with the address of the venue they are for', () => {
    const before = withKey('a', 'for-one');
    const wanted = withKey('b', 'for-another', { 'venue.token-url': 'https://other.example', 'log.level': 'debug' });
    const { applied, needsRestart, inForce, hasOtherCredentials } = planReload(before, wanted);
    expect([applied, hasOtherCredentials]).toEqual([['log.level'], false]);
    expect(needsRestart).toEqual(['venue.tokenUrl', 'credentials.clientId', 'credentials.clientSecret']);
    expect(inForce.credentials).toBe(before.credentials);
    expect(inForce.settings.credentials).toEqual(before.settings.credentials);
    expect(inForce.settings.credentials.clientSecret?.reveal()).toBe('for-one');
  });
});
