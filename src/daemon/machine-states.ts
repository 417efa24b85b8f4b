import type { AnyActorRef } from 'xstate';
import type { MachineState } from '../protocol/diagnosis.ts';

/** This machine and each machine below it, but for those that have ended in good order: they have nothing to say. */
export function machines(root: AnyActorRef): readonly AnyActorRef[] {
  const children = childrenOf(root);
  // Promises and callbacks have none, nor a mailbox of the kind that could be stuck.
  if (children === undefined || root.getSnapshot().status === 'done') return [];
  return [root, ...Object.values(children).flatMap(machines)];
}

/** The machines as they are, with everything that they know. */
export function machineStates(root: AnyActorRef): readonly MachineState[] {
  return machines(root).map((machine) => {
    const { status, value, context } = machine.getSnapshot();
    const others = Object.entries(childrenOf(machine) ?? {}).filter(([, child]) => childrenOf(child) === undefined);
    return { name: machine.id, status, state: value, context, running: others.map(([name]) => name) };
  });
}

function childrenOf(actor: AnyActorRef): Readonly<Record<string, AnyActorRef>> | undefined {
  return actor.getSnapshot().children;
}
