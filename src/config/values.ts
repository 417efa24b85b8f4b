import * as z from 'zod';
import { cut } from '../protocol/text.ts';
import { nearest } from './nearest.ts';
import { Secret } from './secret.ts';
import type { ListenAddress } from './settings.ts';
import {
  durationPattern,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  sizePattern,
  UnitError,
} from './units.ts';

// The kinds of value a key can have. Each is a zod schema whose input is what the file says and whose output is what
// the program uses. Their error texts read `what is wrong; what to do`. No URL, path or credential is ever echoed: a
// secret may have been written there.

/** Node's timers cannot be set for longer than 2³¹−1 ms, so that no wait may be configured beyond this. */
const longestWait = 24 * 3_600_000;

/** Bounds of a duration in milliseconds, both inclusive, and why they are. */
interface DurationBounds {
  readonly example: string;
  readonly min?: number;
  readonly max?: number;
  readonly reason?: string;
}

/** A duration, in milliseconds; 1 ms to 24 h unless told otherwise. */
export function duration({ example, min = 1, max = longestWait, reason }: DurationBounds) {
  const why = reason ?? `write a duration from ${formatDuration(min)} on, for example ${example}`;
  return z
    .string({ error: quantityError(parseDuration, 'a duration', example) })
    .meta({ pattern: durationPattern, examples: [example] })
    .transform((text, context) => {
      const milliseconds = tryParse(parseDuration, text, context);
      if (milliseconds > max) {
        context.addIssue(
          `${text} is more than ${formatDuration(max)}; ${reason ?? `${formatDuration(max)} is the most`}`,
        );
      } else if (milliseconds < min) {
        context.addIssue(`${text} is less than ${formatDuration(min)}; ${why}`);
      }
      return milliseconds;
    });
}

/** A size, in bytes, more than none. @param min bytes @param reason what is wrong with less than that */
export function size(example: string, { min, reason }: { min: number; reason: string } = { min: 1, reason: '' }) {
  return z
    .string({ error: quantityError(parseSize, 'a size', example) })
    .meta({ pattern: sizePattern, examples: [example] })
    .transform((text, context) => {
      const bytes = tryParse(parseSize, text, context);
      if (bytes === 0) {
        context.addIssue(`${text} is nothing; write a size, for example ${example}`);
      } else if (bytes < min) {
        context.addIssue(`${text} is less than ${formatSize(min)}; ${reason}`);
      }
      return bytes;
    });
}

/** A whole number from 1 up. */
export function count(example: number) {
  const error = wrongType('a whole number from 1 up', String(example));
  return z
    .int({ error })
    .min(1, { error })
    .meta({ examples: [example] });
}

/** A number between 0 and 1, both excluded. */
export function fraction(example: number) {
  const error = wrongType('a number between 0 and 1, both excluded', String(example));
  return z
    .number({ error })
    .gt(0, { error })
    .lt(1, { error })
    .meta({ examples: [example] });
}

/** True or false. */
export function flag() {
  return z.boolean({ error: wrongType('true or false', 'true') });
}

/** One word of a fixed few, of which some may not be supported by this version yet. */
export function choice<const Words extends readonly [string, ...string[]]>(words: Words) {
  const expected = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  const error = ({ input }: { input?: unknown }): string => {
    const meant = typeof input === 'string' ? nearest(input, words) : undefined;
    const advice = meant === undefined ? `use ${expected}` : `did you mean ${meant}? It can be ${expected}`;
    return isEmpty(input) ? `is empty; ${advice}` : `${found(input)} is not a known value; ${advice}`;
  };
  return z.enum(words, { error });
}

/** A text that is not empty and has no blanks: a JSON-RPC method, a channel. */
export function word(example: string) {
  const error = wrongType('a text without blanks or commas', example);
  return z
    .string({ error })
    .regex(/^[^\s,]+$/, { error })
    .meta({ examples: [example] });
}

