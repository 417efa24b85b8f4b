import type { SimulatorArguments } from '../simulator/arguments.ts';
import { type Command, ExitError, exitCode } from './command.ts';

/** `figd simulate`: the venue simulator alone, in the foreground. */
export const simulate: Command<SimulatorArguments> = {
  command: 'simulate',
  describe: 'Run a simulated venue, with faults on demand',
  builder: (yargs) =>
    yargs
      .option('port', { type: 'number', default: 7464, requiresArg: true, describe: 'TCP port; 0 takes any free one' })
      .option('host', {
        type: 'string',
        default: '127.0.0.1',
        requiresArg: true,
        describe: 'Loopback address to listen on',
      })
      .option('rate', { type: 'number', default: 5, requiresArg: true, describe: 'Market events per second' })
      .option('seed', {
        type: 'number',
        default: 1,
        requiresArg: true,
        describe: 'Seed of the market; the same seed tells the same story',
      })
      .option('token-life', {
        type: 'string',
        requiresArg: true,
        describe: 'Life of access tokens, such as 20s (1h from /v1/auth and 5m from OAuth2 without it)',
      })
      .option('refresh-token-life', {
        type: 'string',
        requiresArg: true,
        describe: 'Life of OAuth2 refresh tokens, such as 1m (30m without it)',
      })
      .option('in-place-refresh', {
        type: 'boolean',
        default: true,
        describe: 'Whether the method auth/refresh exists; --no-in-place-refresh: it does not',
      })
      .option('token-in-auth-reply', {
        type: 'boolean',
        default: false,
        describe: 'Answer auth with a new token, which then carries the session',
      })
      .option('max-sessions', {
        type: 'number',
        default: 4,
        requiresArg: true,
        describe: 'Authenticated sessions of the credential; one more is closed with 4429',
      })
      .option('http-limit', {
        type: 'number',
        default: 1000,
        requiresArg: true,
        describe: 'HTTP requests in any minute, token requests included; then 429',
      })
      .option('verify-signatures', {
        type: 'boolean',
        default: false,
        describe: 'Refuse REST calls without a correct X-FIG-Signature: hex, over the path with or without /v1',
      })
      .option('signature-encoding', {
        type: 'string',
        choices: ['hex', 'base64'],
        requiresArg: true,
        describe: 'Refuse REST calls whose signature is not correct in this encoding, over the whole path',
      })
      .option('signature-omit-prefix', {
        type: 'string',
        requiresArg: true,
        describe: 'Refuse REST calls whose signature is not correct over the path without this, such as /v1',
      })
      .option('roles', {
        type: 'string',
        default: 'trader',
        requiresArg: true,
        describe: 'Roles of the user, separated by commas; with "none", account endpoints answer 403',
      })
      .option('envelope', {
        type: 'string',
        choices: ['params', 'channel', 'method', 'subscription', 'result'],
        default: 'params',
        requiresArg: true,
        describe: 'Where notifications carry their channel',
      })
      .option('fault', {
        type: 'string',
        array: true,
        default: [] as string[],
        requiresArg: true,
        describe: 'A fault, KIND[@AFTER][+FOR][,key=value…]; may be repeated',
      })
      .option('sent-log', {
        type: 'string',
        requiresArg: true,
        describe: 'Write every event frame sent to this file, as NDJSON',
      })
      .option('client-id', { type: 'string', default: 'demo', requiresArg: true, describe: 'Client id to accept' })
      .option('client-secret-file', {
        type: 'string',
        requiresArg: true,
        describe: 'File with the client secret to accept ("demo-secret" without it)',
      })
      .example('$0 simulate --rate 50', 'A busy market on port 7464')
      .example('$0 simulate --token-life 20s --fault half-open@30s+15s', 'Short tokens, and a dead network after 30 s')
      .example(
        '$0 simulate --signature-encoding hex --token-life 20s --refresh-token-life 1m',
        'The platform dialect, in a hurry',
      )
      .example('$0 simulate --fault http-status@5s+10s,status=503,path=/v1/auth', 'No new tokens for ten seconds')
      .epilogue(
        'Faults can also be injected while it runs:\n' +
          '  curl -d \'{"kind":"drop"}\' http://127.0.0.1:7464/simulator/faults\n' +
          'All kinds and their parameters: docs/simulator.md.',
      ),
  handler: async (options) => {
    const { runSimulator } = await import('../simulator/foreground.ts');
    const { FaultError } = await import('../simulator/faults.ts');
    try {
      await runSimulator(options);
    } catch (error) {
      if (error instanceof FaultError) throw new ExitError(exitCode.usage, `--fault ${error.message}`);
      if (error instanceof RangeError) throw new ExitError(exitCode.usage, error.message);
      if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
        throw new ExitError(exitCode.failed, describeSystemError(error, error.code, options));
      }
      throw error;
    }
  },
};

function describeSystemError(
  error: Error,
  code: string,
  { host, port }: Pick<SimulatorArguments, 'host' | 'port'>,
): string {
  if (code === 'EADDRINUSE') {
    return `port ${port} on ${host} is in use; choose another with --port, or --port 0 for any free one`;
  }
  return error.message;
}
