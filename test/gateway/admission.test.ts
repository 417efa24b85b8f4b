import { createClock } from '@sinonjs/fake-timers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Admission } from '../../src/gateway/admission.ts';
import { failure } from '../../src/protocol/failure.ts';
import { NotSentError } from '../../src/protocol/request-table.ts';

function setUp(limits = { calls: 2, weight: 100 }) {
  const clock = createClock();
  const admission = new Admission(limits, {
    setTimeout: (run, ms) => clock.setTimeout(run, ms),
    clearTimeout: (handle) => clock.clearTimeout(handle as number),
  });
  const story: string[] = [];
  const leaves = new Map<string, () => void>();
  const callers = new Map<string, { id: string; isGone: boolean }>();
  const caller = (id: string) => {
    const found = callers.get(id) ?? { id, isGone: false };
    callers.set(id, found);
    return found;
  };
  /** A call is named by its caller and a number: a1. */
  const enter = (name: string, weight = 1, deadlineMs = 1_000) => {
    void admission.enter(caller(name.slice(0, 1)), weight, deadlineMs).then(
      (leave) => {
        story.push(name);
        leaves.set(name, leave);
      },
      (error: NotSentError) => story.push(`${name}: ${error.failure.code}`),
    );
  };
  const settle = () => clock.tickAsync(0);
  const leave = (name: string) => {
    leaves.get(name)?.();
    leaves.delete(name);
    return settle();
  };
  return { clock, admission, story, enter, leave, settle, caller, leaves };
}

test('lets in so many calls at a time, and the next as one is over', async () => {
  const { story, enter, leave, settle, clock } = setUp();
  for (const name of ['a1', 'b1', 'c1', 'd1']) enter(name);
  await settle();
  expect(story).toEqual(['a1', 'b1']);
  await leave('b1');
  expect(story).toEqual(['a1', 'b1', 'c1']);
  await leave('a1');
  await leave('c1');
  await leave('d1');
  expect([story, clock.countTimers()]).toEqual([['a1', 'b1', 'c1', 'd1'], 0]);
});

test('takes one call of each caller in a round, however many one of them has made', async () => {
  const { story, enter, leave, settle } = setUp({ calls: 1, weight: 100 });
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) enter(name);
  await settle();
  for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']) await leave(name);
  expect(story).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
});

test('lets in no more than they may weigh together, and a heavy one alone; nobody overtakes it', async () => {
  const { story, enter, leave, settle } = setUp({ calls: 10, weight: 100 });
  enter('a1', 60);
  enter('b1', 40);
  enter('c1', 500);
  enter('d1', 1);
  await settle();
  expect(story).toEqual(['a1', 'b1']);
  await leave('a1');
  expect(story).toEqual(['a1', 'b1']);
  await leave('b1');
  expect(story).toEqual(['a1', 'b1', 'c1']);
  await leave('c1');
  expect(story).toEqual(['a1', 'b1', 'c1', 'd1']);
});

test('refuses who has waited until its deadline, and lets in who waited behind it', async () => {
  const { clock, story, enter, settle } = setUp({ calls: 2, weight: 100 });
  enter('a1', 60);
  enter('b1', 60, 500);
  enter('c1', 20, 900);
  await settle();
  await clock.tickAsync(499);
  expect(story).toEqual(['a1']);
  await clock.tickAsync(1);
  expect(story).toEqual(['a1', 'b1: too-many-calls', 'c1']);
  expect(clock.countTimers()).toBe(0);
});

test('does not make the calls of a caller that is gone', async () => {
  const { story, enter, leave, settle, caller } = setUp({ calls: 1, weight: 100 });
  for (const name of ['a1', 'b1', 'b2', 'c1']) enter(name);
  await settle();
  caller('b').isGone = true;
  await leave('a1');
  expect(story).toEqual(['a1', 'b1: connection-lost', 'c1', 'b2: connection-lost']);
});

test('turns away all who wait, and lets in whoever comes next', async () => {
  const { clock, admission, story, enter, leave, settle } = setUp({ calls: 1, weight: 100 });
  for (const name of ['a1', 'a2', 'b1']) enter(name);
  await settle();
  admission.turnAway(new NotSentError(failure('not-live', 'the session has ended')));
  await leave('a1');
  enter('c1');
  await settle();
  expect([story, clock.countTimers()]).toEqual([['a1', 'a2: not-live', 'b1: not-live', 'c1'], 0]);
});

test('whatever comes and goes, limits hold, nobody waits while there is room, and each call ends once', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          caller: fc.constantFrom('a', 'b', 'c'),
          weight: fc.integer({ min: 1, max: 70 }),
          pause: fc.constantFrom(0, 0, 0, 40),
          leaves: fc.nat(3),
        }),
        { maxLength: 40 },
      ),
      async (steps) => {
        const { clock, story, enter, leave, leaves } = setUp({ calls: 3, weight: 100 });
        const weights = new Map<string, number>();
        let made = 0;
        for (const { caller, weight, pause, leaves: going } of steps) {
          made += 1;
          const name = `${caller}${made}`;
          weights.set(name, weight);
          enter(name, weight, 100);
          await clock.tickAsync(pause);
          for (const leaving of [...leaves.keys()].slice(0, going)) await leave(leaving);
          const inside = [...leaves.keys()].map((each) => weights.get(each) ?? 0);
          expect(inside.length).toBeLessThanOrEqual(3);
          expect(inside.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(100);
          if (inside.length === 0) expect(story.length).toBe(made);
        }
        for (let name = [...leaves.keys()][0]; name !== undefined; name = [...leaves.keys()][0]) await leave(name);
        expect(story.map((each) => each.split(':')[0]).toSorted()).toEqual([...weights.keys()].toSorted());
        expect(clock.countTimers()).toBe(0);
      },
    ),
  ));
