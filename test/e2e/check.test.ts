import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { StepOutcome } from '../../src/daemon/preflight/step.ts';
import { type Ended, figd } from '../support/figd.ts';
import { workspace } from './daemon.ts';
import { SimulatorProcess, venueConfig } from './support/simulator-process.ts';

/** For a host that has much else to do: each test starts several processes. */
const timeout = 60_000;

/** Runs `figd check` with a configuration as somebody new to it would write it. */
async function check(venue: object, ...options: readonly string[]): Promise<Ended & { readonly secretFile: string }> {
  await using place = await workspace();
  const secretFile = join(place.path, 'client-secret');
  const config = join(place.path, 'figd.yaml');
  await writeFile(secretFile, 'demo-secret\n', { mode: 0o600 });
  await writeFile(
    config,
    stringify({
      venue,
      credentials: { clientId: 'demo', clientSecretFile: secretFile },
      local: { directory: join(place.path, 'run') },
      journal: { directory: join(place.path, 'state') },
    }),
  );
  return { ...(await figd(['check', '--config', config, ...options])), secretFile };
}

test('figd check against figd simulate, in both dialects: each step on a line, and exit code 0', {
  timeout,
}, async () => {
  await using venue = await SimulatorProcess.start('--signature-encoding', 'hex', '--token-life', '300s');
  const quickstart = await check({ ...venueConfig('quickstart', venue.urls), sign: true });
  const platform = await check(venueConfig('platform', venue.urls));
  for (const { code, stdout, stderr, secretFile } of [quickstart, platform]) {
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(12);
    for (const line of lines) expect(line).toMatch(/^ok {7}\S.*/);
    expect(lines[1]).toBe(`ok       credentials      client id from the configuration, secret from ${secretFile}`);
  }
  expect(quickstart.stdout).toContain('profile quickstart, environment test, http://127.0.0.1:');
  expect(platform.stdout).toContain('granted for 300 s, with a refresh token');
  // It leaves nothing behind at the venue.
  const { openConnections, closedConnections } = await venue.stats();
  expect([openConnections, closedConnections.map(({ closeCode }) => closeCode)]).toEqual([[], [1000, 1000]]);
});

test('figd check explains below the step that failed, and exits with 1', { timeout }, async () => {
  await using venue = await SimulatorProcess.start('--signature-omit-prefix', '/v1');
  const config = venueConfig('platform', venue.urls);
  const advice = 'The venue accepts the call with venue.signature.omitPrefix: /v1.';
  const { code, stdout } = await check(config);
  expect(code).toBe(1);
  expect(stdout.split('\n').slice(7, 9)).toEqual([
    'FAILED   first REST call  GET /v1/account/exchange-credentials: HTTP 401, "Unauthorized: X-FIG-Signature does not match the request"',
    `${' '.repeat(26)}${advice}`,
  ]);
  const document = await check(config, '--json');
  const { ok, steps } = JSON.parse(document.stdout) as { readonly ok: boolean; readonly steps: StepOutcome[] };
  expect([document.code, ok, steps.length]).toEqual([1, false, 12]);
  expect(steps.filter(({ result }) => result !== 'ok')).toEqual([
    { step: 'first REST call', result: 'failed', detail: expect.any(String), advice },
  ]);
});
