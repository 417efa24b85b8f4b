import { eventsSocketName } from '../protocol/local.ts';
import { type OverallState, overallStates } from '../protocol/status.ts';
import { type Command, ExitError, exitCode } from './command.ts';
import { durationArgument } from './terminal/arguments.ts';
import { askStatus } from './terminal/ask-status.ts';
import { asExit, type DaemonOptions, daemonOptions, localDirectory } from './terminal/daemon-options.ts';
import { interrupted } from './terminal/interrupt.ts';
import { stdout } from './terminal/output.ts';
import { headline } from './terminal/status-view.ts';
import { formatSpan, plain } from './terminal/style.ts';
import { waitForState } from './terminal/wait-for-state.ts';

interface WaitOptions extends DaemonOptions {
  readonly for: OverallState;
  readonly timeout: string;
}

/** `figd wait`: blocks until the daemon is live, or in another state. */
export const wait: Command<WaitOptions> = {
  command: 'wait',
  describe: 'Wait until the daemon reaches a state, also for one that is not running yet',
  builder: (yargs) =>
    yargs
      .options({
        ...daemonOptions,
        for: { choices: overallStates, default: 'live' as OverallState, describe: 'The state to wait for' },
        timeout: { type: 'string', default: '30s', requiresArg: true, describe: 'When to give up' },
      })
      .example('figd wait && start-trading', 'begin once there is a session')
      .example('figd wait --for down --timeout 5m', 'notice when it breaks')
      .epilogue('Exit code: 0 when the state is reached; 1 at the time-out, with the state it is in instead and why.'),
  handler: async (options) => {
    const timeoutMs = durationArgument('--timeout', options.timeout);
    const path = `${await localDirectory(options)}/${eventsSocketName}`;
    const start = performance.now();
    const end = AbortSignal.any([interrupted(), timer(timeoutMs)]);
    try {
      if (!(await waitForState(path, options.for, end))) {
        const span = formatSpan(performance.now() - start);
        throw new ExitError(exitCode.failed, `not ${options.for} after ${span}: ${await instead(path)}`);
      }
    } catch (error) {
      throw asExit(error);
    }
    await stdout.write(`${options.for} after ${formatSpan(performance.now() - start)}\n`);
  },
};

/** Longest delay of a timer, 2³¹−1 ms; `--timeout 30d` waits for those 24.8 days. */
const longestDelayMs = 2_147_483_647;

function timer(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.min(ms, longestDelayMs));
}

/** What state it is in, and why. */
async function instead(path: string): Promise<string> {
  const answer = await askStatus([path]);
  switch (answer.kind) {
    case 'document':
      return headline(answer.document, Date.now(), plain);
    case 'not running':
      return `no daemon runs at ${path}`;
    case 'not answering':
      return 'the daemon accepts connections but does not answer';
  }
}
