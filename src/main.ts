#!/usr/bin/env node
import yargs from 'yargs';
import { check } from './commands/check.ts';
import { exitCode } from './commands/command.ts';
import { demo } from './commands/demo.ts';
import { outages } from './commands/outages.ts';
import { reconnect } from './commands/reconnect.ts';
import { refresh } from './commands/refresh.ts';
import { rest } from './commands/rest.ts';
import { rotate } from './commands/rotate.ts';
import { run } from './commands/run.ts';
import { simulate } from './commands/simulate.ts';
import { status } from './commands/status.ts';
import { tail } from './commands/tail.ts';
import { refuseRepeated, UsageError } from './commands/terminal/arguments.ts';
import { report } from './commands/terminal/report.ts';
import { wait } from './commands/wait.ts';
import { version } from './version.ts';

process.on('uncaughtException', (error) => {
  // A command with something to say about it, or to the log, has a listener of its own.
  if (process.listenerCount('uncaughtException') > 1) return;
  process.stderr.write(`figd: internal failure: ${error.stack}\n`);
  process.exit(exitCode.internal);
});

const args = process.argv.slice(2);

try {
  await yargs(args)
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
    .command(rest)
    .command(reconnect)
    .command(rotate)
    .command(refresh)
    .completion('completion', 'Print a completion script for bash or zsh')
    .example('figd status', 'what state it is in, and why')
    .example("figd tail 'rfq.*'", 'the RFQs as they come')
    .example('figd completion >> ~/.bashrc', 'complete commands and options with the tab key')
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
      throw error === undefined || error?.name === 'YError' ? new UsageError(message) : error;
    })
    .parseAsync();
} catch (error) {
  await report(error, args);
}
