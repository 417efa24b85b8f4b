import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { ack, allChannels, closed, lost, outputOf, renewed, SessionStage } from './support/session-stage.ts';

const second = 1_000;
const confirmed = { confirmed: allChannels, refused: [] };
const refused = failure('too-many-sessions', 'the venue closed the session with 4429');
let stage: SessionStage;

beforeEach(async () => {
  stage = new SessionStage({ renewal: 'rotate' });
  await stage.goLive();
  await stage.answer('heartbeat', ack);
});

afterEach(() => stage.strikeLeavingNothing());

const commands = () => stage.commands.map(({ type, session }) => `${type} ${session}`);
const reports = () => stage.reports.map(({ type }) => type).filter((type) => type !== 'session.heartbeat');
const renewal = () => (stage.state as { live?: { renewal?: unknown } }).live?.renewal;

const input = (name: string) => stage.calls.filter((call) => call.name === name).map((call) => call.input);

async function startRotation(): Promise<void> {
  await stage.send(renewed(2));
  expect(reports().at(-1)).toBe('session.wants-successor');
  await stage.send({ type: 'succeed', session: 8 });
}

/** Session 8 takes over from session 7, which is yet to prove itself. */
async function takeOver(): Promise<void> {
  await startRotation();
  await stage.send({ type: 'socket.opened', session: 8 });
  await stage.answer('authenticate', 2);
  await stage.answer('subscribe', confirmed);
}

describe('a second session', () => {
  test('is authenticated and subscribed before the first one is let go', async () => {
    await startRotation();
    expect(commands()).toEqual(['dial 8']);
    await stage.send({ type: 'socket.opened', session: 8 });
    await stage.answer('authenticate', 2);
    expect([commands(), stage.actor.getSnapshot().context.id]).toEqual([['dial 8'], 7]);
    await stage.answer('subscribe', confirmed);
    expect([commands(), stage.actor.getSnapshot().context.id]).toEqual([['dial 8'], 8]);
    expect(stage.reports.at(-1)).toEqual({ type: 'session.rotated', id: 8, previous: 7, added: [], ...confirmed });
    expect(renewal()).toEqual({ parting: 'having it prove itself' });
  });

  test('does not take over where it would cost a channel that the first one has', async () => {
    await startRotation();
    await stage.send({ type: 'socket.opened', session: 8 });
    await stage.answer('authenticate', 2);
    await stage.answer('subscribe', { confirmed: ['rfq.maker'], refused: ['rfq.taker'] });
    expect([commands(), stage.part('renewal'), stage.actor.getSnapshot().context.id]).toEqual([
      ['dial 8', 'cut 8'],
      'stale',
      7,
    ]);
    expect(stage.reports.at(-1)).toMatchObject({
      type: 'session.rotation-failed',
      failure: { code: 'channels-refused', message: 'the venue refuses rfq.taker on the second session' },
    });
    // It is tried again, and the first one is not cut for it before the last seconds of its token.
    await stage.pass(5 * second);
    expect(stage.reports.at(-1)).toMatchObject({ type: 'session.wants-successor' });
  });

  test('has a heartbeat of its own at once', async () => {
    await takeOver();
    // The second one of session 7 is to prove that it was alive to the end.
    expect(input('heartbeat')).toEqual([{ session: 7 }, { session: 7 }, { session: 8 }]);
  });

  test('carries on when the first one says goodbye, or is cut where it does not', async () => {
    for (const [old, next, token] of [
      [7, 8, 2],
      [8, 9, 3],
    ] as const) {
      await stage.send(renewed(token));
      await stage.send({ type: 'succeed', session: next });
      await stage.send({ type: 'socket.opened', session: next });
      await stage.answer('authenticate', token);
      await stage.answer('subscribe', confirmed);
      await stage.answer('heartbeat', ack, next);
      await stage.answer('heartbeat', ack, old);
      await stage.answer('lastAnswers', undefined, old);
      expect(renewal()).toEqual({ parting: 'saying goodbye' });
      if (old === 7) await stage.send(closed(old));
      else await stage.time.advance(second);
      expect([renewal(), stage.actor.getSnapshot().context.predecessor]).toEqual(['current', null]);
    }
    expect(commands()).toEqual(['dial 8', 'hang up 7', 'dial 9', 'hang up 8', 'cut 8']);
    expect(reports()).not.toContain('session.blind-spot');
  });

  test('counts as authenticated from the moment it took over', async () => {
    await stage.time.advance(9 * second);
    await takeOver();
    await stage.answer('heartbeat', ack, 7);
    await stage.time.advance(second);
    await stage.send(closed(8));
    expect(stage.output).toMatchObject({ id: 8, liveForMs: 10 * second, authenticatedForMs: second });
  });
});

