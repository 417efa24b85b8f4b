import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { granted, lostToken, requested, setTokenStage, type TokenStage } from './support/token-stage.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const refusal = failure('credentials-refused', 'token request: HTTP 401');

let stage: TokenStage;
beforeEach(() => {
  stage = setTokenStage();
  stage.actor.send({ type: 'start' });
});
afterEach(() => {
  stage.strike();
  stage.time.expectNoTimers();
});

const moments = () => stage.requests.map(({ at }) => at);

/** The socket refuses the token in use; the endpoint grants the next as soon as it is asked. */
async function refuseOnSocket(): Promise<void> {
  const { generation } = stage.actor.getSnapshot().context;
  const before = stage.requests.length;
  stage.actor.send({ type: 'token.refused', generation });
  await stage.time.advance(5 * second);
  if (stage.requests.length > before) await stage.latest().grant(hour);
}

describe('credentials that the venue refuses', () => {
  test('block the token, with the reason', async () => {
    await stage.latest().fail(refusal);
    expect(stage.state()).toBe('blocked');
    expect(stage.reports).toEqual([
      requested,
      { type: 'token.failed', failure: refusal, retryInMs: 30 * second, renewal: false },
    ]);
  });

  test('are probed after 30 s, 60 s, 2 min, 4 min, then every 5 min', async () => {
    const waits: number[] = [];
    for (let times = 0; times < 7; times++) {
      const sent = stage.requests.length;
      const since = stage.time.now();
      await stage.latest().fail(refusal);
      while (stage.requests.length === sent) await stage.time.advance(second);
      waits.push(stage.latest().at - since);
    }
    expect(waits).toEqual([30, 60, 120, 240, 300, 300, 300].map((seconds) => seconds * second));
  });

  test('are tried again at once on refresh', async () => {
    await stage.latest().fail(refusal);
    await stage.time.advance(10 * second);
    stage.actor.send({ type: 'refresh' });
    expect(stage.state()).toBe('waiting');
    await stage.time.advance(0);
    expect(moments()).toEqual([0, 10 * second]);
  });

  test('are tried again on refresh no sooner than 5 s after the last try', async () => {
    await stage.latest().fail(refusal);
    await stage.time.advance(second);
    stage.actor.send({ type: 'refresh' });
    await stage.time.advance(4 * second - 1);
    expect(moments()).toEqual([0]);
    await stage.time.advance(1);
    expect(moments()).toEqual([0, 5 * second]);
  });

  test('are tried again at once when they changed while a request with the old ones was on its way', async () => {
    await stage.latest().fail(refusal);
    await stage.time.advance(30 * second);
    expect(stage.state()).toBe('authenticating');
    stage.actor.send({ type: 'refresh' });
    await stage.latest().fail(refusal);
    await stage.time.advance(5 * second);
    expect(moments()).toEqual([0, 30 * second, 35 * second]);

    // The wish is granted once, not for ever.
    await stage.latest().fail(refusal);
    expect(stage.state()).toBe('blocked');
    await stage.time.advance(29 * second);
    expect(moments()).toHaveLength(3);
  });

  test('while an older token lives: the token is blocked yet usable until it expires', async () => {
    await stage.latest().grant(10 * minute);
    await stage.time.advance(8 * minute);
    await stage.latest().fail(refusal);
    expect([stage.state(), stage.actor.getSnapshot().context.expiresAt]).toEqual(['blocked', 10 * minute]);
    await stage.time.advance(2 * minute);
    expect(stage.reports.at(-1)).toEqual(lostToken('expired'));
  });

  test('are forgotten with the first token', async () => {
    await stage.latest().fail(refusal);
    await stage.time.advance(30 * second);
    await stage.latest().grant(hour);
    const { lastFailure, failedInARow } = stage.actor.getSnapshot().context;
    expect([stage.state(), lastFailure, failedInARow]).toEqual(['valid', null, 0]);
  });
});

describe('a limit of the venue', () => {
  test('is waited out as long as the venue asked', async () => {
    await stage.latest().fail(failure('rate-limited', 'HTTP 429', 40 * second));
    expect(stage.state()).toBe('waiting');
    await stage.time.advance(42 * second - 1);
    expect(moments()).toEqual([0]);
    await stage.time.advance(1);
    expect(moments()).toEqual([0, 42 * second]);
  });

  test('never brings requests closer than 5 s, even where the venue asks for less', async () => {
    await stage.latest().fail(failure('rate-limited', 'HTTP 429', 0));
    await stage.time.advance(5 * second - 1);
    expect(moments()).toEqual([0]);
    await stage.time.advance(1);
    expect(moments()).toEqual([0, 5 * second]);
  });
});

