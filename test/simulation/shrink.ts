import type { Action, Plan } from './plan.ts';
import { type Outcome, play } from './run.ts';

/** How many plays a search may cost. */
const mostPlays = 400;

/** Whether a shorter plan fails in the same way. */
const failsAlike = (outcome: Outcome, invariant: string): boolean =>
  outcome.violations.some((violation) => violation.invariant === invariant);

/**
 * The shortest plan it can find that breaks the same promise: first without what happens after the violation, then
 * without ever smaller groups of actions (delta debugging, Zeller 2002).
 */
export async function shrink({ plan, violations }: Outcome): Promise<Outcome> {
  const invariant = violations[0]?.invariant ?? '';
  let plays = 0;
  let best: Outcome = { plan, violations, events: 0 };
  const attempt = async (actions: readonly Action[], hours: number): Promise<boolean> => {
    plays += 1;
    const outcome = await play({ ...plan, hours, actions });
    if (!failsAlike(outcome, invariant)) return false;
    best = outcome;
    return true;
  };
  await cutTheEnd(plan, violations[0]?.at ?? 0, attempt);
  for (let size = Math.ceil(best.plan.actions.length / 2); size >= 1; ) {
    const { actions, hours } = best.plan;
    let isShorter = false;
    for (let from = 0; from < actions.length && plays < mostPlays && !isShorter; from += size) {
      isShorter = await attempt([...actions.slice(0, from), ...actions.slice(from + size)], hours);
    }
    if (plays >= mostPlays) break;
    if (!isShorter) size = size === 1 ? 0 : Math.ceil(size / 2);
    else size = Math.min(size, Math.max(1, best.plan.actions.length));
  }
  return best;
}

/** What happens after the violation has no part in it; an hour more lets what is judged at the end be judged. */
async function cutTheEnd(
  { actions, hours }: Plan,
  at: number,
  attempt: (actions: readonly Action[], hours: number) => Promise<boolean>,
): Promise<void> {
  const early = actions.filter((action) => action.at <= at);
  const shorter = Math.min(hours, Math.ceil(at / 3_600_000) + 1);
  if (early.length < actions.length || shorter < hours) await attempt(early, shorter);
}
