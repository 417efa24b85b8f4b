import { isSuccess } from '../adapters/http-failures.ts';
import { isRecord } from '../protocol/json-rpc.ts';
import { type Command, ExitError, exitCode } from './command.ts';
import { jsonArgument, UsageError } from './terminal/arguments.ts';
import { controlRequest } from './terminal/control.ts';
import { type DaemonOptions, daemonOptions } from './terminal/daemon-options.ts';
import { showBody } from './terminal/hide-secrets.ts';
import { notice, stdout } from './terminal/output.ts';

interface RestOptions extends DaemonOptions {
  readonly method: string;
  readonly path: string;
  readonly data: string | undefined;
  readonly reveal: boolean;
  readonly json: boolean;
}

/** `figd rest METHOD PATH`: one REST call to the venue, with the daemon's token and signature. */
export const rest: Command<RestOptions> = {
  command: 'rest <method> <path>',
  describe: 'Make one authenticated REST call to the venue through the daemon',
  builder: (yargs) =>
    yargs
      .positional('method', { type: 'string', demandOption: true, describe: 'GET, POST, PUT or DELETE' })
      .positional('path', { type: 'string', demandOption: true, describe: 'Path with its query, /v1/…' })
      .options({
        ...daemonOptions,
        data: { type: 'string', requiresArg: true, describe: 'Body in JSON; @FILE reads a file, - reads stdin' },
        reveal: { type: 'boolean', default: false, describe: 'Show secrets instead of hiding them' },
        json: {
          type: 'boolean',
          default: false,
          describe: 'In a terminal too, print the body as it came, but for secrets',
        },
      })
      .example('figd rest GET /v1/account/exchange-credentials', 'which exchange accounts the key may use')
      .example("figd rest GET '/v1/rfq?status=open&limit=10'", 'the open RFQs')
      .example('figd rest POST /v1/rfq --data @rfq.json', 'with a body from a file')
      .epilogue('Prints the body of the reply. Exit code: 0 for a status of 2xx, else 1, with the status on stderr.'),
  handler: async (options) => {
    const reply = await controlRequest(options, 'rest', await request(options), null);
    if (!isRecord(reply) || typeof reply['status'] !== 'number' || typeof reply['body'] !== 'string') {
      throw new ExitError(exitCode.failed, 'the daemon answered in a form this figd does not know');
    }
    const { status, body } = reply;
    const pretty = stdout.isTerminal && !options.json;
    const shown = showBody(body, { reveal: options.reveal, pretty });
    await stdout.write(pretty && shown !== '' && !shown.endsWith('\n') ? `${shown}\n` : shown);
    if (!isSuccess(status)) {
      process.exitCode = exitCode.failed;
      await notice(`the venue answered ${status}`);
    }
  },
};

async function request({ method, path, data }: RestOptions): Promise<object> {
  if (!/^[a-z]+$/i.test(method))
    throw new UsageError(`METHOD is GET, POST, PUT or DELETE, not ${JSON.stringify(method)}`);
  if (!path.startsWith('/'))
    throw new UsageError(`PATH begins with a slash, as in /v1/rfq; not ${JSON.stringify(path)}`);
  return {
    method: method.toUpperCase(),
    path,
    ...(data === undefined ? {} : { data: await jsonArgument('--data', data) }),
  };
}