describe('the session that was taken over from', () => {
  const dead = failure('half-open', 'no heartbeat reply within 5000 ms: the connection is dead');
  /** What was known of session 7 when session 8 took over, at second 3. */
  const known = { provenAt: -4, heartbeatSentAt: 0, rttMs: 4 };
  const blindSpot = { type: 'session.blind-spot', id: 8, previous: 7, proof: known, until: 3 * second };
  const predecessor = () => stage.actor.getSnapshot().context.predecessor;

  beforeEach(async () => {
    await stage.time.advance(3 * second);
    await takeOver();
    await stage.answer('heartbeat', ack, 8);
    await stage.time.advance(second);
  });

  test('is let go once it has answered a heartbeat, and what was asked on it: nothing is missing then', async () => {
    expect([renewal(), commands()]).toEqual([{ parting: 'having it prove itself' }, ['dial 8']]);
    await stage.answer('heartbeat', ack, 7);
    expect([renewal(), commands(), input('lastAnswers')]).toEqual([
      { parting: 'awaiting its last answers' },
      ['dial 8'],
      [{ session: 7 }],
    ]);
    await stage.answer('lastAnswers', undefined);
    expect([renewal(), commands()]).toEqual([{ parting: 'saying goodbye' }, ['dial 8', 'hang up 7']]);
    expect(reports().at(-1)).toBe('session.rotated');
  });

  test('is let go after ten seconds, whatever was asked on it is answered or not', async () => {
    await stage.answer('heartbeat', ack, 7);
    await stage.time.advance(10 * second - 1);
    expect(renewal()).toEqual({ parting: 'awaiting its last answers' });
    await stage.time.advance(1);
    expect([renewal(), commands()]).toEqual([{ parting: 'saying goodbye' }, ['dial 8', 'hang up 7']]);
  });

  test('may end while its last answers are waited for: it was alive', async () => {
    await stage.answer('heartbeat', ack, 7);
    await stage.send(closed(7));
    expect([renewal(), predecessor(), commands()]).toEqual(['current', null, ['dial 8']]);
    expect(reports()).not.toContain('session.blind-spot');
  });

  test('ends with the other one, which does not wait for it', async () => {
    await stage.answer('heartbeat', ack, 7);
    await stage.send(closed(8));
    expect([stage.state, stage.sockets.disposed]).toEqual(['closed', 1]);
  });

  test('is cut where it does not answer, and what it should have brought before the other one is missing', async () => {
    await stage.refuse('heartbeat', dead, 7);
    expect([renewal(), predecessor(), commands()]).toEqual(['current', null, ['dial 8', 'cut 7']]);
    expect(stage.reports.at(-1)).toEqual(blindSpot);
  });

  test('leaves the same blind spot where it ends before it has answered: what it said last may have left long ago', async () => {
    await stage.send(closed(7));
    expect([renewal(), predecessor(), commands()]).toEqual(['current', null, ['dial 8']]);
    expect(stage.reports.at(-1)).toEqual(blindSpot);
  });

  test('does not end the other one by its own end, which beats on', async () => {
    await stage.refuse('heartbeat', dead, 7);
    await stage.time.advance(9 * second);
    expect(input('heartbeat').at(-1)).toEqual({ session: 8 });
    expect(stage.asked('heartbeat').at(-1)).toBe(13 * second);
  });

  test('is the one whose proof counts where the other one is lost before it has answered', async () => {
    await stage.send(closed(8));
    const ended = { id: 8, failure: lost, token: 2, liveForMs: 4 * second, authenticatedForMs: second };
    expect([stage.state, stage.output]).toEqual(['closed', outputOf({ ...ended, unproven: 7, proof: known })]);
  });

  test('is not any more where the other one is lost after it has answered, or has closed in good order', async () => {
    await stage.answer('heartbeat', ack, 7);
    await stage.time.advance(second / 2);
    await stage.send(closed(8));
    const proof = { provenAt: 3 * second - 4, heartbeatSentAt: 3 * second, rttMs: 4 };
    const ended = { id: 8, failure: lost, token: 2, liveForMs: 4.5 * second, authenticatedForMs: 1.5 * second };
    expect(stage.output).toEqual(outputOf({ ...ended, unproven: 8, proof }));
  });
});

