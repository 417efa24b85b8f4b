import { EncodedError, isRecord } from '../protocol/json-rpc.ts';
import { memberBytes } from '../protocol/raw-json.ts';
import { onOneLine } from '../protocol/venue-frame.ts';
import { type Command, exitCode } from './command.ts';
import { durationArgument, jsonArgument } from './terminal/arguments.ts';
import { onControl } from './terminal/control.ts';
import { asExit, type DaemonOptions, daemonOptions } from './terminal/daemon-options.ts';
import { showBody } from './terminal/hide-secrets.ts';
import { notice, stdout } from './terminal/output.ts';
import { printable } from './terminal/style.ts';

interface CallOptions extends DaemonOptions {
  readonly method: string;
  readonly params: string | undefined;
  readonly timeout: string | undefined;
  readonly reveal: boolean;
  readonly json: boolean;
}

/** The daemon ends a call at its deadline by itself, and says so. */
const graceMs = 5_000;

/** `figd call METHOD [PARAMS]`: one JSON-RPC call to the venue over the daemon's own session. */
export const call: Command<CallOptions> = {
  command: 'call <method> [params]',
  describe: "Make one JSON-RPC call to the venue over the daemon's session",
  builder: (yargs) =>
    yargs
      .positional('method', { type: 'string', demandOption: true, describe: "Name of one of the venue's methods" })
      .positional('params', { type: 'string', describe: 'Parameters in JSON; @FILE reads a file, - reads stdin' })
      .options({
        ...daemonOptions,
        timeout: { type: 'string', requiresArg: true, describe: 'Wait so long, 5s; at most gateway.timeout' },
        reveal: { type: 'boolean', default: false, describe: 'Show secrets instead of hiding them' },
        json: { type: 'boolean', default: false, describe: 'In a terminal too, print the result as it came' },
      })
      .example('figd call heartbeat', "the venue's time")
      .example(`figd call v1/rfq/list '{"status":"open"}'`, 'a method with parameters')
      .example('figd call v1/rfq/create @rfq.json --timeout 5s', 'with parameters from a file')
      .epilogue(
        "Prints the venue's result. Exit code: 0, or 1 with the error on stderr: the venue's own, or why figd could not " +
          'make the call and whether it may have been executed all the same.',
      ),
  handler: async (options) => {
    const request = await requestOf(options);
    const deadlineMs = options.timeout === undefined ? null : timeoutOf(options.timeout) + graceMs;
    try {
      const result = await onControl(options, (client) => client.requestJson('call', request, deadlineMs));
      await stdout.write(`${shown(result, options, stdout.isTerminal && !options.json)}\n`);
    } catch (error) {
      if (!(error instanceof EncodedError) || isOurs(error)) throw asExit(error);
      process.exitCode = exitCode.failed;
      await notice(refusal(error, options));
    }
  },
};

/** The request's parameters, in which those of the call stand as they were given. */
async function requestOf({ method, params, timeout }: CallOptions): Promise<string> {
  const members = [`"method":${JSON.stringify(method)}`];
  if (params !== undefined) {
    // yargs makes nothing of a dash that stands alone.
    const given = params === '' && process.argv.includes('-') ? '-' : params;
    const json = Buffer.from(await jsonArgument('PARAMS', given));
    members.push(`"params":${Buffer.from(onOneLine(json)).toString('utf8')}`);
  }
  if (timeout !== undefined) members.push(`"timeoutMs":${timeoutOf(timeout)}`);
  return `{${members.join(',')}}`;
}

function timeoutOf(timeout: string): number {
  return durationArgument('--timeout', timeout);
}

/** Whether the error is figd's and not the venue's. */
function isOurs({ data }: EncodedError): boolean {
  return isRecord(data) && data['figd'] === true;
}

/** What the venue said, with all that it gave for it. */
function refusal({ code, message, json }: EncodedError, options: CallOptions): string {
  const data = memberBytes(Buffer.from(json), 'data')?.toString('utf8');
  const more = data === undefined ? '' : `\n${shown(data, options, true)}`;
  return `the venue refused it with error ${code}: ${printable(message)}${more}`;
}

function shown(json: string, { reveal }: CallOptions, pretty: boolean): string {
  return showBody(json, { reveal, pretty });
}
