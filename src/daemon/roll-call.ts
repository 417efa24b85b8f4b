import type { AnyActorRef, InspectionEvent } from 'xstate';

const rollCall = { type: 'roll call' };

/** Asks each machine for a sign of life: an event that changes nothing, and that only a machine that works can take. */
export class RollCall {
  #present = new Set<unknown>();

  /** To be told what the machines do, as `inspect` tells it. */
  note(seen: InspectionEvent): void {
    if (seen.type === '@xstate.snapshot' && seen.event.type === rollCall.type) this.#present.add(seen.actorRef);
  }

  /** Whether each machine below this one, and this one, takes an event now. One that has ended has nothing to answer. */
  call(root: AnyActorRef): boolean {
    this.#present = new Set();
    return machines(root).every((machine) => {
      if (machine.getSnapshot().status === 'active') machine.send(rollCall);
      return this.#present.has(machine);
    });
  }
}

function machines(root: AnyActorRef): readonly AnyActorRef[] {
  const { status, children } = root.getSnapshot();
  // Promises and callbacks have no children, nor a mailbox of the kind that could be stuck.
  if (status === 'done' || children === undefined) return [];
  return [root, ...Object.values(children as Record<string, AnyActorRef>).flatMap(machines)];
}