test('a session that was taken over from is not kept for longer than its token lives', async () => {
  const expiresAt = 3_600 * second;
  await stage.time.advance(expiresAt - 4 * second);
  await takeOver();
  await stage.answer('heartbeat', ack, 8);
  await stage.answer('heartbeat', ack, 7);
  await stage.time.advance(4 * second - 1);
  expect(renewal()).toEqual({ parting: 'awaiting its last answers' });
  await stage.time.advance(1);
  expect(renewal()).toEqual({ parting: 'saying goodbye' });
});

describe('where the venue takes no second session', () => {
  const ways = {
    'it is not let in': () => stage.send(closed(8, refused)),
    'it is not authenticated': async () => {
      await stage.send({ type: 'socket.opened', session: 8 });
      await stage.refuse('authenticate', refused);
    },
    'it is not subscribed': async () => {
      await stage.send({ type: 'socket.opened', session: 8 });
      await stage.answer('authenticate', 2);
      await stage.refuse('subscribe', refused);
    },
  };

  test.each(Object.entries(ways))('the first one lives on and says so: %s', async (_, fail) => {
    await startRotation();
    await fail();
    expect([renewal(), stage.actor.getSnapshot().context.id]).toEqual(['stale', 7]);
    expect(stage.actor.getSnapshot().context.renewalFailure).toEqual(refused);
    expect(stage.reports.at(-1)).toEqual({ type: 'session.rotation-failed', id: 7, failure: refused, token: 2 });
  });

  test('no connection in time counts as refused', async () => {
    await startRotation();
    await stage.time.advance(10 * second);
    expect([renewal(), commands()]).toEqual(['stale', ['dial 8', 'cut 8']]);
  });

  test('it is tried again after 5 s, 10 s, 20 s, and with the next token at once', async () => {
    await startRotation();
    for (const pause of [5, 10, 20]) {
      await ways['it is not let in']();
      const asked = reports().length;
      await stage.time.advance(pause * second - 1);
      expect(reports().slice(asked)).toEqual([]);
      await stage.time.advance(1);
      expect(reports().slice(asked)).toEqual(['session.wants-successor']);
      await stage.send({ type: 'succeed', session: 8 });
    }
    await ways['it is not let in']();
    await stage.send(renewed(3));
    expect([renewal(), reports().at(-1)]).toEqual(['awaiting a successor', 'session.wants-successor']);
  });

  test('the loss of the first one before the second one is connected ends the session', async () => {
    await startRotation();
    await stage.send(closed(7));
    expect([stage.state, stage.output?.failure]).toEqual(['closed', lost]);
  });
});

