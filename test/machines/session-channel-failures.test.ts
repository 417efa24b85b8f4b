import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { ChannelStage, limited, maker, quotes, taker } from './support/channel-stage.ts';
import { allChannels } from './support/session-stage.ts';

const second = 1_000;
const minute = 60 * second;
const late = failure('reply-timeout', 'no reply to v1/subscribe within 5000 ms');
const unknownMethod = failure('rpc-error', 'v1/unsubscribe: error -32601, "method not found"');

let stage: ChannelStage;
beforeEach(() => {
  stage = new ChannelStage();
  return stage.goLive();
});
afterEach(() => stage.strikeLeavingNothing());

describe('a change that fails', () => {
  test('is told, and tried again after 1 s, 2 s, and then ever more rarely', async () => {
    await stage.wish(...allChannels, quotes);
    await stage.refuse('subscribe', late);
    expect(stage.told().at(-1)).toEqual({ type: 'session.channels-failed', id: 7, failure: late });
    expect(stage.actor.getSnapshot().context.subscriptionFailure).toEqual(late);
    for (const wait of [1, 2, 4, 8]) {
      const before = stage.asks().length;
      await stage.pass(wait * second - 1);
      expect(stage.asks()).toHaveLength(before);
      await stage.pass(1);
      expect(stage.asks().at(-1)).toBe(`subscribe ${quotes} on 7`);
      await stage.refuse('subscribe', late);
    }
    await stage.pass(5 * minute);
    await stage.yes(quotes);
    expect([stage.part('subscriptions'), stage.actor.getSnapshot().context.subscriptionFailure]).toEqual([
      'complete',
      null,
    ]);
  });

  test('of a channel to be given up is told and tried again as well', async () => {
    await stage.wish(maker);
    await stage.refuse('unsubscribe', unknownMethod);
    expect([stage.part('subscriptions'), stage.book()]).toEqual([
      'partial',
      { confirmed: [maker], refused: [], held: allChannels },
    ]);
    await stage.pass(30 * second);
    await stage.answer('unsubscribe', [taker]);
    expect([stage.part('subscriptions'), stage.asks().slice(1)]).toEqual([
      'complete',
      [`unsubscribe ${taker} on 7`, `unsubscribe ${taker} on 7`],
    ]);
  });

  test('may have been done all the same: what was given up without an answer, and is wanted again, is asked for', async () => {
    await stage.wish(maker);
    await stage.refuse('unsubscribe', late);
    await stage.wish(maker, taker);
    expect(stage.asks().at(-1)).toBe(`subscribe ${taker} on 7`);
  });

  test('may have been done all the same: what was asked for without an answer, and is not wanted, is given up', async () => {
    await stage.wish(...allChannels, quotes);
    await stage.refuse('subscribe', late);
    await stage.wish(...allChannels);
    expect(stage.asks().at(-1)).toBe(`unsubscribe ${quotes} on 7`);
  });

  test('is tried at once where somebody reloads again', async () => {
    await stage.wish(...allChannels, quotes);
    await stage.refuse('subscribe', late);
    await stage.change({ heartbeatInterval: 11 * second });
    expect([stage.part('subscriptions'), stage.asks().length]).toEqual(['asking', 3]);
  });

  test('is no failure of what is wanted instead', async () => {
    const { actor } = stage;
    await stage.wish(...allChannels, quotes);
    await stage.refuse('subscribe', late);
    await stage.wish(...allChannels, 'another');
    expect(actor.getSnapshot().context).toMatchObject({ subscriptionFailure: null, subscribeRetries: 0 });
  });

  test('for a limit is not, but as soon as the limit is over, with what is wanted by then', async () => {
    await stage.wish(...allChannels, quotes);
    await stage.refuse('subscribe', limited);
    await stage.wish(...allChannels, 'another');
    await stage.pass(90 * second - 1);
    expect([stage.part('subscriptions'), stage.asks().length]).toEqual(['partial', 2]);
    await stage.pass(1);
    expect(stage.asks().at(-1)).toBe('subscribe another on 7');
    await stage.yes('another');
    expect(stage.asks().at(-1)).toBe(`unsubscribe ${quotes} on 7`);
  });

  test('for a limit does not matter any more where all is as wanted again', async () => {
    await stage.wish(...allChannels, quotes);
    await stage.refuse('subscribe', limited);
    // It may be held, so it has to be given up.
    await stage.wish(...allChannels);
    expect(stage.part('subscriptions')).toBe('partial');
    await stage.pass(90 * second);
    await stage.answer('unsubscribe', [quotes]);
    expect([stage.part('subscriptions'), stage.actor.getSnapshot().context.subscriptionFailure]).toEqual([
      'complete',
      null,
    ]);
  });
});
