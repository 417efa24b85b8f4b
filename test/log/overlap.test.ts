import { array, assert, constantFrom, integer, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import { Overlap } from '../../src/log/overlap.ts';

const bytes = (text: string) => Buffer.from(text);

test('an event that both sessions bring is published once', () => {
  const overlap = new Overlap();
  expect(overlap.isNew(1, 'rfq.maker', bytes('a'))).toBe(true);
  expect(overlap.isNew(2, 'rfq.maker', bytes('a'))).toBe(false);
  expect(overlap.suppressed).toBe(1);
});

test('two genuine events with the same bytes stay two', () => {
  const overlap = new Overlap();
  const answers = [1, 1, 2, 2, 2].map((session) => overlap.isNew(session, 'rfq.maker', bytes('a')));
  expect(answers).toEqual([true, true, false, false, true]);
});

test('the same bytes on another channel are another event', () => {
  const overlap = new Overlap();
  expect(overlap.isNew(1, 'rfq.maker', bytes('a'))).toBe(true);
  expect(overlap.isNew(2, 'rfq.taker', bytes('a'))).toBe(true);
});

test('however two deliveries of one stream interleave, every event is published exactly as often as it happened', () => {
  const stream = array(constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 });
  assert(
    property(tuple(stream, array(integer({ min: 1, max: 2 }), { maxLength: 80 })), ([events, turns]) => {
      const overlap = new Overlap();
      const published: string[] = [];
      const delivered = { 1: 0, 2: 0 };
      const deliver = (session: 1 | 2) => {
        const event = events[delivered[session]];
        if (event === undefined) return;
        delivered[session] += 1;
        if (overlap.isNew(session, 'rfq.maker', bytes(event))) published.push(event);
      };
      for (const turn of turns) deliver(turn as 1 | 2);
      for (const _ of events) deliver(1);
      for (const _ of events) deliver(2);
      expect(published.sort()).toEqual([...events].sort());
      expect(overlap.suppressed).toBe(events.length);
    }),
  );
});
