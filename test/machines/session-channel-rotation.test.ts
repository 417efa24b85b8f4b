import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { ChannelStage, firstAsk, maker, quotes } from './support/channel-stage.ts';
import { ack, allChannels } from './support/session-stage.ts';

const second = 1_000;

let stage: ChannelStage;
beforeEach(() => {
  stage = new ChannelStage();
  return stage.goLive();
});
afterEach(() => stage.strikeLeavingNothing());

describe('while a second session takes over', () => {
  const rotate = async () => {
    await stage.send({ type: 'rotate' });
    await stage.send({ type: 'succeed', session: 8 });
  };
  const authenticateIt = async () => {
    await stage.send({ type: 'socket.opened', session: 8 });
    await stage.answer('authenticate', 1, 8);
  };
  const part7 = async () => {
    await stage.answer('heartbeat', ack, 7);
    await stage.send({ type: 'socket.closed', session: 7, failure: failure('on-request', 'goodbye') });
  };

  test('the first one is asked for nothing: the second one subscribes to what is wanted', async () => {
    await rotate();
    await stage.wish(maker, quotes);
    expect([stage.part('subscriptions'), stage.asks()]).toEqual(['due', [firstAsk]]);
    await authenticateIt();
    expect(stage.asks().slice(1)).toEqual([`subscribe ${maker},${quotes} on 8`]);
    await stage.answer('subscribe', { confirmed: [maker, quotes], refused: [] }, 8);
    expect(stage.told().at(-1)).toMatchObject({ type: 'session.rotated', id: 8, previous: 7, added: [quotes] });
    expect([stage.part('subscriptions'), stage.book().held]).toEqual(['complete', [maker, quotes]]);
    await part7();
    expect([stage.part('renewal'), stage.asks().length]).toEqual(['current', 2]);
  });

  test('what changes after that waits until the first one is gone', async () => {
    await rotate();
    await authenticateIt();
    await stage.wish(maker, quotes);
    await stage.answer('subscribe', { confirmed: allChannels, refused: [] }, 8);
    expect([stage.part('subscriptions'), stage.part('renewal')]).toEqual([
      'due',
      { parting: 'having it prove itself' },
    ]);
    await stage.answer('heartbeat', ack, 7);
    expect(stage.asks()).toHaveLength(2);
    await stage.send({ type: 'socket.closed', session: 7, failure: failure('on-request', 'goodbye') });
    expect(stage.asks().slice(2)).toEqual([`subscribe ${quotes} on 8`]);
  });

  test('what fails to come about leaves the change to the first one', async () => {
    await rotate();
    await stage.wish(maker, quotes);
    await stage.send({ type: 'socket.closed', session: 8, failure: failure('connection-refused', 'no') });
    expect([stage.part('renewal'), stage.asks().slice(1)]).toEqual(['stale', [`subscribe ${quotes} on 7`]]);
  });

  test('it waits for the answer to what the first one was asked for', async () => {
    await stage.wish(...allChannels, quotes);
    await rotate();
    await authenticateIt();
    expect([stage.part('renewal'), stage.asks().length]).toEqual([{ rotating: 'authenticated' }, 2]);
    await stage.answer('subscribe', { confirmed: [quotes], refused: [] }, 7);
    expect([stage.part('renewal'), stage.asks().at(-1)]).toEqual([
      { rotating: 'subscribing' },
      `subscribe ${allChannels.join()},${quotes} on 8`,
    ]);
  });

  test('refused channels are not asked for again on either of the two', async () => {
    await stage.wish(...allChannels, quotes);
    await stage.answer('subscribe', { confirmed: [], refused: [quotes] });
    await stage.pass(25 * second);
    await rotate();
    await authenticateIt();
    await stage.pass(10 * second);
    expect([stage.part('subscriptions'), stage.asks().filter((line) => line.endsWith('on 7')).length]).toEqual([
      'due',
      2,
    ]);
    await stage.answer('subscribe', { confirmed: allChannels, refused: [quotes] }, 8);
    expect([stage.part('subscriptions'), stage.book().refused]).toEqual(['partial', [quotes]]);
  });
});
