import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import {
  granted,
  lostToken,
  requested,
  setTokenStage,
  type TokenStage,
  usualTokenSettings,
} from './support/token-stage.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const longestTimer = 2 ** 31 - 1;

let stage: TokenStage;
beforeEach(() => {
  stage = setTokenStage();
});
afterEach(() => {
  stage.strike();
  stage.time.expectNoTimers();
});

const seen = () => stage.requests.map(({ at, generation, kind }) => ({ at, generation, kind }));
const expiresAt = () => stage.actor.getSnapshot().context.expiresAt;

/** From the start to a token that lives for as long as given. */
async function grantFirst(lifeMs: number): Promise<void> {
  stage.actor.send({ type: 'start' });
  await stage.latest().grant(lifeMs);
}

describe('a token', () => {
  test('is asked for with the credentials on start, and not before', async () => {
    await stage.time.advance(hour);
    expect([stage.state(), seen()]).toEqual(['idle', []]);

    stage.actor.send({ type: 'start' });
    expect([stage.state(), seen()]).toEqual(['authenticating', [{ at: hour, generation: 1, kind: 'credentials' }]]);

    await stage.latest().grant(hour);
    expect(stage.state()).toBe('valid');
    expect(stage.reports).toEqual([requested, granted(1, hour, { requestedAt: hour })]);
  });

  test('is refreshed at 80 % of its life, and used until its successor is there', async () => {
    await grantFirst(hour);
    await stage.time.advance(48 * minute - 1);
    expect(stage.state()).toBe('valid');

    await stage.time.advance(1);
    expect(stage.state()).toBe('refreshing');
    expect(expiresAt()).toBe(hour);

    await stage.time.advance(2 * second);
    await stage.latest().grant(hour);
    expect(stage.state()).toBe('valid');
    expect(expiresAt()).toBe(108 * minute);
    expect(stage.actor.getSnapshot().context.refreshes).toBe(1);
    expect(seen()).toEqual([
      { at: 0, generation: 1, kind: 'credentials' },
      { at: 48 * minute, generation: 2, kind: 'refresh' },
    ]);
    expect(stage.reports).toEqual([
      requested,
      granted(1, hour),
      requested,
      granted(2, hour, { requestedAt: 48 * minute, renewal: true }),
    ]);
  });

  test('has a life that counts from its request, not from the answer', async () => {
    stage.actor.send({ type: 'start' });
    await stage.time.advance(8 * second);
    await stage.latest().grant(hour);
    expect(expiresAt()).toBe(hour);
  });

  test('stays usable while its refresh fails, and is lost only when it truly expires', async () => {
    const down = failure('server-error', 'HTTP 500');
    await grantFirst(10 * minute);
    await stage.time.advance(8 * minute);
    await stage.latest().fail(down);
    expect([stage.state(), expiresAt()]).toEqual(['waiting', 10 * minute]);

    await stage.time.advance(5 * second);
    expect(stage.latest()).toMatchObject({ at: 8 * minute + 5 * second, generation: 2, kind: 'refresh' });
    await stage.latest().fail({ ...failure('rate-limited', 'HTTP 429', hour), retryAfterMs: hour });
    await stage.time.advance(2 * minute - 5 * second - 1);
    expect([stage.state(), expiresAt()]).toEqual(['waiting', 10 * minute]);

    await stage.time.advance(1);
    expect([stage.state(), expiresAt()]).toEqual(['waiting', null]);
    expect(stage.reports).toEqual([
      requested,
      granted(1, 10 * minute),
      requested,
      { type: 'token.failed', failure: down, retryInMs: 5 * second, renewal: true },
      requested,
      {
        type: 'token.failed',
        failure: failure('rate-limited', 'HTTP 429', hour),
        retryInMs: 63 * minute,
        renewal: true,
      },
      lostToken('expired'),
    ]);
  });

  test('that expires while its refresh hangs is lost, and the late successor is used all the same', async () => {
    await grantFirst(10 * minute);
    await stage.time.advance(10 * minute);
    expect([stage.state(), expiresAt()]).toEqual(['refreshing', null]);

    await stage.latest().grant(10 * minute);
    expect([stage.state(), expiresAt()]).toEqual(['valid', 18 * minute]);
    expect(stage.reports).toEqual([
      requested,
      granted(1, 10 * minute),
      requested,
      lostToken('expired'),
      granted(2, 10 * minute, { requestedAt: 8 * minute, renewal: true }),
    ]);
  });

  test('that is gone is asked for with the credentials, not with a refresh', async () => {
    await grantFirst(10 * minute);
    await stage.time.advance(8 * minute);
    await stage.latest().fail(failure('rate-limited', 'HTTP 429', 5 * minute));
    await stage.time.advance(6 * minute);
    expect(stage.latest()).toMatchObject({ at: 13.25 * minute, generation: 2, kind: 'credentials' });
  });

  test('whose whole life passed while this machine slept is lost and replaced at once', async () => {
    await grantFirst(10 * minute);
    stage.time.sleep(11 * minute);
    // Timers that were due during the sleep fire late and in any order: the one for the expiry comes first here.
    stage.actor.send({ type: 'expiry.reached' });
    expect([stage.state(), expiresAt()]).toEqual(['waiting', null]);
    expect(stage.reports.at(-1)).toEqual(lostToken('expired'));
    await stage.time.advance(0);
    expect(stage.latest()).toMatchObject({ at: 11 * minute, kind: 'credentials' });
  });

  test.each([
    ['one second', second],
    ['four seconds', 4 * second],
  ])('that lives for %s is replaced at the pace of requests, not faster', async (_, lifeMs) => {
    await grantFirst(lifeMs);
    for (let times = 0; times < 4; times++) {
      await stage.time.advance(5 * second);
      await stage.latest().grant(lifeMs);
    }
    expect(stage.requests.map(({ at }) => at)).toEqual([0, 5_000, 10_000, 15_000, 20_000]);
    expect(stage.reports.filter(({ type }) => type === 'token.lost')).toHaveLength(4);
  });

  test('that lives for 100 days is neither refreshed early nor asked for in a loop', async () => {
    await grantFirst(100 * day);
    await stage.time.advance(longestTimer);
    expect([stage.state(), stage.requests.length]).toEqual(['valid', 1]);

    await stage.time.advance(80 * day - longestTimer - 1);
    expect([stage.state(), stage.requests.length]).toEqual(['valid', 1]);

    await stage.time.advance(1);
    expect([stage.state(), stage.requests.length]).toEqual(['refreshing', 2]);
    // The refresh hangs: expiry, beyond the longest timer too, is still noticed to the millisecond.
    await stage.time.advance(20 * day - 1);
    expect(expiresAt()).toBe(100 * day);
    await stage.time.advance(1);
    expect(stage.reports.slice(2)).toEqual([requested, lostToken('expired')]);
  });

  test('whose refresh waits beyond the longest timer expires when it should', async () => {
    stage.strike();
    stage = setTokenStage({
      settings: { refreshAt: 0.2, refreshMargin: minute, backoff: { min: 500, max: 20_000 } },
    });
    await grantFirst(60 * day);
    await stage.time.advance(60 * day - 1);
    expect([stage.state(), expiresAt()]).toEqual(['refreshing', 60 * day]);
    await stage.time.advance(1);
    expect([stage.state(), expiresAt()]).toEqual(['refreshing', null]);
    expect(stage.requests).toHaveLength(2);
  });
});

