import { parseDuration, UnitError } from '../../config/units.ts';
import { isRecord } from '../../protocol/json-rpc.ts';
import { messageOf } from '../../protocol/text.ts';

/** The command was called in a way that makes no sense; the message begins with the option it is about. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Milliseconds of an option's duration, `30s`.
 *
 * @throws {UsageError}
 */
export function durationArgument(option: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof UnitError) throw new UsageError(`${option}: ${error.message}`);
    throw error;
  }
}

/**
 * The JSON that an argument holds, or the file it names with `@`, or stdin where it is `-`: byte for byte.
 *
 * @throws {UsageError}
 */
export async function jsonArgument(argument: string, given: string): Promise<string> {
  const text = await textOf(argument, given);
  try {
    JSON.parse(text);
  } catch {
    // The parser's own message would quote the text, which may hold a secret.
    throw new UsageError(`${argument} is not JSON`);
  }
  return text;
}

async function textOf(argument: string, given: string): Promise<string> {
  if (given === '-') {
    const { text } = await import('node:stream/consumers');
    return await text(process.stdin);
  }
  if (!given.startsWith('@')) return given;
  const { readFile } = await import('node:fs/promises');
  try {
    return await readFile(given.slice(1), 'utf8');
  } catch (error) {
    throw new UsageError(`${argument}: ${messageOf(error)}`);
  }
}

/**
 * A check for yargs, which makes a list of any option given twice: only those declared as lists may be.
 *
 * @throws {UsageError}
 */
export function refuseRepeated(argv: Readonly<Record<string, unknown>>, options: unknown): true {
  const lists = isRecord(options) && Array.isArray(options['array']) ? options['array'] : [];
  for (const [name, value] of Object.entries(argv)) {
    if (Array.isArray(value) && name !== '_' && !lists.includes(name)) throw new UsageError(`--${name} is given twice`);
  }
  return true;
}
