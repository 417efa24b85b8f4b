import { AccessDeniedError, NoAnswerError, NotRunningError } from '../adapters/local-socket-errors.ts';
import { isRecord } from '../protocol/json-rpc.ts';
import type { ConsumersReport } from '../protocol/status.ts';
import { type Command, exitCode } from './command.ts';
import { consumersView } from './terminal/consumers-view.ts';
import { onControl } from './terminal/control.ts';
import { asExit, type DaemonOptions, daemonOptions } from './terminal/daemon-options.ts';
import { stdout } from './terminal/output.ts';
import { styleFor } from './terminal/style.ts';

interface ConsumersOptions extends DaemonOptions {
  readonly json: boolean;
}

/** `figd consumers`: who reads the events, and how far behind. */
export const consumers: Command<ConsumersOptions> = {
  command: 'consumers',
  describe: 'Show who reads the events, what, and how far behind',
  builder: (yargs) =>
    yargs
      .options({ ...daemonOptions, json: { type: 'boolean', default: false, describe: 'Print one JSON document' } })
      .example('figd consumers', 'a line for each program that has subscribed')
      .example("figd consumers --json | jq '.consumers[] | select(.behindMs > 5000)'", 'those more than 5 s behind')
      .epilogue(
        'How far behind is counted in events that it has not been given, whether it wants them or not, and as the age of ' +
          'the oldest of them. Exit code: 0, 1 no such answer, 2 not answering, 3 not running, 77 no permission to ask.',
      ),
  handler: async (options) => {
    const report = await ask(options);
    const style = styleFor(stdout.isTerminal, process.env);
    await stdout.write(
      options.json ? `${JSON.stringify(report, null, stdout.isTerminal ? 2 : 0)}\n` : consumersView(report, style),
    );
  },
};

function codeOf(error: unknown): number {
  if (error instanceof NotRunningError) return exitCode.notRunning;
  if (error instanceof NoAnswerError) return exitCode.down;
  return error instanceof AccessDeniedError ? exitCode.noPermission : exitCode.failed;
}

async function ask(options: DaemonOptions): Promise<ConsumersReport> {
  try {
    const report = await onControl(options, (client) => client.request('consumers'));
    if (!isRecord(report)) throw new TypeError('the daemon sent no report of its consumers');
    return report as unknown as ConsumersReport;
  } catch (error) {
    throw asExit(error, codeOf(error));
  }
}
