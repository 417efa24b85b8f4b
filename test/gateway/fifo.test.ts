import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Fifo } from '../../src/gateway/fifo.ts';

it('is what an array would be, however it grows and shrinks', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 150 }), fc.integer({ min: -150, max: -1 })));
  fc.assert(
    fc.property(steps, (changes) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const change of changes) {
        for (let each = 0; each < change; each += 1) {
          fifo.push(next);
          model.push(next);
          next += 1;
        }
        for (let each = 0; each > change; each -= 1) expect(fifo.shift()).toBe(model.shift());
        expect(fifo.size).toBe(model.length);
        const places = Array.from({ length: model.length + 2 }, (_, index) => index - 1);
        expect(places.map((place) => fifo.at(place))).toEqual(places.map((place) => model[place]));
      }
    }),
  );
});
