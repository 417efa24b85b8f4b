import type * as z from 'zod';
import type { Problem } from './configuration-error.ts';
import type { Merged } from './layers.ts';

/**
 * The problem that a zod issue stands for, with the place where the value was written. The texts of `values.ts` read
 * `what is wrong; what to do`.
 */
export function problemOf(issue: z.core.$ZodIssue, { inForce }: Merged): Problem {
  const key = keyOf(issue.path);
  const where = inForce.get(key)?.where;
  const end = issue.message.indexOf('; ');
  return {
    key,
    problem: end === -1 ? issue.message : issue.message.slice(0, end),
    ...(where !== undefined && { where }),
    ...(end !== -1 && { advice: issue.message.slice(end + 2) }),
  };
}

/** Whether the issue comes from a rule between several keys. */
export function isAcrossKeys(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'custom' && issue.params?.['acrossKeys'] === true;
}

/** The key as people know it: an item of a list is a matter of the list. */
function keyOf(path: readonly PropertyKey[]): string {
  return path.filter((segment) => typeof segment === 'string').join('.');
}
