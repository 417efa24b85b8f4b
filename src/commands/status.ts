import { AccessDeniedError } from '../adapters/local-socket-errors.ts';
import type { DiagnosisDocument } from '../protocol/diagnosis.ts';
import { RpcError } from '../protocol/json-rpc.ts';
import { controlSocketName, eventsSocketName } from '../protocol/local.ts';
import type { OverallState } from '../protocol/status.ts';
import { type Command, exitCode } from './command.ts';
import { UsageError } from './terminal/arguments.ts';
import { askStatus, type StatusAnswer } from './terminal/ask-status.ts';
import { asExit, type DaemonOptions, daemonOptions, localDirectory } from './terminal/daemon-options.ts';
import { interrupted } from './terminal/interrupt.ts';
import { stdout } from './terminal/output.ts';
import { pause } from './terminal/pause.ts';
import { headline, statusView } from './terminal/status-view.ts';
import { plain, type Style, styleFor } from './terminal/style.ts';

interface StatusOptions extends DaemonOptions {
  readonly json: boolean;
  readonly watch: boolean;
  readonly debug: boolean;
}

/** `figd status`: what state the daemon is in, since when, and why. */
export const status: Command<StatusOptions> = {
  command: 'status',
  describe: 'Show what state the daemon is in, since when, and why',
  builder: (yargs) =>
    yargs
      .options({
        ...daemonOptions,
        json: { type: 'boolean', default: false, describe: 'Print the status document' },
        watch: { type: 'boolean', default: false, describe: 'Again every second, until interrupted' },
        debug: {
          type: 'boolean',
          default: false,
          describe:
            'Everything an engineer may want to know of a daemon that misbehaves, without a secret; its owner may ask',
        },
      })
      .example('figd status', 'one line that says it all, and what stands behind it')
      .example('figd status --json | jq .reason', 'why it is not live')
      .example('figd status --debug > figd.dump', 'to send along with a bug report')
      .check(({ watch, debug }) => {
        if (watch && debug) throw new UsageError('--debug is asked once: leave out --watch');
        return true;
      })
      .epilogue(
        'Exit code: 0 live, 1 degraded, 2 down or blocked, 3 not running, 77 no permission to ask, 78 a configuration that cannot be read.',
      ),
  handler: async (options) => {
    const directory = await localDirectory(options);
    try {
      if (options.debug) await debug(directory, options);
      else if (options.watch) await watch(directory, options);
      else await show(directory, options, await ask(directory));
    } catch (error) {
      throw asExit(error, codeOf(error));
    }
  },
};

/** Of one that could not be asked nothing is known: that it is degraded would be a guess. */
function codeOf(error: unknown): number {
  if (error instanceof RpcError) return exitCode.failed;
  return error instanceof AccessDeniedError ? exitCode.noPermission : exitCode.down;
}

const exitCodes: Readonly<Record<OverallState | 'not running' | 'not answering', number>> = {
  live: exitCode.ok,
  degraded: exitCode.failed,
  down: exitCode.down,
  blocked: exitCode.down,
  'not running': exitCode.notRunning,
  'not answering': exitCode.down,
};

const watchIntervalMs = 1_000;

async function show(directory: string, options: StatusOptions, answer: StatusAnswer): Promise<void> {
  const style = styleFor(stdout.isTerminal, process.env);
  await stdout.write(
    options.json ? asJson(directory, answer, stdout.isTerminal ? 2 : 0) : view(directory, answer, style),
  );
}

async function debug(directory: string, options: StatusOptions): Promise<void> {
  const answer = await askStatus<DiagnosisDocument>([`${directory}/${controlSocketName}`], 'debug');
  setExitCode(answer.kind === 'document' ? answer.document.status.state : answer.kind);
  if (answer.kind !== 'document') return show(directory, options, answer);
  const { document } = answer;
  const { diagnosisView } = await import('./terminal/diagnosis-view.ts');
  await stdout.write(
    options.json ? `${JSON.stringify(document, null, stdout.isTerminal ? 2 : 0)}\n` : diagnosisView(document),
  );
}

async function watch(directory: string, options: StatusOptions): Promise<void> {
  const end = AbortSignal.any([interrupted(), stdout.gone]);
  const screen = stdout.isTerminal && !options.json;
  const style = styleFor(stdout.isTerminal, process.env);
  if (screen) await stdout.write(enterScreen);
  try {
    while (!end.aborted) {
      const answer = await ask(directory);
      if (options.json) await stdout.write(asJson(directory, answer, 0));
      else if (screen)
        await stdout.write(home + view(directory, answer, style).replaceAll('\n', eraseLine) + eraseBelow);
      else await stdout.write(`${firstLine(directory, answer, plain)}\n`);
      await pause(watchIntervalMs, end);
    }
  } finally {
    if (screen) await stdout.write(leaveScreen);
  }
}

// ECMA-48 control sequences and xterm's alternate screen, so that what the terminal showed before comes back.
const enterScreen = '\x1b[?1049h\x1b[?25l';
const leaveScreen = '\x1b[?25h\x1b[?1049l';
const home = '\x1b[H';
const eraseLine = '\x1b[K\n';
const eraseBelow = '\x1b[J';

/** Asks, and sets the exit code to what the answer means: with `--watch`, the last one counts. */
async function ask(directory: string): Promise<StatusAnswer> {
  const answer = await askStatus([`${directory}/${eventsSocketName}`, `${directory}/${controlSocketName}`]);
  setExitCode(answer.kind === 'document' ? answer.document.state : answer.kind);
  return answer;
}

function setExitCode(told: keyof typeof exitCodes): void {
  process.exitCode = exitCodes[told];
}

function view(directory: string, answer: StatusAnswer, style: Style): string {
  if (answer.kind === 'document') return statusView(answer.document, Date.now(), style);
  return `${firstLine(directory, answer, style)}\n`;
}

function firstLine(directory: string, answer: StatusAnswer, style: Style): string {
  switch (answer.kind) {
    case 'document':
      return headline(answer.document, Date.now(), style);
    case 'not running':
      return `${style.bad('not running')}: no daemon at ${directory}/${eventsSocketName}; start it with figd run`;
    case 'not answering':
      return `${style.bad('not answering')}: the daemon (pid unknown) accepts connections but does not answer`;
  }
}

function asJson(directory: string, answer: StatusAnswer, indent: number): string {
  const document = answer.kind === 'document' ? answer.document : { state: answer.kind, directory };
  return `${JSON.stringify(document, null, indent)}\n`;
}
