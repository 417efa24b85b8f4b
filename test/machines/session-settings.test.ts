import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { ack, renewed, SessionStage } from './support/session-stage.ts';

const second = 1_000;

let stage: SessionStage;
beforeEach(() => {
  stage = new SessionStage();
});
afterEach(() => stage.strikeLeavingNothing());

describe('the pace', () => {
  test('of heartbeats is the new one at once, counted from the last one that left', async () => {
    await stage.goLive();
    await stage.answer('heartbeat', ack);
    await stage.time.advance(2 * second);
    await stage.change({ heartbeatInterval: 3 * second });
    await stage.time.advance(second - 1);
    expect(stage.asked('heartbeat')).toEqual([0]);
    await stage.time.advance(1);
    expect(stage.asked('heartbeat')).toEqual([0, 3 * second]);
  });

  test('of connecting holds from the next dial on', async () => {
    await stage.goLive();
    await stage.change({ connectTimeout: 2 * second });
    await stage.send({ type: 'rotate' });
    await stage.send({ type: 'succeed', session: 8 });
    await stage.time.advance(2 * second);
    expect(stage.reports.at(-1)).toMatchObject({
      type: 'session.rotation-failed',
      failure: { message: 'no connection within 2000 ms' },
    });
  });
});

test('a session that could not move to its token, and is to reconnect from now on, does so at its next try', async () => {
  await stage.change({ renewal: 'in-place' });
  await stage.goLive();
  await stage.send(renewed(2));
  await stage.refuse('renewInPlace', failure('rpc-error', 'auth/refresh: error -32601'));
  expect(stage.part('renewal')).toBe('stale');
  await stage.change({ renewal: 'reconnect' });
  await stage.pass(5 * second);
  expect(stage.state).toBe('closing');
});
