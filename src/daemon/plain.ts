import { Secret } from '../config/secret.ts';
import { cut } from '../protocol/text.ts';

const longestText = 500;
const mostItems = 32;
const mostMembers = 64;
const deepest = 8;

/**
 * What is plain in a value: texts (cut), numbers, lists and records of them (bounded). Functions, actors and other
 * objects with a life of their own are left out.
 * @param redact passed over each text and each name
 */
export function plain(value: unknown, redact: (text: string) => string, depth = deepest): unknown {
  switch (typeof value) {
    case 'string':
      // What was redacted is cut, not the other way round: half a secret would not be recognised.
      return cut(redact(value), longestText);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'object':
      break;
    default:
      return undefined;
  }
  if (value === null) return null;
  if (value instanceof Secret) return String(value);
  if (depth === 0) return '…';
  if (Array.isArray(value)) return plainList(value, redact, depth - 1);
  return isRecordOfItsOwn(value) ? plainRecord(value, redact, depth - 1) : undefined;
}

function plainList(list: readonly unknown[], redact: (text: string) => string, depth: number): readonly unknown[] {
  const items = list.slice(0, mostItems).map((item) => plain(item, redact, depth));
  return list.length > mostItems ? [...items, more(list.length - mostItems)] : items;
}

function plainRecord(record: object, redact: (text: string) => string, depth: number): object {
  const members = Object.entries(record);
  const shown = members
    .slice(0, mostMembers)
    .map(([name, value]): [string, unknown] => [cut(redact(name), longestText), plain(value, redact, depth)])
    .filter(([, value]) => value !== undefined);
  const rest = members.length - mostMembers;
  return Object.fromEntries(rest > 0 ? [...shown, ['…', more(rest)]] : shown);
}

/** Whether it is made of its members alone: no class stands behind it. */
function isRecordOfItsOwn(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function more(count: number): string {
  return `… ${count} more`;
}
