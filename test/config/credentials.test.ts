import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Credentials, loadCredentials } from '../../src/config/credentials.ts';
import { Secret } from '../../src/config/secret.ts';
import { loadWithoutFile, problemLines, Workspace } from './workspace.ts';

function revealed({ clientId, clientSecret }: Credentials): string[] {
  return [clientId.reveal(), clientSecret.reveal()];
}

describe('are read from', () => {
  test('the configuration itself', () => {
    const { credentials } = new Workspace().load('credentials: { clientId: id, clientSecret: key }');
    const loaded = loadCredentials(credentials, {});
    expect(revealed(loaded)).toEqual(['id', 'key']);
    expect(loaded.files).toEqual([]);
    expect(loaded.source).toEqual({
      clientId: { from: 'configuration', key: 'credentials.clientId' },
      clientSecret: { from: 'configuration', key: 'credentials.clientSecret' },
    });
  });

  test('variables', () => {
    const env = { FIGD_CREDENTIALS__CLIENT_ID: 'id', FIGD_CREDENTIALS__CLIENT_SECRET: 'key' };
    expect(revealed(loadCredentials(loadWithoutFile(env).credentials, env))).toEqual(['id', 'key']);
  });

  test.each(['key', 'key\n', 'key\r\n'])('files that the configuration names, such as one with %j', (text) => {
    const workspace = new Workspace();
    const clientIdFile = workspace.write('id', 'id\n', 0o644);
    const clientSecretFile = workspace.write('secret', text);
    const loaded = loadCredentials({ clientIdFile, clientSecretFile }, {});
    expect(revealed(loaded)).toEqual(['id', 'key']);
    expect(loaded.files).toEqual([clientIdFile, clientSecretFile]);
    expect(loaded.source.clientSecret).toEqual({
      from: 'file',
      key: 'credentials.clientSecretFile',
      file: clientSecretFile,
    });
  });

  test('files in $CREDENTIALS_DIRECTORY, whatever their mode', () => {
    const workspace = new Workspace();
    const files = [workspace.write('client-id', 'id\n', 0o444), workspace.write('client-secret', 'key\n', 0o444)];
    const loaded = loadCredentials({}, { CREDENTIALS_DIRECTORY: workspace.directory });
    expect(revealed(loaded)).toEqual(['id', 'key']);
    expect(loaded.files).toEqual(files);
    expect(loaded.source.clientId).toEqual({ from: 'credentials directory', file: files[0] });
  });

  test('a file of another name in $CREDENTIALS_DIRECTORY, whatever its mode', () => {
    const workspace = new Workspace();
    const clientSecretFile = workspace.write('fig-key', 'key', 0o444);
    const settings = { clientId: new Secret('id'), clientSecretFile };
    expect(revealed(loadCredentials(settings, { CREDENTIALS_DIRECTORY: workspace.directory }))).toEqual(['id', 'key']);
  });

  test('the configuration before $CREDENTIALS_DIRECTORY', () => {
    const workspace = new Workspace();
    workspace.write('client-id', 'other');
    workspace.write('client-secret', 'key');
    const loaded = loadCredentials({ clientId: new Secret('id') }, { CREDENTIALS_DIRECTORY: workspace.directory });
    expect(revealed(loaded)).toEqual(['id', 'key']);
  });
});

describe('are refused', () => {
  const clientId = new Secret('canary-id');

  test('when there are none, saying how to give them', () => {
    const lines = problemLines(() => loadCredentials({}, {}));
    expect(lines).toHaveLength(2);
    for (const way of [
      'credentials.clientSecretFile',
      'LoadCredential=client-secret:',
      'FIGD_CREDENTIALS__CLIENT_SECRET',
    ]) {
      expect(lines[1]).toContain(way);
    }
    expect(lines[0]).toMatch(/^credentials\.clientId: is missing; give credentials\.clientIdFile, or/);
  });

  test('when $CREDENTIALS_DIRECTORY has none either', () => {
    const { directory } = new Workspace();
    const lines = problemLines(() => loadCredentials({ clientId }, { CREDENTIALS_DIRECTORY: directory }));
    expect(lines).toEqual([expect.stringContaining(`credentials.clientSecret: is missing, also in ${directory}; `)]);
  });

  test('when both the value and a file are given', () => {
    const settings = { clientId, clientSecret: new Secret('canary'), clientSecretFile: '/x', clientIdFile: '/y' };
    expect(problemLines(() => loadCredentials(settings, {}))).toEqual([
      'credentials.clientId: is set, and so is credentials.clientIdFile; keep one of the two',
      'credentials.clientSecret: is set, and so is credentials.clientSecretFile; keep one of the two',
    ]);
  });

  test.each([
    ['', 'is empty'],
    ['\n', 'is empty'],
    [' \n', 'is empty'],
    ['canary\ncanary\n', 'has more than one line'],
    ['canary\n\n', 'has more than one line'],
  ])('when the file has %j', (text, problem) => {
    const clientSecretFile = new Workspace().write('secret', text);
    expect(problemLines(() => loadCredentials({ clientId, clientSecretFile }, {}))).toEqual([
      `credentials.clientSecretFile: ${clientSecretFile} ${problem}; put the credential alone into it, on one line`,
    ]);
  });

  test('when the file is missing', () => {
    expect(problemLines(() => loadCredentials({ clientId, clientSecretFile: '/nonexistent/secret' }, {}))).toEqual([
      'credentials.clientSecretFile: /nonexistent/secret cannot be read (ENOENT); check that it exists and who may read it',
    ]);
  });

  test('when the file is a directory', () => {
    const workspace = new Workspace();
    const clientSecretFile = workspace.directory;
    expect(problemLines(() => loadCredentials({ clientId, clientSecretFile }, {}))).toEqual([
      `credentials.clientSecretFile: ${clientSecretFile} cannot be read (EISDIR); check that it exists and who may read it`,
    ]);
  });

  test.each([0o644, 0o604, 0o666])('when every user may open the file of the secret: mode %o', (mode) => {
    const clientSecretFile = new Workspace().write('secret', 'canary', mode);
    expect(problemLines(() => loadCredentials({ clientId, clientSecretFile }, {}))).toEqual([
      `credentials.clientSecretFile: ${clientSecretFile} has mode 0${mode.toString(8)}, with which every user of the host may open it; chmod 600 ${clientSecretFile}`,
    ]);
  });

  test('beside $CREDENTIALS_DIRECTORY the mode counts, too', () => {
    const workspace = new Workspace();
    const clientSecretFile = workspace.write('credentials-old/secret', 'canary', 0o644);
    const env = { CREDENTIALS_DIRECTORY: workspace.path('credentials') };
    expect(problemLines(() => loadCredentials({ clientId, clientSecretFile }, env))[0]).toContain('chmod 600');
  });
});

test('print without a value', () => {
  const loaded = loadCredentials({ clientId: new Secret('canary'), clientSecret: new Secret('canary') }, {});
  expect(inspect(loaded, { depth: null }) + JSON.stringify(loaded)).not.toContain('canary');
});
