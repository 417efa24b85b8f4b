import { describeActivity } from './activity.ts';
import { readArguments, type SimulatorArguments } from './arguments.ts';
import { faultKinds } from './faults.ts';
import { defaultOptions, type VenueOptions } from './options.ts';
import type { Activity } from './ports.ts';
import { type Simulator, startSimulator } from './server.ts';

/**
 * Runs the simulator until SIGINT or SIGTERM, telling on stdout what happens: in words in a terminal, as NDJSON when
 * piped. Throws as `readArguments` does for arguments that cannot be, and Node's own errors for a port that cannot be
 * had.
 */
export async function runSimulator(args: SimulatorArguments): Promise<void> {
  const { options, faults } = await readArguments(args);
  const inTerminal = process.stdout.isTTY === true;
  const simulator = await startSimulator({
    ...options,
    onActivity: (activity) => print(inTerminal ? humanLine(activity) : jsonLine(activity)),
  });
  const stopped = untilStopped();
  print(inTerminal ? banner(simulator, args['client-secret-file']) : listening(simulator));
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
function banner(simulator: Simulator, secretFile: string | undefined): string {
  const { restUrl, oauth2TokenUrl, platformSocketUrl } = simulator;
  const { options } = simulator.venue;
  const secret =
    secretFile === undefined ? `clientSecret: ${defaultOptions.clientSecret}` : `clientSecretFile: ${secretFile}`;
  return `Simulated venue: ${options.rate} events/s, seed ${options.seed}. Ctrl-C stops it.

Point figd at it, in the configuration file:

  venue:
    restUrl: ${restUrl}${keys(options.verifySignatures ? { sign: 'true', ...signatureKeys(options) } : {})}
  credentials: { clientId: "${options.clientId}", ${secret} }

The platform dialect is at the same port:

  venue:
    profile: platform
    restUrl: ${restUrl}
    tokenUrl: ${oauth2TokenUrl}
    socketUrl: ${platformSocketUrl}${keys(signatureKeys(options))}

Inject faults, list them, clear them, read the counters:

  curl -d '{"kind":"half-open","forMs":15000}' ${restUrl}/simulator/faults
  curl ${restUrl}/simulator/faults
  curl -X DELETE ${restUrl}/simulator/faults
  curl ${restUrl}/simulator/stats

Kinds of fault: ${faultKinds.join(', ')}
`;
}

/** What figd has to be told of a signature that is not the one it makes without being told. */
function signatureKeys({ signature }: VenueOptions): Readonly<Record<string, string>> {
  if (signature === 'either') return {};
  const { encoding, omitPrefix } = signature;
  const entries = [
    ...(encoding === 'hex' ? [] : [`encoding: ${encoding}`]),
    ...(omitPrefix === undefined ? [] : [`omitPrefix: ${omitPrefix}`]),
  ];
  return entries.length === 0 ? {} : { signature: `{ ${entries.join(', ')} }` };
}

/** More keys of the block venue. */
function keys(entries: Readonly<Record<string, string>>): string {
  return Object.entries(entries)
    .map(([key, value]) => `\n    ${key}: ${value}`)
    .join('');
}

/** Resolves on SIGINT, on SIGTERM, and when nobody reads the output any more. A second signal kills, as usual. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    process.stdout.on('error', () => resolve());
  });
}
