import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { ack, allChannels, renewed, SessionStage } from './support/session-stage.ts';

const second = 1_000;
const minute = 60 * second;
const [maker = '', taker = ''] = allChannels;
const quotes = 'rfq_quote.maker';
const late = failure('reply-timeout', 'no reply to v1/subscribe within 5000 ms');
const unknownMethod = failure('rpc-error', 'v1/unsubscribe: error -32601, "method not found"');
const limited = failure('rate-limited', 'v1/subscribe: error 429', 90 * second);

let stage: SessionStage;
beforeEach(() => {
  stage = new SessionStage();
});
afterEach(() => stage.strikeLeavingNothing());

const wish = (...channels: string[]) => stage.change({ channels });
const part = (region: 'subscriptions' | 'renewal') => {
  const { state } = stage;
  return typeof state === 'object' && 'live' in state ? state.live[region] : state;
};
const book = () => {
  const { confirmed, refused, held } = stage.actor.getSnapshot().context;
  return { confirmed, refused, held };
};
/** What was asked of the venue about channels, in order. */
const asked = () =>
  stage.calls.flatMap(({ name, input }) => {
    const { session, channels = [] } = input as { session: number; channels?: readonly string[] };
    return name === 'subscribe' || name === 'unsubscribe' ? [`${name} ${channels.join()} on ${session}`] : [];
  });
const first = `subscribe ${allChannels.join()} on 7`;
const yes = (...confirmed: string[]) => stage.answer('subscribe', { confirmed, refused: [] });
const told = () => stage.reports.filter(({ type }) => type !== 'session.heartbeat');

