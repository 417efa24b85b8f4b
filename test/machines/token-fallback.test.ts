import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { granted, lostToken, requested, setTokenStage, type TokenStage } from './support/token-stage.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const refreshRefused = failure('refresh-token-refused', 'token request: HTTP 400, "Token is not active"');

let stage: TokenStage;
const open = (...given: Parameters<typeof setTokenStage>) => {
  stage?.strike();
  stage = setTokenStage(...given);
};
beforeEach(() => open());
afterEach(() => {
  stage.strike();
  stage.time.expectNoTimers();
});

const seen = () => stage.requests.map(({ at, generation, kind }) => ({ at, generation, kind }));
const moments = () => stage.requests.map(({ at }) => at);

/** From the start to the request for the second token, which goes out with a refresh token after eight minutes. */
async function reachRefresh(): Promise<void> {
  stage.actor.send({ type: 'start' });
  await stage.latest().grant(10 * minute);
  await stage.time.advance(8 * minute);
}

describe('a refresh token that is refused', () => {
  test('is followed by the credentials at once, as if nothing had failed', async () => {
    await reachRefresh();
    await stage.latest().fail(refreshRefused);
    expect(seen()).toEqual([
      { at: 0, generation: 1, kind: 'credentials' },
      { at: 8 * minute, generation: 2, kind: 'refresh' },
      { at: 8 * minute, generation: 2, kind: 'credentials' },
    ]);
    expect(stage.actor.getSnapshot().value).toEqual({ refreshing: 'by credentials' });
    await stage.latest().grant(10 * minute);
    expect(stage.reports).toEqual([
      requested,
      granted(1, 10 * minute),
      requested,
      requested,
      granted(2, 10 * minute, { requestedAt: 8 * minute, renewal: true }),
    ]);
    expect(stage.actor.getSnapshot().context.failedInARow).toBe(0);
  });

  test('leaves the old token in use while the credentials are tried', async () => {
    await reachRefresh();
    await stage.latest().fail(refreshRefused);
    expect(stage.actor.getSnapshot().context.expiresAt).toBe(10 * minute);
    await stage.latest().fail(failure('credentials-refused', 'token request: HTTP 401'));
    expect([stage.state(), stage.actor.getSnapshot().context.expiresAt]).toEqual(['blocked', 10 * minute]);
  });

  test('is followed by nothing where the credentials fail too: the pace of requests holds again', async () => {
    await reachRefresh();
    await stage.latest().fail(refreshRefused);
    await stage.latest().fail(failure('connection-lost', 'reset'));
    expect(stage.state()).toBe('waiting');
    await stage.time.advance(5 * second - 1);
    expect(stage.requests).toHaveLength(3);
    await stage.time.advance(1);
    expect(moments()).toEqual([0, 8 * minute, 8 * minute, 8 * minute + 5 * second]);
  });

  test('counts in the ceiling: ten in a minute are followed by two requests, and no more before the minute is over', async () => {
    stage.actor.send({ type: 'start' });
    await stage.latest().grant(hour);
    for (let times = 0; times < 6; times++) {
      stage.actor.send({ type: 'refresh' });
      await stage.time.advance(5 * second);
      await stage.latest().fail(refreshRefused);
      if (times < 5) await stage.latest().grant(hour);
    }
    // One at the start, two for each of five refreshes, and the sixth refresh token: there is no room for its successor.
    expect(moments()).toEqual([0, 5, 5, 10, 10, 15, 15, 20, 20, 25, 25, 30].map((seconds) => seconds * second));
    expect(stage.state()).toBe('waiting');
    await stage.time.advance(30 * second - 1);
    expect(stage.requests).toHaveLength(12);
    await stage.time.advance(1);
    expect(moments().slice(12)).toEqual([minute]);
    await stage.latest().grant(hour);
    expect(stage.reports.at(-1)).toEqual(granted(7, hour, { requestedAt: minute, renewal: true }));
  });

  test('whose token died meanwhile still brings a token, told as lost first', async () => {
    await reachRefresh();
    await stage.time.advance(2 * minute);
    await stage.latest().fail(refreshRefused);
    await stage.latest().grant(hour);
    expect(stage.reports.slice(3)).toEqual([
      lostToken('expired'),
      requested,
      granted(2, hour, { requestedAt: 10 * minute, renewal: true }),
    ]);
  });
});

describe('a refresh token that fails for reasons of the venue', () => {
  const fault = failure('server-error', 'token request: HTTP 500');

  test('is tried once more, and then the credentials, while the old token lives', async () => {
    await reachRefresh();
    for (let times = 0; times < 3; times++) {
      await stage.latest().fail(fault);
      await stage.time.advance(5 * second);
    }
    expect(seen().slice(1)).toEqual([
      { at: 8 * minute, generation: 2, kind: 'refresh' },
      { at: 8 * minute + 5 * second, generation: 2, kind: 'refresh' },
      { at: 8 * minute + 10 * second, generation: 2, kind: 'credentials' },
      { at: 8 * minute + 15 * second, generation: 2, kind: 'credentials' },
    ]);
    await stage.latest().grant(10 * minute);
    expect(stage.reports.some(({ type }) => type === 'token.lost')).toBe(false);
  });

  test('is used again for the token after next', async () => {
    await reachRefresh();
    for (let times = 0; times < 2; times++) {
      await stage.latest().fail(fault);
      await stage.time.advance(5 * second);
    }
    await stage.latest().grant(10 * minute);
    await stage.time.advance(8 * minute);
    expect(stage.latest()).toMatchObject({ generation: 3, kind: 'refresh' });
  });
});

describe('the ceiling across restarts', () => {
  const earlierRequests = Array.from({ length: 12 }, (_, index) => (index - 12) * 4 * second);

  test('holds the first request back where an earlier run made twelve in this minute', async () => {
    open({ earlierRequests });
    stage.actor.send({ type: 'start' });
    expect([stage.state(), moments()]).toEqual(['waiting', []]);
    await stage.time.advance(12 * second - 1);
    expect(moments()).toEqual([]);
    await stage.time.advance(1);
    expect(seen()).toEqual([{ at: 12 * second, generation: 1, kind: 'credentials' }]);
  });

  test('lets the first request go at once where an earlier run made eleven', () => {
    open({ earlierRequests: earlierRequests.slice(1) });
    stage.actor.send({ type: 'start' });
    expect(moments()).toEqual([0]);
  });

  test('counts the requests of both runs together', async () => {
    open({ earlierRequests: earlierRequests.slice(1) });
    stage.actor.send({ type: 'start' });
    await stage.latest().fail(failure('connection-lost', 'reset'));
    await stage.time.advance(16 * second - 1);
    expect(moments()).toEqual([0]);
    await stage.time.advance(1);
    expect(moments()).toEqual([0, 16 * second]);
  });
});
