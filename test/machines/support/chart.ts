import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { reconcileMachine } from '../../../src/machines/reconcile.machine.ts';
import { sessionMachine } from '../../../src/machines/session.machine.ts';
import { supervisorMachine } from '../../../src/machines/supervisor.machine.ts';
import { tokenMachine } from '../../../src/machines/token.machine.ts';

/** The machines by the name they go under in the documentation, in the order in which they call each other. */
export const machines: Readonly<Record<string, AnyStateMachine>> = {
  supervisor: supervisorMachine,
  token: tokenMachine,
  session: sessionMachine,
  reconcile: reconcileMachine,
};

/** Why a transition is taken. */
export type Trigger =
  | { readonly kind: 'event' | 'done' | 'error'; readonly name: string }
  | { readonly kind: 'delay'; readonly name: string }
  | { readonly kind: 'always' };

export interface Edge {
  readonly source: AnyStateNode;
  /** Null for a transition that stays where it is. */
  readonly target: AnyStateNode | null;
  readonly trigger: Trigger;
  readonly guard: string | null;
  readonly actions: readonly string[];
}

/** All states of a machine, outermost first. `xstate/graph` leaves out transitions without an event. */
export function statesOf(machine: AnyStateMachine): readonly AnyStateNode[] {
  const within = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(within)];
  return within(machine.root);
}

export function edgesFrom(node: AnyStateNode): readonly Edge[] {
  const always = node.always ?? [];
  return [...node.transitions.values(), always].flat().flatMap(({ eventType, target, guard, actions }) => {
    const targets: readonly (AnyStateNode | null)[] = target ?? [null];
    return targets.map((each) => ({
      source: node,
      target: each,
      trigger: triggerOf(eventType, node),
      guard: nameOf(guard),
      actions: namesOf(actions),
    }));
  });
}

/** Names of the actions on entering or leaving a state, without those that xstate adds for delays. */
export const actionsAround = ({ entry, exit }: AnyStateNode): readonly string[] => namesOf([...entry, ...exit]);

/** The delays a state waits for: names or milliseconds. */
export const delaysOf = (node: AnyStateNode): readonly string[] => node.after.map(({ delay }) => String(delay));

const built = /^xstate\.(after|done\.actor|error\.actor)\.(.*)$/;

function triggerOf(eventType: string, node: AnyStateNode): Trigger {
  if (eventType === '') return { kind: 'always' };
  const [, kind, name = ''] = built.exec(eventType) ?? [];
  if (kind === undefined) return { kind: 'event', name: eventType };
  if (kind === 'after') return { kind: 'delay', name: name.slice(0, -node.id.length - 1) };
  const actor = node.invoke.find(({ id }) => id === name);
  return { kind: kind === 'done.actor' ? 'done' : 'error', name: String(actor?.src ?? name) };
}

/** The name of a reference to something the setup of a machine knows, or null for xstate's own and for inline code. */
function nameOf(reference: unknown): string | null {
  if (typeof reference === 'string') return reference;
  if (typeof reference !== 'object' || reference === null) return null;
  const { type } = reference as { readonly type?: unknown };
  return typeof type === 'string' && !type.startsWith('xstate.') ? type : null;
}

function namesOf(references: readonly unknown[]): readonly string[] {
  return references.map(nameOf).filter((name) => name !== null);
}
