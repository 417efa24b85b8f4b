import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { systemClock } from '../../../../src/adapters/system-clock.ts';
import { loadSettings } from '../../../../src/config/load.ts';
import type { StepOutcome } from '../../../../src/daemon/preflight/step.ts';
import { preflight } from '../../../../src/daemon/preflight.ts';
import type { Simulator, SimulatorOptions } from '../../../../src/simulator/server.ts';
import { clientId, clientSecret, quietVenue, scriptedServer, vaultWith } from '../../../adapters/support/venue.ts';

export const firstCall = '/v1/account/exchange-credentials';
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
  readonly proxy?: string;
}

/** Walks all steps against a venue. @param venue the block `venue` of the configuration */
export async function check(
  venue: object,
  { secret = clientSecret, clockError = 0, proxy = 'off' }: Checking = {},
): Promise<Checked> {
  const directory = mkdtempSync(join(tmpdir(), 'figd-preflight-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const flags = flagsOf({
    venue,
    network: { proxy },
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

/** The simulated venue, closed when the test is over. */
export async function venueWith(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await quietVenue(options);
  onTestFinished(() => simulator.close());
  return simulator;
}

/** A venue that wants signatures. */
export const strict = { verifySignatures: true, signature: { encoding: 'hex' } } as const;

/** A server that says the same to everybody. */
export function answering(status: number, body: unknown, headers: Record<string, string> = {}) {
  return scriptedServer((response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  });
}
