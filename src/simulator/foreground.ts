import { readFile } from 'node:fs/promises';
import { parseDuration } from '../config/units.ts';
import { describeActivity } from './activity.ts';
import { parseFaultSpec } from './fault-spec.ts';
import { faultKinds } from './faults.ts';
import { type EnvelopeStyle, envelopeStyles } from './frames.ts';
import { defaultOptions } from './options.ts';
import type { Activity } from './ports.ts';
import { type Simulator, startSimulator } from './server.ts';

/** What the command line asks for. */
export interface ForegroundOptions {
  readonly port: number;
  readonly host: string;
  readonly rate: number;
  readonly seed: number;
  /** A duration such as `20s`. */
  readonly tokenLife: string | undefined;
  readonly envelope: string;
  /** In the syntax of `fault-spec.ts`. */
  readonly fault: readonly string[];
  readonly sentLog: string | undefined;
  readonly clientId: string;
  readonly clientSecretFile: string | undefined;
}

/**
 * Runs the simulator until SIGINT or SIGTERM, telling on stdout what happens: in words in a terminal, as NDJSON when
 * piped. Throws `FaultError`, `UnitError` or `RangeError` for options that cannot be, and Node's own errors for a port
 * or a file that cannot be had.
 */
export async function runSimulator(options: ForegroundOptions): Promise<void> {
  const { host, port, rate, seed, envelope, clientId, sentLog } = options;
  if (!isLoopback(host)) {
    throw new RangeError(`--host ${host}: the simulator listens on loopback addresses only, such as 127.0.0.1`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError('--port must be a whole number from 0 to 65535');
  }
  if (!(rate >= 0 && rate <= 100_000)) throw new RangeError('--rate must be a number from 0 to 100000');
  if (!Number.isSafeInteger(seed)) throw new RangeError('--seed must be a whole number');
  if (!isEnvelopeStyle(envelope)) throw new RangeError(`--envelope must be one of ${envelopeStyles.join(', ')}`);
  const tokenLife = options.tokenLife === undefined ? undefined : parseDuration(options.tokenLife);
  if (tokenLife === 0) throw new RangeError('--token-life must be longer than 0');
  const faults = options.fault.map(parseFaultSpec);
  const clientSecret =
    options.clientSecretFile === undefined
      ? defaultOptions.clientSecret
      : (await readFile(options.clientSecretFile, 'utf8')).trim();
  if (clientSecret === '') throw new RangeError(`--client-secret-file ${options.clientSecretFile}: the file is empty`);

  const inTerminal = process.stdout.isTTY === true;
  const simulator = await startSimulator({
    host,
    port,
    rate,
    seed,
    envelope,
    tokenLife,
    clientId,
    clientSecret,
    ...(sentLog === undefined ? {} : { sentLog }),
    onActivity: (activity) => print(inTerminal ? humanLine(activity) : jsonLine(activity)),
  });
  const stopped = untilStopped();
  print(inTerminal ? banner(simulator, options) : listening(simulator));
  for (const fault of faults) simulator.venue.inject(fault);
  await stopped;
  await simulator.close();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function humanLine(activity: Activity): string {
  return `${new Date().toISOString().slice(11, 23)}  ${describeActivity(activity)}`;
}

function jsonLine(activity: Activity): string {
  return JSON.stringify({ at: Date.now(), ...activity });
}

function listening({ port, restUrl, tokenUrl, oauth2TokenUrl, socketUrl, platformSocketUrl }: Simulator): string {
  const urls = { restUrl, tokenUrl, oauth2TokenUrl, socketUrl, platformSocketUrl };
  return JSON.stringify({ event: 'listening', port, ...urls });
}

/** What somebody needs who has just started it. The default secret is public; one from a file is not shown. */
function banner(simulator: Simulator, { clientId, clientSecretFile, rate, seed }: ForegroundOptions): string {
  const { restUrl, tokenUrl, oauth2TokenUrl, socketUrl, platformSocketUrl } = simulator;
  const secret =
    clientSecretFile === undefined
      ? `clientSecret: ${defaultOptions.clientSecret}`
      : `clientSecretFile: ${clientSecretFile}`;
  return `Simulated venue: ${rate} events/s, seed ${seed}. Ctrl-C stops it.

Point figd at it, in the configuration file:

  venue: { restUrl: "${restUrl}", tokenUrl: "${tokenUrl}", socketUrl: "${socketUrl}" }
  credentials: { clientId: "${clientId}", ${secret} }

The platform dialect is at the same port:

  venue: { profile: platform, restUrl: "${restUrl}", tokenUrl: "${oauth2TokenUrl}", socketUrl: "${platformSocketUrl}" }

Inject faults, list them, clear them, read the counters:

  curl -d '{"kind":"half-open","forMs":15000}' ${restUrl}/simulator/faults
  curl ${restUrl}/simulator/faults
  curl -X DELETE ${restUrl}/simulator/faults
  curl ${restUrl}/simulator/stats

Kinds of fault: ${faultKinds.join(', ')}
`;
}

/** Resolves on SIGINT, on SIGTERM, and when nobody reads the output any more. A second signal kills, as usual. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    process.stdout.on('error', () => resolve());
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function isEnvelopeStyle(name: string): name is EnvelopeStyle {
  return (envelopeStyles as readonly string[]).includes(name);
}
