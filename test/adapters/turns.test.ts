import { expect, it } from 'vitest';
import { type Piece, Turns } from '../../src/adapters/turns.ts';

/** Turns in which each piece takes half a millisecond of a clock that nothing else moves. */
function stage() {
  const done: string[] = [];
  let now = 0;
  let next: (() => void) | undefined;
  const turns = new Turns({
    clock: { monotonic: () => now },
    schedule: (run) => {
      expect(next).toBeUndefined();
      next = run;
    },
  });
  const piece = (name: string, times: number): Piece => {
    let left = times;
    return () => {
      now += 0.5;
      left -= 1;
      done.push(name);
      return left > 0;
    };
  };
  /** Runs the next turn of the event loop and tells what was done in it. */
  const turn = () => {
    const run = next;
    next = undefined;
    run?.();
    return done.splice(0);
  };
  return { turns, piece, turn };
}

it('does one piece for each in a round, and as much as the budget allows in one turn', () => {
  const { turns, piece, turn } = stage();
  turns.enter(piece('a', 3));
  turns.enter(piece('b', 1));
  turns.enter(piece('c', 2));
  expect([turn(), turn(), turn()]).toEqual([
    ['a', 'b'],
    ['c', 'a'],
    ['c', 'a'],
  ]);
  expect(turn()).toEqual([]);
});

it('puts who comes later behind those who wait, and before what they want next', () => {
  const { turns, piece, turn } = stage();
  turns.enter(piece('a', 9));
  expect(turn()).toEqual(['a', 'a']);
  turns.enter(piece('b', 1));
  expect(turn()).toEqual(['a', 'b']);
});

it('does a piece that takes longer than the budget, and nothing else in that turn', () => {
  const { turns, piece, turn } = stage();
  const long = piece('long', 1);
  turns.enter(() => [long(), piece('part', 1)(), piece('part', 1)()].includes(true));
  turns.enter(piece('b', 1));
  expect(turn()).toEqual(['long', 'part', 'part']);
  expect(turn()).toEqual(['b']);
});
