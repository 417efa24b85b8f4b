import type { AnyActorRef, InspectionEvent } from 'xstate';
import { machines } from './machine-states.ts';

const rollCall = { type: 'roll call' };

/** Asks each machine for a sign of life: an event that changes nothing, and that only a machine that works can take. */
export class RollCall {
  #present = new Set<unknown>();

  /** To be told what the machines do, as `inspect` tells it. */
  note(seen: InspectionEvent): void {
    if (seen.type === '@xstate.snapshot' && seen.event.type === rollCall.type) this.#present.add(seen.actorRef);
  }

  /** Whether this machine and each one below it takes an event now. */
  call(root: AnyActorRef): boolean {
    this.#present = new Set();
    return machines(root).every((machine) => {
      if (machine.getSnapshot().status === 'active') machine.send(rollCall);
      return this.#present.has(machine);
    });
  }
}
