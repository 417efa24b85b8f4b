import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadCredentials } from '../../src/config/credentials.ts';
import { ConfigurationError, loadSettings } from '../../src/config/load.ts';
import { configurationErrorOf, Workspace } from './workspace.ts';

// A credential must not get into an error, wherever in the file somebody has put it and however broken the file is.

const canary = 'c4nary';

function expectNoCanary(error: Error): void {
  expect(
    `${error.message}\n${error.stack}\n${inspect(error, { depth: null })}\n${JSON.stringify(error)}`,
  ).not.toContain(canary);
}

describe('no credential appears in the error', () => {
  test('of a configuration with errors everywhere', () => {
    const workspace = new Workspace();
    const yaml = [
      'venue:',
      `  restUrl: https://trader:${canary}@api.example`,
      `  tokenUrl: ${canary}:${canary}@api.example`,
      `  socketUrl: ftp://${canary}@api.example`,
      'credentials:',
      `  clientId: [${canary}]`,
      `  clientSecret: { ${canary}: ${canary} }`,
      `  clientSecretFile: ["${canary}"]`,
      `  clientIdFile: ~`,
      `  clientSecrt: ${canary}`,
      `  ${canary}: ${canary}`,
      `clientSecret: ${canary}`,
      'session: { heartbeatInterval: 40s, renewal: rotation }',
      'log: { level: loud }',
    ].join('\n');
    const file = workspace.write('figd.yaml', yaml, 0o644);
    const env = { FIGD_CLIENT_SECRET: canary, FIGD_CREDENTIALS: canary, FIGD_CREDENTIALS__SECRET: canary };
    const flags = { 'credentials.client-secret': canary, 'credentials.secret': canary };
    const error = configurationErrorOf(() => loadSettings({ file, env, flags }));
    expectNoCanary(error);
    expect(error.problems.length).toBeGreaterThan(15);
  });

  test.each([
    `credentials: ${canary}`,
    `credentials: [${canary}]`,
    `credentials: {${canary}}`,
    `credentials: {clientSecret:${canary}}`,
    `credentials:\n  clientId: x\n  clientSecret:${canary}`,
    `credentials:\n  clientSecret: @${canary}`,
    `credentials:\n  clientSecret: !${canary}`,
    `credentials:\n  clientSecret: *${canary}`,
    `credentials:\n  clientSecret: &${canary}`,
    `credentials:\n  clientSecret: %${canary}`,
    `credentials:\n  clientSecret: \`${canary}`,
    `credentials:\n  clientSecret: "${canary}`,
    `credentials:\n  clientSecret: '${canary}'${canary}`,
    `credentials:\n  clientSecret: "\\q${canary}"`,
    `credentials:\n  clientSecret: ${canary}: ${canary}`,
    `credentials:\n  clientSecret: >${canary}`,
    `credentials:\n  ? [${canary}]\n  : 1`,
    `credentials:\n  ? {${canary}: 1}\n  : 1`,
    `%${canary}`,
    canary,
    `- ${canary}`,
  ])('of the file %j', (yaml) => {
    expectNoCanary(configurationErrorOf(() => new Workspace().load(yaml)));
  });

  test.each([`${canary}\n${canary}\n`, `${canary}\n\n`])('of a credential file with %j', (text) => {
    const clientSecretFile = new Workspace().write('secret', text);
    expectNoCanary(configurationErrorOf(() => loadCredentials({ clientSecretFile }, {})));
  });

  test('of any text around the credential', () => {
    const workspace = new Workspace();
    const charactersOfSyntax = [...':-?{}[],&*!|>\'"%@`# \t\\ax1'];
    // No line break before it: that would make it a key of another block, and unknown keys are named.
    const before = fc.string({ unit: fc.constantFrom(...charactersOfSyntax), maxLength: 12 });
    const after = fc.string({ unit: fc.constantFrom('\n', ...charactersOfSyntax), maxLength: 12 });
    fc.assert(
      fc.property(before, after, (prefix, suffix) => {
        try {
          workspace.load(`credentials:\n  clientId: x\n  clientSecret: ${prefix}${canary}${suffix}\n`);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
          expectNoCanary(error as ConfigurationError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
