import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeOutages } from '../../src/adapters/outages-reply.ts';
import { encodeResult } from '../../src/protocol/json-rpc.ts';

const time = fc.double({ min: 0, max: 2e12, noNaN: true });
const gap = fc.record({
  id: fc.nat(),
  cause: fc.string(),
  since: time,
  until: fc.option(time),
  blindMs: fc.option(time),
  channels: fc.array(fc.string(), { maxLength: 4 }),
  clockOffsetMs: fc.option(time),
  reconciled: fc.constantFrom(true, false, 'not-attempted' as const, null),
});

it('is the report as JSON, the first time and the next', () => {
  fc.assert(
    fc.property(fc.record({ now: time, beganAt: time, gaps: fc.array(gap) }), (report) => {
      const expected = encodeResult(1, report);
      expect(encodeResult(1, encodeOutages(report))).toBe(expected);
      expect(encodeResult(1, encodeOutages({ ...report }))).toBe(expected);
    }),
  );
});
