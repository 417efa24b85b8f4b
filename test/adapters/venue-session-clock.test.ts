import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VenueSession } from '../../src/adapters/venue-session.ts';
import type { TransportHandlers } from '../../src/adapters/venue-socket.ts';
import type { HeartbeatAck } from '../../src/machines/session.events.ts';
import { failure } from '../../src/protocol/failure.ts';
import { epoch, TestClock } from '../daemon/support/test-clock.ts';
import { settle } from '../machines/support/virtual-time.ts';
import { vaultWith } from './support/venue.ts';
import { usualSessionSettings } from './support/venue-session.ts';

const heartbeatTimeout = 5_000;
let clock: TestClock;
let handlers: TransportHandlers;
let sent: { readonly id: number }[];
let session: VenueSession;

beforeEach(() => {
  clock = new TestClock();
  sent = [];
  session = new VenueSession(
    () => ({ ...usualSessionSettings, heartbeatTimeout }),
    {
      open: (given) => {
        handlers = given;
        return { send: (text) => sent.push(JSON.parse(text)), hangUp: () => undefined, cut: () => undefined };
      },
      clock,
      vault: vaultWith(),
      publish: () => undefined,
      onStrayReply: () => undefined,
      onSubscribing: () => undefined,
    },
    { opened: () => undefined, closed: () => undefined },
  );
});
afterEach(() => {
  session.dispose();
  clock.time.expectNoTimers();
});

/** The venue's answer to the latest call. */
async function reply(result: object): Promise<void> {
  const id = sent.at(-1)?.id;
  handlers.frame(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result })));
  await settle();
}

describe('a heartbeat', () => {
  async function beat(passes: () => Promise<void> | void, result: object): Promise<HeartbeatAck> {
    const heartbeat = session.heartbeat();
    await passes();
    await reply(result);
    return heartbeat;
  }

  it('has the venue tell its time half a round trip before the answer is read', async () => {
    const ack = await beat(() => clock.time.advance(40), { time: epoch + 20 - 250 });
    expect(ack).toEqual({ rttMs: 40, clockOffsetMs: -250 });
  });

  it('tells no offset where the venue tells no time', async () => {
    expect(await beat(() => clock.time.advance(40), {})).toEqual({ rttMs: 40, clockOffsetMs: null });
  });

  it('measures up to its time-out', async () => {
    const ack = await beat(() => clock.stall(heartbeatTimeout), { time: epoch });
    expect(ack).toEqual({ rttMs: heartbeatTimeout, clockOffsetMs: -heartbeatTimeout / 2 });
  });

  it('that took longer, as this host slept in it, has measured nothing but that', async () => {
    const ack = await beat(() => clock.suspend(600_000), { time: epoch });
    expect(ack).toEqual({ rttMs: heartbeatTimeout, clockOffsetMs: null });
  });
});

describe('the venue was last heard', () => {
  const broken = failure('connection-lost', 'the connection broke');

  it('never, before the first frame', () => {
    expect(session.lastFrameAt).toBeNull();
  });

  it.each([
    ['with its close frame', true, 90],
    ['with the frame before, where the connection broke', false, 40],
  ])('%s', async (_, isComplete, heardAt) => {
    await clock.time.advance(40);
    handlers.frame(Buffer.from('{"jsonrpc":"2.0","method":"subscription","params":{"channel":"rfq.maker"}}'));
    await clock.time.advance(50);
    handlers.closed(broken, isComplete);
    expect(session.lastFrameAt).toBe(heardAt);
  });
});
