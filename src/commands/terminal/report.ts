import { ExitError, exitCode } from '../command.ts';
import { notice } from './output.ts';

/** yargs could make no sense of the command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Says on stderr why the command failed, and sets the exit code. */
export async function report(error: unknown, args: readonly string[], commands: readonly string[]): Promise<void> {
  if (error instanceof ExitError) {
    process.exitCode = error.exitCode;
    await notice(error.message);
  } else if (error instanceof UsageError) {
    process.exitCode = exitCode.usage;
    const command = commands.find((name) => name === args[0]);
    await notice(`${usageProblem(error.message, args)}\nTry: figd ${command === undefined ? '' : `${command} `}--help`);
  } else {
    process.exitCode = exitCode.internal;
    await notice(`internal failure: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** yargs's advice on a mistyped command does not say what it is about. */
function usageProblem(message: string, args: readonly string[]): string {
  const isAdvice = message.startsWith('Did you mean') && args[0] !== undefined && !args[0].startsWith('-');
  return isAdvice ? `Unknown command: ${args[0]}. ${message}` : message;
}
