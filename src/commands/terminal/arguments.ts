import { parseDuration, UnitError } from '../../config/units.ts';
import { isRecord } from '../../protocol/json-rpc.ts';
import { ExitError, exitCode } from '../command.ts';

/** Ends the command because of how it was called; the message begins with the option it is about. */
export function usageError(message: string): ExitError {
  return new ExitError(exitCode.usage, message);
}

/**
 * Milliseconds of an option's duration, `30s`.
 *
 * @throws {ExitError} for usage
 */
export function durationArgument(option: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof UnitError) throw usageError(`${option}: ${error.message}`);
    throw error;
  }
}

/**
 * A check for yargs, which makes a list of any option given twice: only those declared as lists may be.
 *
 * @throws {ExitError} for usage
 */
export function refuseRepeated(argv: Readonly<Record<string, unknown>>, options: unknown): true {
  const lists = isRecord(options) && Array.isArray(options['array']) ? options['array'] : [];
  for (const [name, value] of Object.entries(argv)) {
    if (Array.isArray(value) && name !== '_' && !lists.includes(name)) throw usageError(`--${name} is given twice`);
  }
  return true;
}