describe('where the first one ends while the second one is let in', () => {
  const ended = (previous: number) => ({ type: 'session.stepped-in', id: 8, previous, failure: lost });

  test('that goes on in its place: it is authenticated, and subscribed as a session is', async () => {
    await startRotation();
    await stage.send({ type: 'socket.opened', session: 8 });
    await stage.send(closed(7));
    expect([stage.state, stage.reports.at(-1)]).toMatchObject(['authenticating', ended(7)]);
    expect(stage.reports.at(-1)).toMatchObject({
      liveForMs: expect.any(Number),
      authenticatedForMs: expect.any(Number),
    });
    await stage.answer('authenticate', 2, 8);
    await stage.answer('subscribe', confirmed, 8);
    expect([stage.reports.at(-1), commands()]).toEqual([{ type: 'session.live', id: 8, ...confirmed }, ['dial 8']]);
    expect([renewal(), stage.actor.getSnapshot().context.authenticatedWith]).toEqual(['current', 2]);
  });

  test('that is asked for nothing again but its channels, where it was let in already', async () => {
    await startRotation();
    await stage.send({ type: 'socket.opened', session: 8 });
    await stage.answer('authenticate', 2);
    await stage.send(closed(7));
    expect(stage.reports.at(-1)).toMatchObject(ended(7));
    expect([input('authenticate').length, input('subscribe').at(-1)]).toEqual([
      2,
      { session: 8, channels: allChannels },
    ]);
    await stage.answer('subscribe', confirmed, 8);
    expect([stage.reports.at(-1)?.type, stage.actor.getSnapshot().context]).toMatchObject([
      'session.live',
      { id: 8, successor: null, authenticatedWith: 2, lastHeartbeat: null },
    ]);
  });

  test('a token that came meanwhile is not blamed for the one it has shown', async () => {
    await startRotation();
    await stage.send({ type: 'socket.opened', session: 8 });
    await stage.send(renewed(3));
    await stage.send(closed(7));
    await stage.refuse('authenticate', failure('token-refused', 'auth: error -32700'));
    await stage.send(closed(8));
    expect(stage.output?.token).toBe(2);
  });

  test('what it was asked for and nobody wants any more is given up once it is live', async () => {
    await startRotation();
    await stage.send({ type: 'socket.opened', session: 8 });
    await stage.answer('authenticate', 2);
    await stage.change({ channels: ['rfq.maker'] });
    await stage.send(closed(7));
    await stage.answer('subscribe', { confirmed: ['rfq.maker'], refused: [] }, 8);
    expect(input('unsubscribe')).toEqual([{ session: 8, channels: ['rfq.taker'] }]);
  });

  test('its first heartbeat is due an interval after its connection, however long the rest takes', async () => {
    await startRotation();
    await stage.send({ type: 'socket.opened', session: 8 });
    await stage.time.advance(3 * second);
    await stage.answer('authenticate', 2);
    await stage.time.advance(2 * second);
    await stage.send(closed(7));
    const before = input('heartbeat').length;
    await stage.time.advance(5 * second - 1);
    expect(input('heartbeat').length).toBe(before);
    await stage.time.advance(1);
    expect(input('heartbeat').slice(before)).toEqual([{ session: 8 }]);
  });

  test('and that one ends as well, the session has ended, and was never live in its place', async () => {
    await startRotation();
    await stage.send({ type: 'socket.opened', session: 8 });
    await stage.send(closed(7));
    await stage.send(closed(8, refused));
    expect([stage.state, stage.output]).toMatchObject(['closed', { id: 8, failure: refused, liveForMs: null }]);
  });
});

test('a session is rotated on request too', async () => {
  await stage.send({ type: 'rotate' });
  expect([renewal(), reports().at(-1)]).toEqual(['awaiting a successor', 'session.wants-successor']);
});

test('auto renews in place first, and falls back to a second session when the venue refuses', async () => {
  stage.strike();
  stage = new SessionStage({ renewal: 'auto' });
  await stage.goLive();
  await stage.send(renewed(2));
  await stage.refuse('renewInPlace', failure('rpc-error', 'auth: error -32601, "method not found"'));
  expect([renewal(), reports().at(-1)]).toEqual(['awaiting a successor', 'session.wants-successor']);
});

test('a token that comes while the second session presents the one before is not blamed for its refusal', async () => {
  const bad = failure('token-refused', 'auth: error -32700');
  await startRotation();
  await stage.send({ type: 'socket.opened', session: 8 });
  await stage.send(renewed(3));
  await stage.refuse('authenticate', bad);
  expect(stage.reports.at(-1)).toEqual({ type: 'session.rotation-failed', id: 7, failure: bad, token: 2 });
});
