import { afterEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { DaemonStage } from './support/daemon-stage.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

let stage: DaemonStage;
const open = async (...given: ConstructorParameters<typeof DaemonStage>) => {
  stage = new DaemonStage(...given);
  await stage.time.advance(0);
};
afterEach(() => stage.strikeLeavingNothing());

describe('what an earlier run did', () => {
  const everySecond = (count: number) => Array.from({ length: count }, (_, index) => (index - count) * second);

  test('holds the first dial back where it dialled ten times in this minute', async () => {
    await open({}, {}, undefined, undefined, { dials: everySecond(10), tokenRequests: [] });
    expect([stage.state, stage.dials]).toEqual(['backing off', []]);
    expect([stage.context.nextDialAt, stage.context.heldByCeiling]).toEqual([50 * second, true]);
    await stage.time.advance(50 * second - 1);
    expect(stage.dials).toEqual([]);
    await stage.time.advance(1);
    expect([stage.sessionState, stage.dials]).toEqual(['live', [50 * second]]);
  });

  test('counts together with what this one does', async () => {
    await open({}, {}, undefined, undefined, { dials: everySecond(9), tokenRequests: [] });
    expect(stage.dials).toEqual([0]);
    await stage.send({ type: 'reconnect' });
    await stage.time.advance(51 * second - 1);
    expect(stage.dials).toEqual([0]);
    await stage.time.advance(1);
    expect(stage.dials).toEqual([0, 51 * second]);
  });

  test('holds the first token back where it asked for twelve in this minute', async () => {
    await open({}, {}, undefined, undefined, { dials: [], tokenRequests: everySecond(12) });
    expect([stage.state, stage.tokenState, stage.requests]).toEqual(['awaiting a token', 'waiting', []]);
    await stage.time.advance(48 * second);
    expect([stage.sessionState, stage.requests, stage.dials]).toEqual(['live', [48 * second], [48 * second]]);
  });

  test('holds nothing back that is allowed', async () => {
    await open({}, {}, undefined, undefined, { dials: everySecond(9), tokenRequests: everySecond(11) });
    expect([stage.requests, stage.dials, stage.context.heldByCeiling]).toEqual([[0], [0], false]);
  });
});

describe('a jump of time', () => {
  const jump = async (ms: number) => {
    stage.time.sleep(ms);
    await stage.send({ type: 'clock.jumped' });
    await stage.time.advance(0);
  };

  test('has the session prove its link, and the token be refreshed, where both are overdue', async () => {
    await open();
    let heartbeats = 0;
    stage.venue.heartbeat = async () => {
      heartbeats += 1;
      return { rttMs: 4, clockOffsetMs: null };
    };
    await jump(50 * minute);
    expect([heartbeats, stage.requests, stage.sessionState]).toEqual([1, [0, 50 * minute], 'live']);
  });

  test('reaches the token while there is no session', async () => {
    await open({ connect: () => null });
    await stage.time.advance(10 * second);
    expect(stage.state).toBe('backing off');
    await jump(2 * hour);
    // The dial was due too, and found no token that lives.
    expect([stage.requests, stage.dials.length]).toEqual([[0, 2 * hour + 10 * second], 2]);
    expect(stage.sessionState).toBe('connecting');
  });

  test('dials at once where the dial came due meanwhile, and no sooner where it did not', async () => {
    await open();
    await stage.drop(failure('too-many-sessions', 'close 4429'));
    await jump(6 * second);
    expect(stage.dials).toEqual([0]);
    await jump(11 * second);
    expect(stage.dials).toEqual([0, 17 * second]);
  });

  test('reaches the token while a first one is awaited', async () => {
    await open({ grant: () => Promise.reject(new Error('no')) });
    expect([stage.state, stage.tokenState]).toEqual(['awaiting a token', 'waiting']);
    stage.venue.grant = async () => ({ lifeMs: hour });
    await jump(hour);
    expect([stage.sessionState, stage.requests]).toEqual(['live', [0, hour]]);
  });
});