describe('a request on the way', () => {
  test('that is abandoned is aborted, and its late answer changes nothing', async () => {
    stage.actor.send({ type: 'start' });
    const abandoned = stage.latest();
    stage.actor.stop();
    expect(abandoned.signal.aborted).toBe(true);
    await abandoned.grant(hour);
    expect([stage.reports, expiresAt()]).toEqual([[requested], null]);
  });

  test('answers once: the token does not notice what the endpoint says later', async () => {
    await grantFirst(hour);
    await stage.requests[0]?.grant(2 * hour);
    await stage.requests[0]?.fail(failure('credentials-refused', 'HTTP 401'));
    expect([stage.state(), expiresAt()]).toEqual(['valid', hour]);
    expect(stage.reports).toEqual([requested, granted(1, hour)]);
  });

  test('is not doubled by commands that come meanwhile', async () => {
    stage.actor.send({ type: 'start' });
    stage.actor.send({ type: 'start' });
    stage.actor.send({ type: 'refresh' });
    await stage.time.advance(hour);
    expect(seen()).toEqual([{ at: 0, generation: 1, kind: 'credentials' }]);
  });
});

describe('a refresh on command', () => {
  test('is sent at once, when the last request is long ago', async () => {
    await grantFirst(hour);
    await stage.time.advance(minute);
    stage.actor.send({ type: 'refresh' });
    expect(expiresAt()).toBe(hour);
    await stage.time.advance(0);
    expect([stage.state(), stage.latest().at, stage.latest().kind]).toEqual(['refreshing', minute, 'refresh']);
  });

  test('keeps 5 s from the last request, however often it is given', async () => {
    await grantFirst(hour);
    for (let times = 0; times < 49; times++) {
      stage.actor.send({ type: 'refresh' });
      await stage.time.advance(100);
    }
    expect(stage.requests).toHaveLength(1);
    await stage.time.advance(100);
    expect(stage.requests.map(({ at }) => at)).toEqual([0, 5 * second]);
  });

  test('that comes while a request is under way is sent behind it, as the credentials may be others by then', async () => {
    stage.actor.send({ type: 'start' });
    await stage.time.advance(second);
    stage.actor.send({ type: 'refresh' });
    await stage.latest().grant(hour);
    await stage.time.advance(10 * minute);
    expect(stage.requests.map(({ at }) => at)).toEqual([0, 5 * second]);
    await stage.latest().grant(hour);
    await stage.time.advance(10 * minute);
    expect(stage.requests).toHaveLength(2);
  });

  test('cuts a backoff short', async () => {
    stage.actor.send({ type: 'start' });
    await stage.latest().fail(failure('rate-limited', 'HTTP 429', hour));
    await stage.time.advance(minute);
    stage.actor.send({ type: 'refresh' });
    await stage.time.advance(0);
    expect(stage.requests.map(({ at }) => at)).toEqual([0, minute]);
  });
});