/** The first segments of a path, `/v1`. */
export function prefix(example: string) {
  const error = wrongType('a path that begins with / and does not end in one', example);
  return z
    .string({ error })
    .regex(/^(?:\/[^\s/?#]+)+$/, { error })
    .meta({ examples: [example] });
}

/** A list of words, at least one, none twice. */
export function words(example: readonly [string, ...string[]]) {
  return listOf(word(example[0]), example);
}

/** A list of what may be called: JSON-RPC methods and `METHOD /path`, each with stars for any text. */
export function permissions(example: readonly [string, ...string[]]) {
  const error = wrongType('a JSON-RPC method or METHOD /path', example[0]);
  const entry = z
    .string({ error })
    .regex(/^(?:(?:[A-Z]+|\*) \/[^\s,]*|[^\s,]+)$/, { error })
    .meta({ examples: [example[0]] });
  return listOf(entry, example);
}

function listOf(entry: z.ZodString, example: readonly [string, ...string[]]) {
  const error = wrongType('a list', `[${example.join(', ')}]`);
  return z
    .array(entry, { error })
    .min(1, { error: `is empty; name at least one, for example [${example.join(', ')}]` })
    .refine((list) => new Set(list).size === list.length, {
      error: ({ input }) => `${show(twice(input))} is listed twice; list it once`,
    })
    .meta({ examples: [example], uniqueItems: true });
}

/** A file or directory, never echoed. What a relative one starts from is the matter of the layer it was written in. */
export function path(example: string) {
  return z
    .string({ error: ({ input }) => `${unlike('a path', input)}; write a path, for example ${example}` })
    .min(1, { error: `is empty; write a path, for example ${example}` })
    .refine((text) => !text.startsWith('~'), {
      error: 'begins with ~, which only a shell expands; write the whole path',
    })
    .refine((text) => !text.includes('\0'), { error: 'has a NUL character; write a path without one' })
    .meta({ examples: [example] });
}

/** A credential. Nothing about it but its type is ever echoed. One line break at its end is dropped. */
export function secret() {
  const advice = 'write a text between quotes, or better: keep it in a file of its own';
  return z
    .string({ error: ({ input }) => `${unlike('a text', input)}; ${advice}` })
    .meta({ writeOnly: true })
    .transform((text, context) => {
      const bare = text.replace(/\r?\n$/, '');
      if (bare === '') {
        context.addIssue('is empty; write it, or leave the key out');
      }
      return new Secret(bare);
    });
}

/** A TCP address to listen on, or `off`. YAML 1.1 tools write that word as false, so that this is taken too. */
export function listenAddress(example: string) {
  const advice = `write host:port, for example ${example} (0.0.0.0 or [::] for every interface), or off`;
  const error = ({ input }: { input?: unknown }) =>
    isEmpty(input) ? `is empty; ${advice}` : `${found(input)} is not an address; ${advice}`;
  return z
    .union([z.string(), z.literal(false)], { error })
    .meta({ examples: [example, 'off'] })
    .transform((text, context): ListenAddress | 'off' => {
      if (text === 'off' || text === false) {
        return 'off';
      }
      const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/@]+)):([0-9]{1,5})$/.exec(text);
      const port = Number(match?.[3]);
      if (match === null || port > 65_535) {
        context.addIssue(error({ input: text }));
      }
      return { host: match?.[1] ?? match?.[2] ?? '', port };
    });
}

/** The error of a value that is not of its key's type: what it is, what it should be, an example. */
function wrongType(expected: string, example: string): (issue: { input?: unknown }) => string {
  return ({ input }) => {
    const problem = isEmpty(input) ? 'is empty' : `${found(input)} is not ${expected}`;
    return `${problem}; write ${expected}, for example ${example}`;
  };
}

/** What is wrong with a value of another type, without the value. */
export function unlike(expected: string, value: unknown): string {
  return isEmpty(value) ? 'is empty' : `is ${kindOf(value)}, not ${expected}`;
}

/** A key with nothing after its colon, or an empty text. */
function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}

/** What sort of value it is, without the value. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) {
    return 'nothing';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  return typeof value === 'object' ? 'a block of keys' : `a ${typeof value === 'string' ? 'text' : typeof value}`;
}

/** A scalar value as it is shown in an error, cut when long; anything else by its kind. */
function found(value: unknown): string {
  const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return scalar ? show(value) : kindOf(value);
}

function show(value: string | number | boolean): string {
  const shown = cut(String(value), 60);
  return /^[\w.:*/-]+…?$/.test(shown) ? shown : JSON.stringify(shown);
}

function quantityError(parse: (text: string) => number, noun: string, example: string) {
  const general = wrongType(noun, example);
  return (issue: { input?: unknown }): string =>
    typeof issue.input === 'number' ? (faultOf(parse, String(issue.input)) ?? general(issue)) : general(issue);
}

function faultOf(parse: (text: string) => number, text: string): string | undefined {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    return error instanceof UnitError ? error.message : String(error);
  }
}

function tryParse(parse: (text: string) => number, text: string, context: z.RefinementCtx): number {
  const fault = faultOf(parse, text);
  if (fault === undefined) {
    return parse(text);
  }
  context.addIssue(fault);
  return Number.NaN;
}

function twice(input: unknown): string {
  const list: unknown[] = Array.isArray(input) ? input : [];
  return String(list.find((item, index) => list.indexOf(item) !== index));
}
