import { parseDuration, UnitError } from '../config/units.ts';
import {
  type Fault,
  FaultError,
  type FaultKind,
  faultKinds,
  faultParameters,
  isFaultKind,
  parseFault,
} from './faults.ts';

/** How a fault is written on the command line. */
export const faultSpecSyntax = 'KIND[@AFTER][+FOR][,key=value…]';

/** Parameters whose values are words, and stay so even when they look like numbers. */
const textParameters: ReadonlySet<string> = new Set(['reason', 'path', 'method', 'channel', 'message']);
/** Parameters that are durations, written like `200ms`, with the kind of fault in plain milliseconds. */
const durationParameters: ReadonlySet<string> = new Set(['ms', 'lifeMs', 'afterMs', 'forMs']);
/** Lists, whose items are separated by `+` because `,` separates parameters. */
const listParameters: ReadonlySet<string> = new Set(['channels', 'where']);

/**
 * Reads a fault such as `drop@10s`, `half-open@20s+15s` or `http-status@5s+10s,status=503,path=/v1/auth`.
 * Throws `FaultError` naming what is wrong.
 */
export function parseFaultSpec(spec: string): Fault {
  const [head = '', ...pairs] = spec.split(',');
  const groups = /^(?<kind>[a-z-]+)(?:@(?<after>[^+@]+))?(?:\+(?<for>[^+@]+))?$/.exec(head)?.groups;
  if (groups === undefined) throw new FaultError(`"${spec}" does not read as ${faultSpecSyntax}`);
  const { kind } = groups;
  if (!isFaultKind(kind)) {
    throw new FaultError(`"${spec}": no kind of fault is called "${kind}"; there are ${faultKinds.join(', ')}`);
  }
  const fault: Record<string, unknown> = { kind };
  try {
    if (groups['after'] !== undefined) fault['afterMs'] = parseDuration(groups['after']);
    if (groups['for'] !== undefined) fault['forMs'] = parseDuration(groups['for']);
    for (const pair of pairs) {
      const [name, value] = parsePair(kind, pair);
      if (Object.hasOwn(fault, name)) throw new FaultError(`${name} is given twice`);
      fault[name] = value;
    }
    return parseFault(fault);
  } catch (error) {
    if (error instanceof UnitError || error instanceof FaultError) {
      throw new FaultError(`"${spec}": ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function parsePair(kind: FaultKind, pair: string): readonly [string, unknown] {
  const equals = pair.indexOf('=');
  if (equals < 1) throw new FaultError(`"${pair}" is not key=value`);
  const name = pair.slice(0, equals);
  const text = pair.slice(equals + 1);
  const known = faultParameters(kind);
  if (!known.includes(name)) {
    throw new FaultError(`${kind} has no parameter "${name}"; it has ${known.join(', ')}`);
  }
  if (listParameters.has(name)) return [name, text.split('+')];
  if (durationParameters.has(name)) return [name, parseDuration(text)];
  if (textParameters.has(name)) return [name, text];
  if (!/^-?\d+$/.test(text)) throw new FaultError(`${name}: "${text}" is not a whole number`);
  return [name, Number(text)];
}