describe('a change of the settings', () => {
  const change = (settings: Partial<typeof usualTokenSettings>) =>
    stage.actor.send({ type: 'settings.changed', settings: { ...usualTokenSettings, ...settings } });

  test('moves the refresh of the token in use', async () => {
    await grantFirst(hour);
    await stage.time.advance(10 * minute);
    change({ refreshAt: 0.5 });
    await stage.time.advance(20 * minute - 1);
    expect([stage.state(), seen().length]).toEqual(['valid', 1]);
    await stage.time.advance(1);
    expect([stage.state(), seen().length]).toEqual(['refreshing', 2]);
  });

  test('has it refreshed at once where it should have been by now', async () => {
    await grantFirst(hour);
    await stage.time.advance(30 * minute);
    change({ refreshAt: 0.2 });
    await stage.time.advance(1);
    expect(stage.state()).toBe('refreshing');
  });

  test('that is about something else leaves the moment as it was drawn', async () => {
    stage.strike();
    let drawn = 0;
    stage = setTokenStage({
      random: () => {
        drawn += 1;
        return 0.25;
      },
    });
    await grantFirst(hour);
    const { refreshAt } = stage.actor.getSnapshot().context;
    change({ backoff: { min: 1, max: 2 } });
    expect([stage.actor.getSnapshot().context.refreshAt, drawn]).toEqual([refreshAt, 1]);
    await stage.time.advance(hour - minute);
    expect(stage.state()).toBe('refreshing');
  });

  test('of the backoff holds from the next failure on', async () => {
    stage.actor.send({ type: 'start' });
    change({ backoff: { min: 60_000, max: 60_000 } });
    await stage.latest().fail(failure('server-error', 'token request: HTTP 500'));
    await stage.time.advance(30 * second - 1);
    expect(seen()).toHaveLength(1);
    await stage.time.advance(1);
    expect(seen()).toHaveLength(2);
  });

  test('while a token is asked for holds for that token', async () => {
    stage.actor.send({ type: 'start' });
    change({ refreshAt: 0.5 });
    await stage.latest().grant(hour);
    await stage.time.advance(30 * minute);
    expect(stage.state()).toBe('refreshing');
  });
});
