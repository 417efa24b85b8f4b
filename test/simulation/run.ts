import type { Violation } from './judge.ts';
import { type Plan, planFor } from './plan.ts';
import { World } from './world.ts';

export interface Outcome {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  /** Events of the simulation: timers and deliveries. */
  readonly events: number;
}

/** Plays a plan to its end. @param say gets the story, line by line, with its true time */
export async function play(plan: Plan, say: ((at: number, line: string) => void) | null = null): Promise<Outcome> {
  const world: World = new World(plan, say === null ? null : (line) => say(world.scheduler.now, line));
  try {
    await world.play();
  } catch (error) {
    world.judge.violation('nothing throws', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return { plan, violations: world.judge.violations, events: world.scheduler.events };
}

export function playSeed(seed: number, hours: number): Promise<Outcome> {
  return play(planFor(seed, hours));
}
