import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { lostToken, setTokenStage, type TokenStage } from './support/token-stage.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

let stage: TokenStage;
beforeEach(async () => {
  stage = setTokenStage();
  stage.actor.send({ type: 'start' });
});
afterEach(() => {
  stage.strike();
  stage.time.expectNoTimers();
});

const expiresAt = () => stage.actor.getSnapshot().context.expiresAt;

/** Time passes while every timer stands still, and then somebody notices. */
async function sleep(ms: number): Promise<void> {
  stage.time.sleep(ms);
  stage.actor.send({ type: 'clock.jumped' });
  await stage.time.advance(0);
}

describe('a token whose host slept', () => {
  test('is refreshed at once where its refresh came due meanwhile', async () => {
    await stage.latest().grant(hour);
    await sleep(50 * minute);
    expect(stage.latest()).toMatchObject({ at: 50 * minute, generation: 2, kind: 'refresh' });
    expect([stage.state(), expiresAt()]).toEqual(['refreshing', hour]);
  });

  test('is lost and replaced at once where its whole life passed', async () => {
    await stage.latest().grant(hour);
    await sleep(2 * hour);
    expect(stage.latest()).toMatchObject({ at: 2 * hour, generation: 2, kind: 'credentials' });
    expect([stage.state(), expiresAt(), stage.reports[2]]).toEqual(['authenticating', null, lostToken('expired')]);
  });

  test('is refreshed when it should be, after a short sleep, and expires when it should', async () => {
    await stage.latest().grant(hour);
    await sleep(10 * minute);
    await stage.time.advance(38 * minute - 1);
    expect([stage.state(), stage.requests.length]).toEqual(['valid', 1]);
    await stage.time.advance(1);
    expect([stage.state(), stage.latest().at]).toEqual(['refreshing', 48 * minute]);
    await stage.time.advance(12 * minute - 1);
    expect(expiresAt()).toBe(hour);
    await stage.time.advance(1);
    expect([expiresAt(), stage.time.now()]).toEqual([null, hour]);
  });

  test('keeps its refresh where the clock jumped by nothing', async () => {
    await stage.latest().grant(hour);
    for (let times = 0; times < 10; times++) await sleep(0);
    expect([stage.state(), stage.requests.length]).toEqual(['valid', 1]);
    await stage.time.advance(48 * minute);
    expect(stage.latest().at).toBe(48 * minute);
  });
});

describe('waiting when the clock jumps', () => {
  test('is over where the retry came due meanwhile', async () => {
    await stage.latest().fail(failure('rate-limited', 'HTTP 429', 10 * minute));
    await sleep(11 * minute);
    expect([stage.state(), stage.requests.map(({ at }) => at)]).toEqual(['authenticating', [0, 11 * minute]]);
  });

  test('goes on for what is left', async () => {
    await stage.latest().fail(failure('rate-limited', 'HTTP 429', 10 * minute));
    await sleep(4 * minute);
    // As long as the venue asked, and half of a tenth more.
    await stage.time.advance(6.5 * minute - 1);
    expect(stage.requests).toHaveLength(1);
    await stage.time.advance(1);
    expect(stage.latest().at).toBe(10.5 * minute);
  });

  test('loses a token that died meanwhile', async () => {
    await stage.latest().grant(10 * minute);
    await stage.time.advance(8 * minute);
    await stage.latest().fail(failure('rate-limited', 'HTTP 429', hour));
    await sleep(3 * minute);
    expect([stage.state(), expiresAt(), stage.reports.at(-1)]).toEqual(['waiting', null, lostToken('expired')]);
  });
});

describe('blocked when the clock jumps', () => {
  const refusal = failure('credentials-refused', 'token request: HTTP 401');

  test('probes at once where the probe came due meanwhile', async () => {
    await stage.latest().fail(refusal);
    await sleep(hour);
    expect([stage.state(), stage.latest().at]).toEqual(['authenticating', hour]);
  });

  test('waits for what is left of the pause', async () => {
    await stage.latest().fail(refusal);
    await sleep(20 * second);
    expect([stage.state(), stage.requests.length]).toEqual(['blocked', 1]);
    await stage.time.advance(10 * second);
    expect(stage.latest().at).toBe(30 * second);
  });

  test('loses a token that died meanwhile, and stays blocked', async () => {
    await stage.latest().grant(10 * minute);
    await stage.time.advance(8 * minute);
    for (const _ of [1, 2, 3, 4]) {
      await stage.latest().fail(refusal);
      if (stage.time.now() < 8.5 * minute) await stage.time.advance(30 * second);
    }
    expect([stage.state(), expiresAt()]).toEqual(['blocked', 10 * minute]);
    stage.time.sleep(90 * second);
    stage.actor.send({ type: 'clock.jumped' });
    expect([stage.state(), expiresAt(), stage.reports.at(-1)]).toEqual(['blocked', null, lostToken('expired')]);
  });
});

test('a refresh that hangs while the token dies in a sleep loses it, and its late answer is used all the same', async () => {
  await stage.latest().grant(10 * minute);
  await stage.time.advance(8 * minute);
  await sleep(3 * minute);
  expect([stage.state(), expiresAt(), stage.reports.at(-1)]).toEqual(['refreshing', null, lostToken('expired')]);
  await stage.latest().grant(hour);
  expect([stage.state(), expiresAt(), stage.requests.length]).toEqual(['valid', 8 * minute + hour, 2]);
});

test('a jump before the start, and one while the first request is on its way, change nothing', async () => {
  await sleep(hour);
  expect([stage.state(), stage.requests.length, stage.reports.length]).toEqual(['authenticating', 1, 1]);
});