describe('a token that the socket refuses', () => {
  test('is given up and replaced as soon as the pace of requests allows', async () => {
    await stage.latest().grant(hour);
    await stage.time.advance(second);
    stage.actor.send({ type: 'token.refused', generation: 1 });
    expect([stage.state(), stage.actor.getSnapshot().context.expiresAt]).toEqual(['waiting', null]);
    await stage.time.advance(4 * second);
    expect(stage.latest()).toMatchObject({ at: 5 * second, generation: 2, kind: 'credentials' });
    expect(stage.reports).toEqual([requested, granted(1, hour), lostToken('refused'), requested]);
  });

  test.each(['older', 'newer'])('changes nothing when it is an %s one', async (which) => {
    await stage.latest().grant(hour);
    stage.actor.send({ type: 'token.refused', generation: which === 'older' ? 0 : 2 });
    await stage.time.advance(minute);
    expect([stage.state(), stage.reports.length, moments()]).toEqual(['valid', 2, [0]]);
  });

  test('while its refresh is on the way waits for that answer', async () => {
    await stage.latest().grant(10 * minute);
    await stage.time.advance(8 * minute);
    stage.actor.send({ type: 'token.refused', generation: 1 });
    expect([stage.state(), stage.reports.at(-1)]).toEqual(['refreshing', lostToken('refused')]);
    await stage.latest().grant(10 * minute);
    expect([stage.state(), stage.requests.length]).toEqual(['valid', 2]);
  });

  test('twice counts once', async () => {
    await stage.latest().grant(hour);
    stage.actor.send({ type: 'token.refused', generation: 1 });
    stage.actor.send({ type: 'token.refused', generation: 1 });
    expect(stage.actor.getSnapshot().context.refusedInARow).toBe(1);
    expect(stage.reports).toEqual([requested, granted(1, hour), lostToken('refused')]);
  });

  test('with three fresh successors refused too blocks the credentials', async () => {
    await stage.latest().grant(hour);
    for (let times = 0; times < 3; times++) await refuseOnSocket();
    expect([stage.state(), moments()]).toEqual(['valid', [0, 5_000, 10_000, 15_000]]);

    await refuseOnSocket();
    const found = failure(
      'credentials-refused',
      'the venue issues tokens for these credentials and its socket refused 4 of them in a row',
    );
    expect(stage.state()).toBe('blocked');
    expect(stage.reports.slice(-2)).toEqual([
      lostToken('refused', 4),
      { type: 'token.failed', failure: found, retryInMs: 30 * second, renewal: false },
    ]);
  });

  test('again and again is probed ever more slowly, up to every 5 min', async () => {
    await stage.latest().grant(hour);
    for (let times = 0; times < 3; times++) await refuseOnSocket();
    const waits: number[] = [];
    for (let times = 0; times < 6; times++) {
      const since = stage.time.now();
      const sent = stage.requests.length;
      stage.actor.send({ type: 'token.refused', generation: stage.actor.getSnapshot().context.generation });
      expect(stage.state()).toBe('blocked');
      while (stage.requests.length === sent) await stage.time.advance(second);
      waits.push(stage.latest().at - since);
      await stage.latest().grant(hour);
    }
    expect(waits).toEqual([30, 60, 120, 240, 300, 300].map((seconds) => seconds * second));
  });

  test('is not probed at once because of a refresh that a grant has fulfilled since', async () => {
    await stage.latest().grant(hour);
    for (let times = 0; times < 2; times++) await refuseOnSocket();
    stage.actor.send({ type: 'token.refused', generation: 3 });
    await stage.time.advance(5 * second);
    stage.actor.send({ type: 'refresh' });
    await stage.latest().grant(hour);
    await refuseOnSocket();
    expect(stage.state()).toBe('blocked');
    expect(stage.reports.at(-1)).toMatchObject({ type: 'token.failed', retryInMs: 30 * second });
  });

  test('does not count any more once the venue accepted one', async () => {
    await stage.latest().grant(hour);
    for (let times = 0; times < 3; times++) await refuseOnSocket();
    stage.actor.send({ type: 'token.accepted' });
    for (let times = 0; times < 3; times++) await refuseOnSocket();
    expect(stage.state()).toBe('valid');
    await refuseOnSocket();
    expect(stage.state()).toBe('blocked');
  });
});
