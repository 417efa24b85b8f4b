import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Cursor } from '../../src/log/cursor.ts';
import { channelAt, receivedAtOf, skipLines } from '../../src/log/line.ts';
import { testLog } from './support.ts';

it('reads channel and moment of any line where the log has written them', () => {
  const event = fc.record({
    channel: fc.string({ unit: 'binary', maxLength: 20 }),
    receivedAt: fc.double({ min: 0, max: 4e12, noNaN: true }),
    session: fc.nat(),
    message: fc.json(),
  });
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 20 }), (all) => {
      const { log } = testLog();
      for (const { message, ...rest } of all) log.append({ ...rest, message: Buffer.from(message) });
      const lines = Buffer.concat(Cursor.open(log, { from: 'oldest' })[0].read(1e9).chunks);
      for (const [index, { receivedAt, channel }] of all.entries()) {
        const at = skipLines(lines, 0, index);
        expect(channelAt(lines, at)).toBe(channel);
        expect(receivedAtOf(lines, at)).toBe(Number(receivedAt.toFixed(3)));
      }
      expect(skipLines(lines, 0, all.length)).toBe(lines.length);
    }),
    { numRuns: 40 },
  );
});
