import { beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../src/adapters/logger.ts';
import { Vault } from '../../src/adapters/vault.ts';
import { ConfigurationSource } from '../../src/config/configuration-source.ts';
import type { Settings } from '../../src/config/settings.ts';
import { LiveConfiguration } from '../../src/daemon/live-configuration.ts';
import { RpcError } from '../../src/protocol/json-rpc.ts';
import { Workspace } from '../config/workspace.ts';

/** A configuration file with a daemon over it that does nothing but remember what it is told. */
class Stage {
  readonly workspace = new Workspace();
  readonly applied: Settings[] = [];
  readonly vault: Vault;
  readonly live: LiveConfiguration;
  refreshes = 0;
  isRefused = false;

  constructor() {
    this.workspace.write('secret', 'first');
    this.write('log: { level: silent }');
    const source = new ConfigurationSource({ file: this.workspace.path('figd.yaml'), env: {}, flags: {} });
    const configuration = source.read();
    this.vault = new Vault(configuration.credentials);
    this.live = new LiveConfiguration({
      configuration,
      source,
      vault: this.vault,
      logger: createLogger({ level: 'silent', pretty: false, redact: (line) => line }),
      apply: (settings) => this.applied.push(settings),
      onCredentialsRead: () => undefined,
      refresh: () => {
        this.refreshes += 1;
      },
      isRefused: () => this.isRefused,
    });
  }

  /** Writes the file: the credentials, and this. */
  write(yaml: string): void {
    this.workspace.write('figd.yaml', `credentials: { clientId: id, clientSecretFile: secret }\n${yaml}`);
  }

  /** What a reload is answered with that cannot be done. */
  refusal(): RpcError {
    try {
      this.live.reload();
    } catch (error) {
      if (error instanceof RpcError) return error;
      throw error;
    }
    throw new Error('it was done');
  }
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});

describe('a reload', () => {
  test('of the same configuration does nothing, and says so', () => {
    expect(stage.live.reload()).toEqual({
      accepted: true,
      detail: 'nothing has changed',
      applied: [],
      needsRestart: [],
    });
    expect([stage.applied, stage.refreshes, stage.vault.credentialsVersion]).toEqual([[], 0, 0]);
  });

  test('applies what has changed, and asks for no token', () => {
    stage.write('log: { level: silent }\nsession: { channels: [rfq.maker], heartbeatInterval: 5s }');
    expect(stage.live.reload()).toEqual({
      accepted: true,
      detail: 'applied session.channels, session.heartbeatInterval',
      applied: ['session.channels', 'session.heartbeatInterval'],
      needsRestart: [],
    });
    expect(stage.applied.map(({ session }) => session.channels)).toEqual([['rfq.maker']]);
    expect([stage.live.settings.session.heartbeatInterval, stage.refreshes]).toEqual([5_000, 0]);
  });

  test('names what waits for a restart, each time until that has been', () => {
    stage.write('log: { level: silent }\nvenue: { restUrl: "http://127.0.0.1:1" }\nlocal: { maxConsumers: 3 }');
    const waiting = ['venue.restUrl', 'venue.tokenUrl', 'venue.socketUrl'];
    expect(stage.live.reload()).toEqual({
      accepted: true,
      detail: 'applied local.maxConsumers; venue.restUrl, venue.tokenUrl, venue.socketUrl wait for a restart',
      applied: ['local.maxConsumers'],
      needsRestart: waiting,
    });
    expect(stage.live.settings.venue.restUrl).toBe('https://api.test.figmarkets.com');
    expect(stage.live.reload()).toMatchObject({
      detail: `nothing is applied; ${waiting.join(', ')} wait for a restart`,
      applied: [],
    });
    expect(stage.applied).toHaveLength(1);
  });

  test('with another secret in the same file uses it, and asks for a token', () => {
    stage.workspace.write('secret', 'second');
    const answer = stage.live.reload();
    expect(answer).toMatchObject({
      detail: 'applied credentials.clientSecret; asking for a new token',
      applied: ['credentials.clientSecret'],
    });
    expect([stage.vault.clientSecret, stage.refreshes]).toEqual(['second', 1]);
    expect(JSON.stringify(answer)).not.toContain('second');
  });

  test('asks for a token too where the venue refuses the credentials, as somebody has seen to that', () => {
    stage.isRefused = true;
    expect(stage.live.reload().detail).toBe('nothing has changed; asking for a new token');
    expect([stage.refreshes, stage.vault.credentialsVersion]).toEqual([1, 0]);
  });

  test('of a file with problems changes nothing, and names every one with its key', () => {
    stage.workspace.write('secret', 'second');
    stage.write('log: { level: loud }\nsession: { heartbeatInterval: 40s, channels: [rfq.maker] }');
    const { code, message, data } = stage.refusal();
    expect(code).toBe(-32004);
    expect(message.split('\n')[0]).toBe('nothing has changed: the configuration cannot be used:');
    expect(message).toContain('  session.heartbeatInterval: 40s is more than 29s (line 3 of ');
    expect(data).toMatchObject({ problems: [{ key: 'session.heartbeatInterval' }, { key: 'log.level' }] });
    expect([stage.applied, stage.refreshes, stage.vault.clientSecret]).toEqual([[], 0, 'first']);
    expect(stage.live.settings.session.channels).toHaveLength(4);
  });

  test('of good settings with bad credentials changes nothing either', () => {
    stage.write('log: { level: silent }\nsession: { channels: [rfq.maker] }');
    stage.workspace.write('secret', 'two\nlines');
    expect(stage.refusal().data).toMatchObject({ problems: [{ key: 'credentials.clientSecretFile' }] });
    expect([stage.applied, stage.live.settings.session.channels.length]).toEqual([[], 4]);
  });
});

describe('credentials that are read alone', () => {
  test('are no change for the next reload', () => {
    stage.workspace.write('secret', 'second');
    stage.live.rereadCredentials();
    expect(stage.vault.clientSecret).toBe('second');
    expect(stage.live.reload().detail).toBe('nothing has changed');
  });

  test('come from the files that are in force', () => {
    stage.workspace.write('other', 'third');
    stage.workspace.write(
      'figd.yaml',
      'credentials: { clientId: id, clientSecretFile: other }\nlog: { level: silent }',
    );
    stage.live.reload();
    expect(stage.live.credentialFiles).toEqual([stage.workspace.path('other')]);
    stage.workspace.write('other', 'fourth');
    stage.live.rereadCredentials();
    expect(stage.vault.clientSecret).toBe('fourth');
  });
});
