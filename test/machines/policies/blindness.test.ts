import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blindSince, type LostSession, nothingProven, proofOfLife } from '../../../src/machines/policies/blindness.ts';

const at: LostSession = {
  now: 100_000,
  cause: 'connection-lost',
  heardAt: 99_000,
  awaySince: null,
  proof: { provenAt: 92_000, heartbeatSentAt: 92_000, rttMs: 40 },
};

const cases: Readonly<Record<string, readonly [Partial<LostSession>, number]>> = {
  'a round trip before the latest frame was read': [{}, 98_960],
  'the departure of the latest heartbeat that was answered, where that is later': [
    { heardAt: 98_000, proof: { provenAt: 97_990, heartbeatSentAt: 97_990, rttMs: 400 } },
    97_990,
  ],
  'the latest frame itself, before any heartbeat told of a round trip': [
    { proof: { provenAt: null, heartbeatSentAt: null, rttMs: 0 } },
    99_000,
  ],
  'now, where nothing was ever heard': [
    { heardAt: null, proof: { provenAt: null, heartbeatSentAt: 92_000, rttMs: 0 } },
    100_000,
  ],
  'the latest heartbeat that was answered, where it is not known what was read since': [{ heardAt: null }, 92_000],
  'never later than now': [{ heardAt: 101_000 }, 100_000],
  'the latest heartbeat that was answered, where frames come and the next one is long overdue': [
    { proof: { provenAt: 82_000, heartbeatSentAt: 92_000, rttMs: 40 } },
    82_000,
  ],
  'the latest frame still, where the next heartbeat has left a second ago': [
    { heardAt: 93_000, proof: { provenAt: 82_000, heartbeatSentAt: 92_000, rttMs: 40 } },
    92_960,
  ],
  'the latest heartbeat that was answered, where that second is over': [
    { heardAt: 93_001, proof: { provenAt: 82_000, heartbeatSentAt: 92_000, rttMs: 40 } },
    82_000,
  ],
  'the latest frame still, where four round trips have not passed on a slow link': [
    { heardAt: 94_000, proof: { provenAt: 82_000, heartbeatSentAt: 92_000, rttMs: 500 } },
    93_500,
  ],
  'the latest heartbeat that was answered, where more than four have': [
    { heardAt: 94_001, proof: { provenAt: 82_000, heartbeatSentAt: 92_000, rttMs: 500 } },
    82_000,
  ],
  'the moment before an absence, as what was read since may have waited in the kernel': [{ awaySince: 60_000 }, 60_000],
  'what is proven, where that was before the absence': [
    { heardAt: 50_000, awaySince: 60_000, proof: { provenAt: 49_000, heartbeatSentAt: 49_000, rttMs: 40 } },
    49_960,
  ],
  '30 s after the latest heartbeat, where the venue cut us for want of another': [
    {
      cause: 'heartbeat-overdue',
      awaySince: 60_000,
      proof: { provenAt: 58_000, heartbeatSentAt: 58_000, rttMs: 40 },
    },
    88_000,
  ],
  '30 s after the one before, where the latest left when the venue had closed already': [
    {
      cause: 'heartbeat-overdue',
      awaySince: 60_000,
      proof: { provenAt: 58_000, heartbeatSentAt: 99_990, rttMs: 40 },
    },
    88_000,
  ],
  'the same, where it took long to read all that had waited meanwhile': [
    {
      cause: 'heartbeat-overdue',
      awaySince: 60_000,
      proof: { provenAt: 58_000, heartbeatSentAt: 95_000, rttMs: 40 },
    },
    88_000,
  ],
  'the absence itself, where the venue says so earlier than its own documentation': [
    {
      cause: 'heartbeat-overdue',
      awaySince: 80_000,
      proof: { provenAt: 78_000, heartbeatSentAt: 78_000, rttMs: 40 },
    },
    80_000,
  ],
  'the absence itself, where the venue would have cut us before it': [
    {
      cause: 'heartbeat-overdue',
      awaySince: 95_000,
      proof: { provenAt: 60_000, heartbeatSentAt: 60_000, rttMs: 40 },
    },
    95_000,
  ],
  'the absence itself, where no heartbeat ever left': [
    { cause: 'heartbeat-overdue', awaySince: 60_000, proof: { provenAt: null, heartbeatSentAt: null, rttMs: 0 } },
    60_000,
  ],
};

describe('events may be missing from', () => {
  test.each(Object.keys(cases))('%s', (name) => {
    const [given, since] = cases[name] ?? [];
    expect(blindSince({ ...at, ...given })).toBe(since);
  });
});

describe('what the heartbeats of a session have proved', () => {
  test('is nothing before one has left', () => {
    expect(proofOfLife({ lastHeartbeat: null, lastHeartbeatSentAt: Number.NEGATIVE_INFINITY })).toEqual(nothingProven);
  });

  test('is when the one left that was answered, which is not the latest to leave', () => {
    const lastHeartbeat = { at: 92_040, rttMs: 40, clockOffsetMs: null };
    expect(proofOfLife({ lastHeartbeat, lastHeartbeatSentAt: 99_000 })).toEqual({
      provenAt: 92_000,
      heartbeatSentAt: 99_000,
      rttMs: 40,
    });
  });
});

test('is never in the future, and without an absence never before the latest heartbeat that was answered', () => {
  const moment = fc.integer({ min: 0, max: 200_000 });
  fc.assert(
    fc.property(
      moment,
      fc.option(moment),
      fc.option(moment),
      fc.nat({ max: 5_000 }),
      fc.constantFrom('connection-lost' as const, 'heartbeat-overdue' as const),
      (heardAt, awaySince, provenAt, rttMs, cause) => {
        const now = 200_000;
        const proof = { provenAt, heartbeatSentAt: provenAt, rttMs };
        const since = blindSince({ now, cause, heardAt, awaySince, proof });
        expect(since).toBeLessThanOrEqual(now);
        if (awaySince === null) expect(since).toBeGreaterThanOrEqual(provenAt ?? -rttMs);
        // An absence never makes the gap shorter than it would be without.
        const without = blindSince({ now, cause, heardAt, awaySince: null, proof });
        if (cause === 'connection-lost') expect(since).toBeLessThanOrEqual(without);
      },
    ),
  );
});
