import { expect, it } from 'vitest';
import { Places } from '../../src/gateway/places.ts';
import { windowMs } from '../../src/gateway/venue-count.ts';

const ignored = () => undefined;

it('forgets a caller once it holds nothing and waits for nothing', () => {
  const places = new Places();
  const line = places.lineOf('one');
  const first = places.take(line, 0, ignored);
  const second = places.take(line, 0, ignored);
  places.end(first, 10);
  places.free(second);
  places.age(10 + windowMs - 1);
  expect([places.lineOf('one') === line, places.used]).toEqual([true, 1]);
  places.age(10 + windowMs);
  expect([places.lineOf('one') === line, places.used]).toEqual([false, 0]);
});

it('remembers no more callers than hold places, whoever has come by', () => {
  const places = new Places();
  const lines = Array.from({ length: 5_000 }, (_, caller) => {
    const line = places.lineOf(caller);
    places.end(places.take(line, caller, ignored), caller);
    places.age(caller + windowMs);
    return line;
  });
  places.age(5_000 + windowMs);
  expect(lines.filter((line, caller) => places.lineOf(caller) === line)).toEqual([]);
});
