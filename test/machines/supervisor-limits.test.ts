import { afterEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { DaemonStage, refuseWith } from './support/daemon-stage.ts';

const second = 1_000;
const minute = 60 * second;

let stage: DaemonStage;
afterEach(() => stage.strikeLeavingNothing());

describe('a venue that limits us and says to come back in 0 s, for ever', () => {
  const limited = failure('rate-limited', 'HTTP 429', 0);

  test('is dialled ever more slowly, about once a minute in the end', async () => {
    stage = new DaemonStage({ connect: () => limited });
    await stage.time.advance(60 * minute);
    expect(stage.dials.length).toBeLessThan(66);
    expect((stage.dials.at(-1) ?? 0) - (stage.dials.at(-2) ?? 0)).toBeGreaterThanOrEqual(minute);
  });

  test('is asked for a token ever more slowly, about once a minute in the end', async () => {
    stage = new DaemonStage({ grant: () => refuseWith(limited) });
    await stage.time.advance(60 * minute);
    expect(stage.requests.length).toBeLessThan(66);
    expect((stage.requests.at(-1) ?? 0) - (stage.requests.at(-2) ?? 0)).toBeGreaterThanOrEqual(minute);
  });
});
