import { type Command, ExitError, exitCode } from './command.ts';

interface SimulateOptions {
  port: number;
  host: string;
  rate: number;
  seed: number;
  'token-life': string | undefined;
  envelope: string;
  fault: string[];
  'sent-log': string | undefined;
  'client-id': string;
  'client-secret-file': string | undefined;
}

/** `figd simulate`: the venue simulator alone, in the foreground. */
export const simulate: Command<SimulateOptions> = {
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
      .example('$0 simulate --fault http-status@5s+10s,status=503,path=/v1/auth', 'No new tokens for ten seconds')
      .epilogue(
        'Faults can also be injected while it runs:\n' +
          '  curl -d \'{"kind":"drop"}\' http://127.0.0.1:7464/simulator/faults\n' +
          'All kinds and their parameters: docs/simulator.md.',
      ),
  handler: async (options) => {
    const { runSimulator } = await import('../simulator/foreground.ts');
    const { FaultError } = await import('../simulator/faults.ts');
    const { UnitError } = await import('../config/units.ts');
    try {
      // Long options keep their names: the parser expands none to camel case.
      await runSimulator({
        ...options,
        tokenLife: options['token-life'],
        sentLog: options['sent-log'],
        clientId: options['client-id'],
        clientSecretFile: options['client-secret-file'],
      });
    } catch (error) {
      if (error instanceof FaultError) throw new ExitError(exitCode.usage, `--fault ${error.message}`);
      if (error instanceof UnitError) throw new ExitError(exitCode.usage, `--token-life: ${error.message}`);
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
  { host, port }: Pick<SimulateOptions, 'host' | 'port'>,
): string {
  if (code === 'EADDRINUSE') {
    return `port ${port} on ${host} is in use; choose another with --port, or --port 0 for any free one`;
  }
  return error.message;
}