/** Lets time pass, and has the venue answer every heartbeat. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= second) {
    await stage.time.advance(Math.min(left, second));
    if (stage.calls.at(-1)?.name === 'heartbeat') await stage.answer('heartbeat', ack);
  }
}

describe('on a live session', () => {
  beforeEach(() => stage.goLive());

  test('a channel that is wanted is asked for alone, and the others are left as they are', async () => {
    await wish(...allChannels, quotes);
    expect([part('subscriptions'), asked()]).toEqual(['asking', [first, `subscribe ${quotes} on 7`]]);
    await yes(quotes);
    expect(part('subscriptions')).toBe('complete');
    expect(told().at(-1)).toEqual({
      type: 'session.resubscribed',
      id: 7,
      confirmed: [...allChannels, quotes],
      refused: [],
    });
  });

  test('one that nobody wants is given up', async () => {
    await wish(maker);
    expect([part('subscriptions'), asked().slice(1)]).toEqual(['giving up', [`unsubscribe ${taker} on 7`]]);
    await stage.answer('unsubscribe', [taker]);
    expect([part('subscriptions'), book()]).toEqual(['complete', { confirmed: [maker], refused: [], held: [maker] }]);
    expect(told().at(-1)).toEqual({ type: 'session.unsubscribed', id: 7, channels: [taker] });
  });

  test('what is wanted comes before what is not', async () => {
    await wish(maker, quotes);
    await yes(quotes);
    await stage.answer('unsubscribe', [taker]);
    expect(asked().slice(1)).toEqual([`subscribe ${quotes} on 7`, `unsubscribe ${taker} on 7`]);
    expect(book()).toEqual({ confirmed: [maker, quotes], refused: [], held: [maker, quotes] });
  });

  test('nothing is asked where the same is wanted', async () => {
    await stage.change({ heartbeatInterval: 20 * second });
    await wish(taker, maker);
    expect([part('subscriptions'), asked()]).toEqual(['complete', [first]]);
  });

  test('one that the venue refuses is asked for again, after 30 s', async () => {
    await wish(...allChannels, quotes);
    await stage.answer('subscribe', { confirmed: [], refused: [quotes] });
    expect([part('subscriptions'), book().refused]).toEqual(['partial', [quotes]]);
    await pass(30 * second - 1);
    expect(asked()).toHaveLength(2);
    await pass(1);
    expect(asked()).toHaveLength(3);
  });

  test('one that was refused is forgotten when nobody wants it any more', async () => {
    await wish(...allChannels, quotes);
    await stage.answer('subscribe', { confirmed: [], refused: [quotes] });
    await wish(...allChannels);
    expect([part('subscriptions'), book().refused, asked().length]).toEqual(['complete', [], 2]);
    await pass(10 * minute);
    expect(asked()).toHaveLength(2);
  });

  describe('that changes once more before the venue has answered', () => {
    test('the answer is waited for, and then compared with what is wanted', async () => {
      await wish(...allChannels, quotes);
      await wish(maker);
      expect(asked()).toHaveLength(2);
      await yes(quotes);
      expect(asked().slice(2)).toEqual([`unsubscribe ${taker},${quotes} on 7`]);
      await stage.answer('unsubscribe', [taker, quotes]);
      expect([part('subscriptions'), book().confirmed]).toEqual(['complete', [maker]]);
    });

    test('a refusal of what is not wanted any more is no refusal', async () => {
      await wish(...allChannels, quotes);
      await wish(...allChannels);
      await stage.answer('subscribe', { confirmed: [], refused: [quotes] });
      expect([part('subscriptions'), book()]).toEqual([
        'complete',
        { confirmed: allChannels, refused: [], held: allChannels },
      ]);
    });

    test('one that is given up and wanted again is asked for again', async () => {
      await wish(maker);
      await wish(maker, taker);
      await stage.answer('unsubscribe', [taker]);
      expect(asked().slice(2)).toEqual([`subscribe ${taker} on 7`]);
    });
  });

  describe('a change that fails', () => {
    test('is told, and tried again after 30 s, 60 s, and then ever more rarely', async () => {
      await wish(...allChannels, quotes);
      await stage.refuse('subscribe', late);
      expect(told().at(-1)).toEqual({ type: 'session.channels-failed', id: 7, failure: late });
      expect(stage.actor.getSnapshot().context.subscriptionFailure).toEqual(late);
      for (const wait of [30, 60, 120, 240]) {
        const before = asked().length;
        await pass(wait * second - 1);
        expect(asked()).toHaveLength(before);
        await pass(1);
        expect(asked().at(-1)).toBe(`subscribe ${quotes} on 7`);
        await stage.refuse('subscribe', late);
      }
      await pass(5 * minute);
      await yes(quotes);
      expect([part('subscriptions'), stage.actor.getSnapshot().context.subscriptionFailure]).toEqual([
        'complete',
        null,
      ]);
    });

    test('of a channel to be given up is told and tried again as well', async () => {
      await wish(maker);
      await stage.refuse('unsubscribe', unknownMethod);
      expect([part('subscriptions'), book()]).toEqual([
        'partial',
        { confirmed: [maker], refused: [], held: allChannels },
      ]);
      await pass(30 * second);
      await stage.answer('unsubscribe', [taker]);
      expect([part('subscriptions'), asked().slice(1)]).toEqual([
        'complete',
        [`unsubscribe ${taker} on 7`, `unsubscribe ${taker} on 7`],
      ]);
    });

    test('may have been done all the same: what was given up without an answer, and is wanted again, is asked for', async () => {
      await wish(maker);
      await stage.refuse('unsubscribe', late);
      await wish(maker, taker);
      expect(asked().at(-1)).toBe(`subscribe ${taker} on 7`);
    });

    test('may have been done all the same: what was asked for without an answer, and is not wanted, is given up', async () => {
      await wish(...allChannels, quotes);
      await stage.refuse('subscribe', late);
      await wish(...allChannels);
      expect(asked().at(-1)).toBe(`unsubscribe ${quotes} on 7`);
    });

    test('is tried at once where somebody reloads again', async () => {
      await wish(...allChannels, quotes);
      await stage.refuse('subscribe', late);
      await stage.change({ heartbeatInterval: 11 * second });
      expect([part('subscriptions'), asked().length]).toEqual(['asking', 3]);
    });

    test('is no failure of what is wanted instead', async () => {
      const { actor } = stage;
      await wish(...allChannels, quotes);
      await stage.refuse('subscribe', late);
      await wish(...allChannels, 'another');
      expect(actor.getSnapshot().context).toMatchObject({ subscriptionFailure: null, subscribeRetries: 0 });
    });

    test('for a limit is not, but as soon as the limit is over, with what is wanted by then', async () => {
      await wish(...allChannels, quotes);
      await stage.refuse('subscribe', limited);
      await wish(...allChannels, 'another');
      await pass(90 * second - 1);
      expect([part('subscriptions'), asked().length]).toEqual(['partial', 2]);
      await pass(1);
      expect(asked().at(-1)).toBe('subscribe another on 7');
      await yes('another');
      expect(asked().at(-1)).toBe(`unsubscribe ${quotes} on 7`);
    });

    test('for a limit does not matter any more where all is as wanted again', async () => {
      await wish(...allChannels, quotes);
      await stage.refuse('subscribe', limited);
      // It may be held, so it has to be given up.
      await wish(...allChannels);
      expect(part('subscriptions')).toBe('partial');
      await pass(90 * second);
      await stage.answer('unsubscribe', [quotes]);
      expect([part('subscriptions'), stage.actor.getSnapshot().context.subscriptionFailure]).toEqual([
        'complete',
        null,
      ]);
    });
  });
});

describe('before a session is live', () => {
  test('what is wanted when it subscribes is what it subscribes to', async () => {
    await wish(maker);
    await stage.send({ type: 'socket.opened', session: 7 });
    await wish(taker);
    await stage.answer('authenticate', 1);
    expect(asked()).toEqual([`subscribe ${taker} on 7`]);
    await yes(taker);
    expect([part('subscriptions'), book().confirmed]).toEqual(['complete', [taker]]);
  });

  test('what changes while it subscribes is made up for as soon as it is live', async () => {
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.answer('authenticate', 1);
    await wish(maker, quotes);
    await yes(...allChannels);
    expect(told().slice(-1)).toEqual([{ type: 'session.live', id: 7, confirmed: allChannels, refused: [] }]);
    await yes(quotes);
    expect(asked()).toEqual([first, `subscribe ${quotes} on 7`, `unsubscribe ${taker} on 7`]);
  });

  test('what was asked for before a limit, and perhaps granted, is given up where nobody wants it any more', async () => {
    await stage.send({ type: 'socket.opened', session: 7 });
    await stage.answer('authenticate', 1);
    await stage.refuse('subscribe', limited);
    await wish(maker);
    await pass(90 * second);
    await yes(maker);
    expect(asked()).toEqual([first, `subscribe ${maker} on 7`, `unsubscribe ${taker} on 7`]);
  });
});

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

  beforeEach(() => stage.goLive());

  test('the first one is asked for nothing: the second one subscribes to what is wanted', async () => {
    await rotate();
    await wish(maker, quotes);
    expect([part('subscriptions'), asked()]).toEqual(['due', [first]]);
    await authenticateIt();
    expect(asked().slice(1)).toEqual([`subscribe ${maker},${quotes} on 8`]);
    await stage.answer('subscribe', { confirmed: [maker, quotes], refused: [] }, 8);
    expect([part('subscriptions'), book().held]).toEqual(['complete', [maker, quotes]]);
    await part7();
    expect([part('renewal'), asked().length]).toEqual(['current', 2]);
  });

  test('what changes after that waits until the first one is gone', async () => {
    await rotate();
    await authenticateIt();
    await wish(maker, quotes);
    await stage.answer('subscribe', { confirmed: allChannels, refused: [] }, 8);
    expect([part('subscriptions'), part('renewal')]).toEqual(['due', { parting: 'having it prove itself' }]);
    await stage.answer('heartbeat', ack, 7);
    expect(asked()).toHaveLength(2);
    await stage.send({ type: 'socket.closed', session: 7, failure: failure('on-request', 'goodbye') });
    expect(asked().slice(2)).toEqual([`subscribe ${quotes} on 8`]);
  });

  test('what fails to come about leaves the change to the first one', async () => {
    await rotate();
    await wish(maker, quotes);
    await stage.send({ type: 'socket.closed', session: 8, failure: failure('connection-refused', 'no') });
    expect([part('renewal'), asked().slice(1)]).toEqual(['stale', [`subscribe ${quotes} on 7`]]);
  });

  test('it waits for the answer to what the first one was asked for', async () => {
    await wish(...allChannels, quotes);
    await rotate();
    await authenticateIt();
    expect([part('renewal'), asked().length]).toEqual([{ rotating: 'authenticated' }, 2]);
    await stage.answer('subscribe', { confirmed: [quotes], refused: [] }, 7);
    expect([part('renewal'), asked().at(-1)]).toEqual([
      { rotating: 'subscribing' },
      `subscribe ${allChannels.join()},${quotes} on 8`,
    ]);
  });

  test('refused channels are not asked for again on either of the two', async () => {
    await wish(...allChannels, quotes);
    await stage.answer('subscribe', { confirmed: [], refused: [quotes] });
    await pass(25 * second);
    await rotate();
    await authenticateIt();
    await pass(10 * second);
    expect([part('subscriptions'), asked().filter((line) => line.endsWith('on 7')).length]).toEqual(['due', 2]);
    await stage.answer('subscribe', { confirmed: allChannels, refused: [quotes] }, 8);
    expect([part('subscriptions'), book().refused]).toEqual(['partial', [quotes]]);
  });
});

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

  test('a session that could not move to its token, and is to reconnect from now on, does so at its next try', async () => {
    await stage.change({ renewal: 'in-place' });
    await stage.goLive();
    await stage.send(renewed(2));
    await stage.refuse('renewInPlace', failure('rpc-error', 'auth/refresh: error -32601'));
    expect(part('renewal')).toBe('stale');
    await stage.change({ renewal: 'reconnect' });
    await pass(5 * second);
    expect(stage.state).toBe('closing');
  });
});
