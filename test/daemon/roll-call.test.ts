import { afterEach, expect, it } from 'vitest';
import { createActor, createMachine, fromPromise } from 'xstate';
import { RollCall } from '../../src/daemon/roll-call.ts';
import { CoreStage } from './support/core-stage.ts';

const child = createMachine({
  initial: 'waiting',
  on: {
    break: {
      actions: () => {
        throw new Error('broken');
      },
    },
  },
  states: { waiting: { on: { finish: 'finished' } }, finished: { type: 'final' } },
});
const parent = createMachine({
  initial: 'working',
  states: {
    working: {
      invoke: [
        { id: 'child', src: child },
        { id: 'promise', src: fromPromise(() => new Promise(() => undefined)) },
      ],
    },
  },
});

/** A machine with a child, whose inspector fails once it meets an event of that type. */
function family() {
  const roll = new RollCall();
  const actor = createActor(parent, {
    inspect: (seen) => {
      if (seen.type === '@xstate.snapshot' && seen.event.type === 'trip') throw new Error('tripped');
      roll.note(seen);
    },
  }).start();
  return { actor, call: () => roll.call(actor), child: () => actor.getSnapshot().children['child'] };
}

it('is answered by machines that take events, again and again', () => {
  const { call } = family();
  expect([call(), call()]).toEqual([true, true]);
});

it('is not answered for a machine that died', () => {
  const { actor, call, child } = family();
  actor.subscribe({ error: () => undefined });
  child()?.send({ type: 'break' });
  expect(actor.getSnapshot().status).toBe('error');
  expect(call()).toBe(false);
});

it('is not answered once a mailbox is stuck, though the machine looks alive', () => {
  const { actor, call } = family();
  expect(() => actor.send({ type: 'trip' })).toThrow('tripped');
  expect(actor.getSnapshot().status).toBe('active');
  expect(call()).toBe(false);
});

it('is not answered once the mailbox of a child is stuck', () => {
  const { call, child } = family();
  expect(() => child()?.send({ type: 'trip' })).toThrow('tripped');
  expect(call()).toBe(false);
});

it('asks nothing of what has ended', () => {
  const { call, child } = family();
  child()?.send({ type: 'finish' });
  expect(call()).toBe(true);
});

let stage: CoreStage;
afterEach(() => stage?.stop());

it('changes nothing in the machines of figd, whatever they do', async () => {
  stage = await CoreStage.open();
  for (const happens of [
    () => undefined,
    () => stage.dropAll(),
    () => stage.core.machines.rotate(),
    () => stage.core.machines.refresh(),
  ]) {
    happens();
    const before = [stage.core.machines.view(), stage.facts.length, stage.states.length];
    expect(stage.core.machines.answer()).toBe(true);
    expect([stage.core.machines.view(), stage.facts.length, stage.states.length]).toEqual(before);
    await stage.clock.time.advance(5_000);
    expect(stage.state).toBe('live');
    expect(stage.core.machines.answer()).toBe(true);
  }
  expect(stage.fatal).toEqual([]);
});

it('is answered once the machines have ended, as there is nobody to ask', async () => {
  stage = await CoreStage.open();
  await stage.stop();
  expect(stage.core.machines.answer()).toBe(true);
});
