import { array, assert, constantFrom, integer, nat, property, uniqueArray } from 'fast-check';
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

test('a frame from before the second session does not stand for a later one with the same bytes', () => {
  const overlap = new Overlap();
  const bring = (session: number, frame: string) => overlap.isNew(session, 'rfq.maker', bytes(frame));
  // The first session alone brings "a"; then both bring "b", the first one ends, and "a" happens once more.
  expect([bring(1, 'a'), bring(1, 'b'), bring(2, 'b'), bring(2, 'a')]).toEqual([true, true, false, true]);
});

test('a frame from before the second session is no twin of what that one brings when it is ahead', () => {
  const overlap = new Overlap();
  const bring = (session: number, frame: string) => overlap.isNew(session, 'rfq.maker', bytes(frame));
  // "a" happens, the second session is subscribed and hears "b" and another "a" first.
  const answers = [bring(1, 'a'), bring(2, 'b'), bring(2, 'a'), bring(1, 'b'), bring(1, 'a')];
  expect(answers).toEqual([true, true, true, false, false]);
});

test('nor is it when it comes late, after the second session has told what follows', () => {
  const overlap = new Overlap();
  const bring = (session: number, frame: string) => overlap.isNew(session, 'rfq.maker', bytes(frame));
  const answers = [bring(2, 'b'), bring(2, 'a'), bring(1, 'a'), bring(1, 'b'), bring(1, 'a')];
  expect(answers).toEqual([true, true, true, false, false]);
});

test('nor one that comes on the second session after something that the first never brought', () => {
  const overlap = new Overlap();
  const bring = (session: number, frame: string) => overlap.isNew(session, 'rfq.maker', bytes(frame));
  // The venue ended the first session before the second was subscribed: no frame of it has a twin.
  expect([bring(1, 'a'), bring(2, 'b'), bring(2, 'a')]).toEqual([true, true, true]);
  // Nor did the first one go on with it.
  expect(overlap.suppressed).toBe(0);
});

test('the same bytes on another channel are another event', () => {
  const overlap = new Overlap();
  expect(overlap.isNew(1, 'rfq.maker', bytes('a'))).toBe(true);
  expect(overlap.isNew(2, 'rfq.taker', bytes('a'))).toBe(true);
});

/** Two deliveries of one stream, the second from `joined` on, in the order the turns say; what is published of it. */
function merge(events: readonly string[], joined: number, turns: readonly number[]) {
  const overlap = new Overlap();
  const published: string[] = [];
  const next = [0, joined];
  const deliver = (session: number) => {
    const event = events[next[session] ?? 0];
    if (event === undefined) return;
    next[session] = (next[session] ?? 0) + 1;
    if (overlap.isNew(session, 'rfq.maker', bytes(event))) published.push(event);
  };
  for (const turn of turns) deliver(turn);
  for (const session of [0, 1]) for (const _ of events) deliver(session);
  return { published: published.sort(), suppressed: overlap.suppressed };
}

const turns = array(integer({ min: 0, max: 1 }), { maxLength: 80 });

test('however two deliveries of one stream interleave, every event is published exactly as often as it happened', () => {
  const stream = array(constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 });
  assert(
    property(stream, turns, (events, order) => {
      expect(merge(events, 0, order)).toEqual({ published: [...events].sort(), suppressed: events.length });
    }),
  );
});

test('nor does it matter when the second session joins, as long as the first one goes on', () => {
  assert(
    property(
      uniqueArray(integer({ min: 0, max: 999 }), { maxLength: 40 }),
      nat({ max: 40 }),
      turns,
      (ids, joined, order) => {
        const events = ids.map(String);
        expect(merge(events, joined, order).published).toEqual([...events].sort());
      },
    ),
  );
});
