import { ExitError, exitCode } from '../command.ts';
import { UsageError } from './arguments.ts';
import { notice } from './output.ts';

/** Says on stderr why the command failed, and sets the exit code. */
export async function report(error: unknown, args: readonly string[]): Promise<void> {
  if (error instanceof ExitError) {
    process.exitCode = error.exitCode;
    await notice(error.message);
  } else if (isUsage(error)) {
    process.exitCode = exitCode.usage;
    await notice(explain(error.message, args[0]));
  } else {
    process.exitCode = exitCode.internal;
    await notice(`internal failure: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** What figd finds wrong with the arguments, or what yargs does. */
function isUsage(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'YError');
}

/** What is wrong, and which help to read. `word` stands where the command should. */
function explain(message: string, word = ''): string {
  const mainHelp = 'Try: figd --help';
  // yargs's advice on a mistyped command does not say what it is about.
  if (message.startsWith('Did you mean')) return `Unknown command: ${word}. ${message}\n${mainHelp}`;
  const noCommand = word === '' || word.startsWith('-') || message === `Unknown command: ${word}`;
  return `${message}\n${noCommand ? mainHelp : `Try: figd ${word} --help`}`;
}
