import { afterEach, beforeEach, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { ack, allChannels, lost, renewed, SessionStage } from './support/session-stage.ts';

const expired = failure('session-expired', 'the venue closed the session with 4401');
let stage: SessionStage;

/** The second session has just taken over, and the first one is asked whether it was alive to the end. */
beforeEach(async () => {
  stage = new SessionStage({ renewal: 'rotate' });
  await stage.goLive();
  await stage.answer('heartbeat', ack);
  await stage.send(renewed(2));
  await stage.send({ type: 'succeed', session: 8 });
  await stage.send({ type: 'socket.opened', session: 8 });
  await stage.answer('authenticate', 2);
  await stage.answer('subscribe', { confirmed: allChannels, refused: [] });
});

afterEach(() => {
  stage.actor.stop();
  stage.time.expectNoTimers();
});

const blindSpots = () => stage.reports.filter(({ type }) => type === 'session.blind-spot');

test('a first session that the venue closes a round trip after the takeover has brought everything', async () => {
  await stage.time.advance(ack.rttMs);
  await stage.send({ type: 'socket.closed', session: 7, failure: expired, isComplete: true });
  expect(blindSpots()).toEqual([]);
});

test('one whose close frame is read sooner may have ended before the second was subscribed', async () => {
  await stage.time.advance(ack.rttMs - 1);
  await stage.send({ type: 'socket.closed', session: 7, failure: expired, isComplete: true });
  expect(blindSpots()).toMatchObject([{ id: 8, previous: 7, proof: { rttMs: ack.rttMs }, until: 0 }]);
});

test('one that breaks is a blind spot whenever it does', async () => {
  await stage.time.advance(ack.rttMs);
  await stage.send({ type: 'socket.closed', session: 7, failure: lost, isComplete: false });
  expect(blindSpots()).toHaveLength(1);
});
