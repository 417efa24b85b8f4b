import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Cursor } from '../../src/log/cursor.ts';
import { events, line, range, readAll, seqs, testLog } from './support.ts';

const smallRing = 262_144;
const smallSlab = 65_536;

/** Lengths of messages: many small ones, some of half a slab, a few larger than a slab, and larger than the ring. */
const lengths = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.nat({ max: 2_000 }) },
    { weight: 5, arbitrary: fc.integer({ min: 20_000, max: 50_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 400_000 }) },
  ),
  { maxLength: 120 },
);

it('never holds more than the ring allows, unless a single line is larger, and loses only the oldest', () => {
  fc.assert(
    fc.property(lengths, (sizes) => {
      const { log, add } = testLog({ ringBytes: smallRing });
      for (const [index, size] of sizes.entries()) {
        const seq = add('rfq.maker', 'x'.repeat(size));
        expect(seq).toBe(index + 1);
        const newest = line(seq, 'rfq.maker', `"${'x'.repeat(size)}"`).length;
        expect(log.heldBytes).toBeLessThanOrEqual(Math.max(smallRing, newest));
        expect(log.oldest).toBeLessThanOrEqual(seq);
      }
      const [cursor] = Cursor.open(log, { from: 'oldest' });
      expect(seqs(readAll(cursor))).toEqual(range(log.oldest, sizes.length));
    }),
    { numRuns: 60 },
  );
});

it('keeps what fits: as long as nothing had to go, everything can be read', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 500 }), { maxLength: 100 }), (sizes) => {
      // 100 lines of at most 700 bytes are more than one slab and fewer than the ring holds.
      const { log, add } = testLog({ ringBytes: smallRing });
      const expected = sizes.map((size, index) => {
        const message = 'é'.repeat(size);
        add('rfq.maker', message);
        return line(index + 1, 'rfq.maker', JSON.stringify(message));
      });
      expect(log.oldest).toBe(1);
      const [cursor] = Cursor.open(log, { from: 'oldest' });
      expect(readAll(cursor)).toBe(expected.join(''));
    }),
    { numRuns: 100 },
  );
});

it('gives the same lines in slices of any size, each slice of whole lines and no more than one too many', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ channel: fc.constantFrom('a', 'b', 'figd.gap'), size: fc.nat({ max: 30_000 }) }), {
        maxLength: 40,
      }),
      fc.array(fc.integer({ min: 1, max: 2 * smallSlab }), { minLength: 1, maxLength: 40 }),
      fc.constantFrom<string[]>(['*'], ['a'], ['nothing'], ['a', 'b']),
      (appended, slices, channels) => {
        const { log, add } = testLog({ ringBytes: smallRing });
        const longest = Math.max(0, ...appended.map(({ size }) => size)) + 200;
        for (const { channel, size } of appended) add(channel, 'x'.repeat(size));
        const open = () => Cursor.open(log, { channels, from: 'oldest' })[0];
        const whole = readAll(open(), Number.MAX_SAFE_INTEGER);

        const sliced = open();
        const parts: string[] = [];
        for (let turn = 0; sliced.lag > 0; turn += 1) {
          const maxBytes = slices[turn % slices.length] ?? 1;
          const { chunks, bytes } = sliced.read(maxBytes);
          const part = Buffer.concat(chunks).toString('utf8');
          expect(bytes).toBe(part.length);
          expect(part === '' || part.endsWith('\n')).toBe(true);
          expect(bytes).toBeLessThan(maxBytes + longest);
          parts.push(part);
        }
        expect(parts.join('')).toBe(whole);
        const wanted = appended
          .map(({ channel }, index) => ({ seq: index + 1, channel }))
          .filter(({ seq }) => seq >= log.oldest)
          .filter(({ channel }) => channel === 'figd.gap' || channels.includes('*') || channels.includes(channel));
        expect(events(whole)).toEqual(wanted);
      },
    ),
    { numRuns: 100 },
  );
});

it('never gives a reader a hole that it is not told of, however it is overtaken', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ burst: fc.nat({ max: 40 }), size: fc.nat({ max: 20_000 }), read: fc.nat({ max: 100_000 }) }),
      ),
      (steps) => {
        const { log, add } = testLog({ ringBytes: smallRing });
        const [cursor] = Cursor.open(log, {});
        const seen: number[] = [];
        for (const { burst, size, read } of steps) {
          for (let count = 0; count < burst; count += 1) add('rfq.maker', 'x'.repeat(size));
          const { lost, chunks } = cursor.read(read);
          if (lost !== null) seen.push(...range(lost.from, lost.to));
          const text = Buffer.concat(chunks).toString('utf8');
          seen.push(...seqs(text));
        }
        expect(seen).toEqual(range(1, cursor.position - 1));
        expect(cursor.lag).toBe(log.head + 1 - cursor.position);
      },
    ),
    { numRuns: 60 },
  );
});
