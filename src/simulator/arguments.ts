import { readFile } from 'node:fs/promises';
import { parseDuration, UnitError } from '../config/units.ts';
import { isLoopback } from '../protocol/loopback.ts';
import { parseFaultSpec } from './fault-spec.ts';
import type { Fault } from './faults.ts';
import { type EnvelopeStyle, envelopeStyles } from './frames.ts';
import { defaultOptions } from './options.ts';
import type { SignatureRule } from './rest-signature.ts';
import type { SimulatorOptions } from './server.ts';

/** What the command line says, by the names that options have there. Durations are written like `20s`. */
export interface SimulatorArguments {
  readonly port: number;
  readonly host: string;
  readonly rate: number;
  readonly seed: number;
  readonly 'token-life': string | undefined;
  readonly 'refresh-token-life': string | undefined;
  readonly 'http-limit': number;
  readonly 'in-place-refresh': boolean;
  readonly 'token-in-auth-reply': boolean;
  readonly 'max-sessions': number;
  readonly 'verify-signatures': boolean;
  readonly 'signature-encoding': string | undefined;
  readonly 'signature-omit-prefix': string | undefined;
  /** Separated by commas. */
  readonly roles: string;
  readonly envelope: string;
  /** In the syntax of `fault-spec.ts`. */
  readonly fault: readonly string[];
  readonly 'sent-log': string | undefined;
  readonly 'client-id': string;
  readonly 'client-secret-file': string | undefined;
}

/**
 * The options of the simulator, and the faults to begin with. Throws `FaultError` or `RangeError` for what cannot be,
 * and Node's own errors for a file that cannot be read.
 */
export async function readArguments(
  args: SimulatorArguments,
): Promise<{ readonly options: SimulatorOptions; readonly faults: readonly Fault[] }> {
  const { port, host, rate, seed, envelope, roles } = args;
  if (!isLoopback(host)) {
    throw new RangeError(`--host ${host}: the simulator listens on loopback addresses only, such as 127.0.0.1`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError('--port must be a whole number from 0 to 65535');
  }
  if (!(rate >= 0 && rate <= 100_000)) throw new RangeError('--rate must be a number from 0 to 100000');
  if (!Number.isSafeInteger(seed)) throw new RangeError('--seed must be a whole number');
  if (!isEnvelopeStyle(envelope)) throw new RangeError(`--envelope must be one of ${envelopeStyles.join(', ')}`);
  const signature = readSignature(args);
  return {
    options: {
      host,
      port,
      rate,
      seed,
      envelope,
      tokenLife: readLife('token-life', args['token-life']),
      refreshTokenLife: readLife('refresh-token-life', args['refresh-token-life']) ?? defaultOptions.refreshTokenLife,
      httpLimit: readCount('http-limit', args['http-limit']),
      maxSessions: readCount('max-sessions', args['max-sessions']),
      inPlaceRefresh: args['in-place-refresh'],
      tokenInAuthReply: args['token-in-auth-reply'],
      verifySignatures: args['verify-signatures'] || signature !== 'either',
      signature,
      roles: roles.split(',').filter((role) => role !== ''),
      clientId: args['client-id'],
      clientSecret: await readSecret(args['client-secret-file']),
      ...(args['sent-log'] === undefined ? {} : { sentLog: args['sent-log'] }),
    },
    faults: args.fault.map(parseFaultSpec),
  };
}

/** What is not asked for is not demanded; of one of the two, the other is what the documentation says. */
function readSignature(args: SimulatorArguments): SignatureRule {
  const { 'signature-encoding': encoding, 'signature-omit-prefix': omitPrefix } = args;
  if (encoding === undefined && omitPrefix === undefined) return 'either';
  if (encoding !== undefined && encoding !== 'hex' && encoding !== 'base64') {
    throw new RangeError('--signature-encoding must be hex or base64');
  }
  if (omitPrefix !== undefined && !/^(?:\/[^\s/?#]+)+$/.test(omitPrefix)) {
    throw new RangeError('--signature-omit-prefix must begin with a slash and not end in one, such as /v1');
  }
  return { encoding: encoding ?? 'hex', omitPrefix };
}

function readLife(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    const life = parseDuration(text);
    if (life > 0) return life;
  } catch (error) {
    if (error instanceof UnitError) throw new RangeError(`--${option}: ${error.message}`, { cause: error });
    throw error;
  }
  throw new RangeError(`--${option} must be longer than 0`);
}

function readCount(option: string, count: number): number {
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new RangeError(`--${option} must be a whole number from 1 up`);
}

async function readSecret(file: string | undefined): Promise<string> {
  if (file === undefined) return defaultOptions.clientSecret;
  const secret = (await readFile(file, 'utf8')).trim();
  if (secret === '') throw new RangeError(`--client-secret-file ${file}: the file is empty`);
  return secret;
}

function isEnvelopeStyle(name: string): name is EnvelopeStyle {
  return (envelopeStyles as readonly string[]).includes(name);
}
