import { afterEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { ack, allChannels, closed, renewed, SessionStage } from './support/session-stage.ts';

const second = 1_000;
const hour = 3_600 * second;
const all = { confirmed: allChannels, refused: [] };
const refused = failure('too-many-sessions', 'the venue closed the session with 4429');
const dropped = failure('connection-lost', 'the venue closed the connection');

let stage: SessionStage;
afterEach(() => stage.strikeLeavingNothing());

const renewal = () => (stage.state as { live?: { renewal?: unknown } }).live?.renewal;
const reports = () => stage.reports.map(({ type }) => type).filter((type) => type !== 'session.heartbeat');
const cuttingTimes = () => stage.calls.flatMap(({ name, input }) => (name === 'quietMoment' ? [input] : []));

async function live(mode: 'auto' | 'in-place' | 'rotate', token = 1): Promise<void> {
  stage = new SessionStage({ renewal: mode });
  await stage.goLive(all, token);
  await stage.answer('heartbeat', ack);
}

/** A second session is tried and not let in. */
async function failToRotate(found = refused): Promise<void> {
  await stage.send({ type: 'succeed', session: 8 });
  await stage.send(closed(8, found));
}

/** Stale with one refusal, the token of the session being good for an hour. */
async function goStale(found = refused): Promise<void> {
  await live('rotate');
  await stage.send(renewed(2));
  await failToRotate(found);
}

describe('a session that nothing can take over from', () => {
  test('in auto is renewed in place again before a second session is tried again: the fault may have passed', async () => {
    await live('auto');
    await stage.send(renewed(2));
    await stage.refuse('renewInPlace', failure('reply-timeout', 'no reply to auth/refresh within 10000 ms'));
    await failToRotate();
    await stage.time.advance(5 * second);
    expect(renewal()).toBe('renewing in place');
    await stage.answer('renewInPlace', 2);
    expect([renewal(), stage.actor.getSnapshot().context.renewalFailure]).toEqual(['current', null]);
  });

  test('looks for a quiet moment in the last ten seconds of its token, after one refusal', async () => {
    await goStale();
    expect([renewal(), cuttingTimes()]).toEqual(['stale', [{ from: hour - 12 * second, until: hour - 2 * second }]]);
  });

  test('looks for one from now on, after a second refusal', async () => {
    await goStale();
    await stage.time.advance(5 * second);
    await failToRotate();
    expect(cuttingTimes()[1]).toEqual({ from: 5 * second, until: hour - 2 * second });
  });

  test('waits for the last ten seconds, however often it fails for a passing reason', async () => {
    await goStale(dropped);
    await stage.time.advance(5 * second);
    await failToRotate(dropped);
    expect(cuttingTimes()).toEqual(Array(2).fill({ from: hour - 12 * second, until: hour - 2 * second }));
  });

  test('tries again after 5 s, 10 s, 20 s, and gives up the quiet moment it was looking for', async () => {
    await goStale();
    for (const [index, pause] of [5, 10, 20].entries()) {
      const asked = reports().length;
      await stage.time.advance(pause * second - 1);
      expect([renewal(), reports().slice(asked)]).toEqual(['stale', []]);
      await stage.time.advance(1);
      expect([renewal(), reports().slice(asked)]).toEqual(['awaiting a successor', ['session.wants-successor']]);
      expect(stage.calls.filter(({ name }) => name === 'quietMoment')[index]?.signal.aborted).toBe(true);
      await stage.answer('heartbeat', ack);
      await failToRotate();
    }
    expect(stage.commands.map(({ type, session }) => `${type} ${session}`)).toEqual(Array(4).fill('dial 8'));
  });

  test('waits for a limit to be over before it tries again, and is not cut until then', async () => {
    const limited = failure('rate-limited', 'connecting: HTTP 429', 300 * second);
    await goStale(limited);
    for (const times of [1, 2, 3]) {
      expect(cuttingTimes()).toEqual(Array(times).fill({ from: hour - 12 * second, until: hour - 2 * second }));
      await stage.pass(300 * second - 1);
      expect(reports().filter((type) => type === 'session.wants-successor')).toHaveLength(times);
      await stage.pass(1);
      expect(renewal()).toBe('awaiting a successor');
      await failToRotate(limited);
    }
  });

  test('forgets the failures once another session has taken over', async () => {
    await goStale();
    await stage.time.advance(5 * second);
    await stage.send({ type: 'succeed', session: 9 });
    await stage.send({ type: 'socket.opened', session: 9 });
    await stage.answer('authenticate', 2);
    await stage.answer('subscribe', all);
    const { renewalFailure, rotationsFailed, id } = stage.actor.getSnapshot().context;
    expect([renewalFailure, rotationsFailed, id, stage.state]).toMatchObject([
      null,
      0,
      9,
      { live: { renewal: { parting: 'having it prove itself' } } },
    ]);
  });

  test('takes up a newer token at once', async () => {
    await goStale();
    await stage.send(renewed(3));
    expect([renewal(), reports().at(-1)]).toEqual(['awaiting a successor', 'session.wants-successor']);
  });
});

describe('the cut', () => {
  const cut = (when: string) =>
    failure('renewal', `the session could not move to its new token (${refused.message}); it is cut, as ${when}`);

  test.each([
    [0, 'no RFQ is open now'],
    [2, '2 RFQs are open, but its token is about to expire'],
    [null, 'whether an RFQ is open is not known'],
  ])('with %s RFQs open says so, and is in good order', async (openRfqs, when) => {
    await goStale();
    await stage.answer('quietMoment', openRfqs);
    expect([stage.state, stage.commands.at(-1)]).toEqual(['closing', { at: 0, type: 'hang up', session: 7 }]);
    await stage.time.advance(second);
    expect(stage.output?.failure).toEqual(cut(when));
  });

  test('does not come of an error in looking: the session lives on', async () => {
    await goStale();
    await stage.refuse('quietMoment', failure('internal', 'x is not a function'));
    expect(renewal()).toBe('stale');
    await stage.time.advance(5 * second);
    expect(renewal()).toBe('awaiting a successor');
  });

  test('is not planned where nobody knows when the token of the session dies', async () => {
    await live('rotate', 99);
    await stage.send(renewed(100));
    await failToRotate();
    expect(cuttingTimes()).toEqual([{ from: Number.POSITIVE_INFINITY, until: null }]);
  });

  test('is not planned for a session on the newest token: a rotation that somebody asked for can wait', async () => {
    await live('rotate');
    await stage.send({ type: 'rotate' });
    await failToRotate();
    await stage.time.advance(5 * second);
    await failToRotate();
    expect(cuttingTimes()).toEqual(Array(2).fill({ from: Number.POSITIVE_INFINITY, until: null }));
  });
});

describe('a venue that does not renew in place', () => {
  const unknown = failure('rpc-error', 'auth/refresh: method not found');

  test('leaves a session stale that may only be renewed so, and is asked again after 5 s', async () => {
    await live('in-place');
    await stage.send(renewed(2));
    await stage.refuse('renewInPlace', unknown);
    expect([renewal(), stage.commands, cuttingTimes()]).toEqual([
      'stale',
      [],
      [{ from: hour - 12 * second, until: hour - 2 * second }],
    ]);
    expect(stage.reports.at(-1)).toEqual({ type: 'session.rotation-failed', id: 7, failure: unknown, token: 2 });

    await stage.time.advance(5 * second);
    expect([renewal(), stage.asked('renewInPlace')]).toEqual(['renewing in place', [0, 5 * second]]);
    await stage.answer('renewInPlace', 2);
    const { renewalFailure, rotationsFailed } = stage.actor.getSnapshot().context;
    expect([renewal(), renewalFailure, rotationsFailed]).toEqual(['current', null, 0]);
  });

  test('has a session rotated that may be', async () => {
    await live('auto');
    await stage.send(renewed(2));
    await stage.refuse('renewInPlace', unknown);
    expect([renewal(), reports().at(-1), cuttingTimes()]).toEqual([
      'awaiting a successor',
      'session.wants-successor',
      [],
    ]);
  });
});

describe('a renewal in place whose token is refused', () => {
  const bad = failure('token-refused', 'auth/refresh: invalid token');

  test('is told with the token it presented, and is no reason to present the same one in a second session', async () => {
    await live('auto');
    await stage.send(renewed(2));
    await stage.refuse('renewInPlace', bad);
    expect([renewal(), stage.commands]).toEqual(['stale', []]);
    expect(stage.reports.at(-1)).toEqual({ type: 'session.rotation-failed', id: 7, failure: bad, token: 2 });
  });

  test('is tried again with the token that follows, in place', async () => {
    await live('auto');
    await stage.send(renewed(2));
    await stage.refuse('renewInPlace', bad);
    await stage.time.advance(2 * second);
    await stage.send(renewed(3));
    expect([renewal(), stage.asked('renewInPlace')]).toEqual(['renewing in place', [0, 2 * second]]);
    await stage.answer('renewInPlace', 3);
    expect([renewal(), stage.reports.at(-1)]).toEqual(['current', { type: 'session.renewed', id: 7, generation: 3 }]);
  });
});
