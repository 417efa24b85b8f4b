import { z } from 'zod';
import { channels } from './frames.ts';

/*
 * Faults are data, so that tests, the command line and HTTP say them in the same words. Three sorts:
 * - at once: something happens now and is over (`malformed`, `oversized`, `expire-tokens`, `drop`);
 * - a condition that holds for `forMs`, else until it is cleared (`half-open`, `down`, `delay`, `mute`);
 * - a rule for replies that ends after `forMs`, after it was applied `times` times, or when it is cleared (the rest).
 */

const ms = z.number().int().min(0).max(2_147_483_647);
const after = { afterMs: ms.optional() };
const condition = { ...after, forMs: ms.optional() };
const rule = { ...condition, times: z.number().int().min(1).optional() };
const channelName = z.enum(channels);
const method = z.string().min(1);
/** Where the venue looks at the address of a client. */
const addressChecks = ['token', 'rest', 'socket'] as const;

const faultSchemas = {
  drop: z.strictObject({
    kind: z.literal('drop'),
    ...rule,
    code: z.number().int().min(1000).max(4999).optional(),
    reason: z.string().max(120).optional(),
  }),
  'half-open': z.strictObject({ kind: z.literal('half-open'), ...condition }),
  down: z.strictObject({ kind: z.literal('down'), ...condition }),
  'refuse-auth': z.strictObject({ kind: z.literal('refuse-auth'), ...rule }),
  'refuse-credentials': z.strictObject({ kind: z.literal('refuse-credentials'), ...rule }),
  'refuse-address': z.strictObject({
    kind: z.literal('refuse-address'),
    ...rule,
    where: z.array(z.enum(addressChecks)).min(1).optional(),
  }),
  'expire-tokens': z.strictObject({ kind: z.literal('expire-tokens'), ...after }),
  'http-status': z.strictObject({
    kind: z.literal('http-status'),
    ...rule,
    status: z.number().int().min(400).max(599),
    path: z.string().startsWith('/').optional(),
    retryAfterS: z.number().int().min(0).optional(),
    resetInS: z.number().int().min(0).optional(),
  }),
  delay: z.strictObject({ kind: z.literal('delay'), ...condition, ms }),
  mute: z.strictObject({ kind: z.literal('mute'), ...condition, channel: channelName }),
  malformed: z.strictObject({ kind: z.literal('malformed'), ...after }),
  oversized: z.strictObject({
    kind: z.literal('oversized'),
    ...after,
    bytes: z
      .number()
      .int()
      .min(1)
      .max(256 * 1024 * 1024),
  }),
  'partial-subscription': z.strictObject({
    kind: z.literal('partial-subscription'),
    ...rule,
    channels: z.array(channelName).min(1),
  }),
  'unknown-method': z.strictObject({ kind: z.literal('unknown-method'), ...rule, method }),
  'rpc-error': z.strictObject({
    kind: z.literal('rpc-error'),
    ...rule,
    method,
    code: z.number().int(),
    message: z.string(),
  }),
  'no-reply': z.strictObject({ kind: z.literal('no-reply'), ...rule, method }),
  'short-tokens': z.strictObject({ kind: z.literal('short-tokens'), ...rule, lifeMs: z.number().int().min(1) }),
} as const;

export type FaultKind = keyof typeof faultSchemas;

export type AddressCheck = (typeof addressChecks)[number];

/** What a client hears whose address is not on the allow-list of its key. */
export const addressRefusal = 'this IP address is not on the allow-list of the API key';

type FaultOf<Kind extends FaultKind> = z.infer<(typeof faultSchemas)[Kind]>;

/** Something going wrong at the venue, as data. Times are ms; `afterMs` postpones the start. */
export type Fault = { [Kind in FaultKind]: FaultOf<Kind> }[FaultKind];

export const faultKinds = Object.keys(faultSchemas) as readonly FaultKind[];

/** The parameters of a kind of fault, without `kind` itself. */
export function faultParameters(kind: FaultKind): readonly string[] {
  return Object.keys(faultSchemas[kind].shape).filter((name) => name !== 'kind');
}

/** A fault that cannot be understood; the message names the field. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}

/** Checks unknown data; throws {@link FaultError}. */
export function parseFault(data: unknown): Fault {
  const kind = typeof data === 'object' && data !== null && 'kind' in data ? data.kind : undefined;
  if (!isFaultKind(kind)) {
    throw new FaultError(`kind: ${JSON.stringify(kind) ?? 'missing'} is not one of ${faultKinds.join(', ')}`);
  }
  const parsed = faultSchemas[kind].safeParse(data);
  if (parsed.success) return parsed.data;
  throw new FaultError(`${kind}: ${parsed.error.issues.map(describeIssue).join('; ')}`);
}

export function isFaultKind(kind: unknown): kind is FaultKind {
  return typeof kind === 'string' && Object.hasOwn(faultSchemas, kind);
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `${issue.keys.join(', ')}: no such parameter`;
  const field = issue.path.join('.');
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return `${field}: is missing`;
  return `${field}: ${issue.message}`;
}
