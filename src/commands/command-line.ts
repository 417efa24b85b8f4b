import yargs from 'yargs';
import { version } from '../version.ts';
import { call } from './call.ts';
import { check } from './check.ts';
import { type Command, exitCode } from './command.ts';
import { consumers } from './consumers.ts';
import { demo } from './demo.ts';
import { outages } from './outages.ts';
import { reconnect } from './reconnect.ts';
import { refresh } from './refresh.ts';
import { reload } from './reload.ts';
import { rest } from './rest.ts';
import { rotate } from './rotate.ts';
import { run } from './run.ts';
import { simulate } from './simulate.ts';
import { status } from './status.ts';
import { tail } from './tail.ts';
import { refuseRepeated, UsageError } from './terminal/arguments.ts';
import { report } from './terminal/report.ts';
import { wait } from './wait.ts';

process.on('uncaughtException', (error) => {
  // A command with something to say about it, or to the log, has a listener of its own.
  if (process.listenerCount('uncaughtException') > 1) return;
  process.stderr.write(`figd: internal failure: ${error.stack}\n`);
  process.exit(exitCode.internal);
});

/** Runs the command that the arguments name; what goes wrong is told on standard error and in the exit code. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  try {
    await commandLine(args).parseAsync();
  } catch (error) {
    await report(error, args);
  }
}

const completionExample = ['figd completion >> ~/.bashrc', 'complete commands and options with the tab key'] as const;

/** In the place of yargs's own, which prints the script whatever is asked. */
const completion: Command<object> = {
  command: 'completion',
  describe: 'Print a completion script for bash, zsh or fish, by $SHELL',
  builder: (yargs) => yargs.example(...completionExample),
  handler: () => undefined,
};

/** The command line: its commands, and what each of them takes. */
export function commandLine(args: readonly string[]) {
  const told = yargs([...args])
    .scriptName('figd')
    .usage('$0 COMMAND [options]\n\nOne authenticated Fig Markets session per host, shared on a local Unix socket.')
    .command(run)
    .command(demo)
    .command(check)
    .command(simulate)
    .command(status)
    .command(wait)
    .command(tail)
    .command(outages)
    .command(call)
    .command(consumers)
    .command(rest)
    .command(reload)
    .command(reconnect)
    .command(rotate)
    .command(refresh)
    .example('figd status', 'what state it is in, and why')
    .example("figd tail 'rfq.*'", 'the RFQs as they come')
    .example(...completionExample)
    .epilogue('figd COMMAND --help says more about a command.')
    .version(version)
    .locale('en')
    .parserConfiguration({ 'dot-notation': false, 'camel-case-expansion': false, 'parse-positional-numbers': false })
    .check(refuseRepeated)
    .strict()
    .strictCommands()
    .demandCommand(1, 'Name a command.')
    .recommendCommands()
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    });
  return args.includes('--help') ? told.command(completion) : told.completion('completion', completion.describe);
}
