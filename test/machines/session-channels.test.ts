import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChannelStage, firstAsk, limited, maker, quotes, taker } from './support/channel-stage.ts';
import { allChannels } from './support/session-stage.ts';

const second = 1_000;
const minute = 60 * second;

let stage: ChannelStage;
beforeEach(() => {
  stage = new ChannelStage();
});
afterEach(() => stage.strikeLeavingNothing());

describe('on a live session', () => {
  beforeEach(() => stage.goLive());

  test('a channel that is wanted is asked for alone, and the others are left as they are', async () => {
    await stage.wish(...allChannels, quotes);
    expect([stage.part('subscriptions'), stage.asks()]).toEqual(['asking', [firstAsk, `subscribe ${quotes} on 7`]]);
    await stage.yes(quotes);
    expect(stage.part('subscriptions')).toBe('complete');
    expect(stage.told().at(-1)).toEqual({
      type: 'session.resubscribed',
      id: 7,
      added: [quotes],
      confirmed: [...allChannels, quotes],
      refused: [],
    });
  });

  test('one that nobody wants is given up', async () => {
    await stage.wish(maker);
    expect([stage.part('subscriptions'), stage.asks().slice(1)]).toEqual(['giving up', [`unsubscribe ${taker} on 7`]]);
    await stage.answer('unsubscribe', [taker]);
    expect([stage.part('subscriptions'), stage.book()]).toEqual([
      'complete',
      { confirmed: [maker], refused: [], held: [maker] },
    ]);
    expect(stage.told().at(-1)).toEqual({ type: 'session.unsubscribed', id: 7, channels: [taker] });
  });

  test('what is wanted comes before what is not', async () => {
    await stage.wish(maker, quotes);
    await stage.yes(quotes);
    await stage.answer('unsubscribe', [taker]);
    expect(stage.asks().slice(1)).toEqual([`subscribe ${quotes} on 7`, `unsubscribe ${taker} on 7`]);
    expect(stage.book()).toEqual({ confirmed: [maker, quotes], refused: [], held: [maker, quotes] });
  });

  test('nothing is asked where the same is wanted', async () => {
    await stage.change({ heartbeatInterval: 20 * second });
    await stage.wish(taker, maker);
    expect([stage.part('subscriptions'), stage.asks()]).toEqual(['complete', [firstAsk]]);
  });

  test('one that the venue refuses is asked for again, after 30 s', async () => {
    await stage.wish(...allChannels, quotes);
    await stage.answer('subscribe', { confirmed: [], refused: [quotes] });
    expect([stage.part('subscriptions'), stage.book().refused]).toEqual(['partial', [quotes]]);
    await stage.pass(30 * second - 1);
    expect(stage.asks()).toHaveLength(2);
    await stage.pass(1);
    expect(stage.asks()).toHaveLength(3);
  });

  test('one that was refused is forgotten when nobody wants it any more', async () => {
    await stage.wish(...allChannels, quotes);
    await stage.answer('subscribe', { confirmed: [], refused: [quotes] });
    await stage.wish(...allChannels);
    expect([stage.part('subscriptions'), stage.book().refused, stage.asks().length]).toEqual(['complete', [], 2]);
    await stage.pass(10 * minute);
    expect(stage.asks()).toHaveLength(2);
  });

  describe('that changes once more before the venue has answered', () => {
    test('the answer is waited for, and then compared with what is wanted', async () => {
      await stage.wish(...allChannels, quotes);
      await stage.wish(maker);
      expect(stage.asks()).toHaveLength(2);
      await stage.yes(quotes);
      expect(stage.asks().slice(2)).toEqual([`unsubscribe ${taker},${quotes} on 7`]);
      await stage.answer('unsubscribe', [taker, quotes]);
      expect([stage.part('subscriptions'), stage.book().confirmed]).toEqual(['complete', [maker]]);
    });

    test('a refusal of what is not wanted any more is no refusal', async () => {
      await stage.wish(...allChannels, quotes);
      await stage.wish(...allChannels);
      await stage.answer('subscribe', { confirmed: [], refused: [quotes] });
      expect([stage.part('subscriptions'), stage.book()]).toEqual([
        'complete',
        { confirmed: allChannels, refused: [], held: allChannels },
      ]);
    });

    test('one that is given up and wanted again is asked for again', async () => {
      await stage.wish(maker);
      await stage.wish(maker, taker);
      await stage.answer('unsubscribe', [taker]);
      expect(stage.asks().slice(2)).toEqual([`subscribe ${taker} on 7`]);
    });
  });
});

describe('before a session is live', () => {
  test('what is wanted when it subscribes is what it subscribes to', async () => {
    await stage.wish(maker);
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.wish(taker);
    await stage.answer('authenticate', 1);
    expect(stage.asks()).toEqual([`subscribe ${taker} on 7`]);
    await stage.yes(taker);
    expect([stage.part('subscriptions'), stage.book().confirmed]).toEqual(['complete', [taker]]);
  });

  test('what changes while it subscribes is made up for as soon as it is live', async () => {
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.answer('authenticate', 1);
    await stage.wish(maker, quotes);
    await stage.yes(...allChannels);
    expect(stage.told().slice(-1)).toEqual([{ type: 'session.live', id: 7, confirmed: allChannels, refused: [] }]);
    await stage.yes(quotes);
    expect(stage.asks()).toEqual([firstAsk, `subscribe ${quotes} on 7`, `unsubscribe ${taker} on 7`]);
  });

  test('what was asked for before a limit, and perhaps granted, is given up where nobody wants it any more', async () => {
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.answer('authenticate', 1);
    await stage.refuse('subscribe', limited);
    await stage.wish(maker);
    await stage.pass(90 * second);
    await stage.yes(maker);
    expect(stage.asks()).toEqual([firstAsk, `subscribe ${maker} on 7`, `unsubscribe ${taker} on 7`]);
  });
});
