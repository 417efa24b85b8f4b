import { afterEach, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { DaemonStage, never, refuseWith, type Venue } from './support/daemon-stage.ts';
import { allChannels } from './support/session-stage.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const quotes = 'rfq_quote.maker';
const down = failure('connection-refused', 'nothing listens');

let stage: DaemonStage;
let asked: string[] = [];
const open = async (venue: Partial<Venue> = {}, ...rest: unknown[]) => {
  asked = [];
  const subscribe: Venue['subscribe'] = async (session, channels) => {
    asked.push(`${channels.join()} on ${session}`);
    return { confirmed: channels, refused: [] };
  };
  stage = new DaemonStage({ subscribe, ...venue }, ...(rest as [object?]));
  await stage.time.advance(0);
};
afterEach(() => stage.strikeLeavingNothing());

const wish = (...channels: string[]) => stage.change({ session: { ...stage.settings.session, channels } });
const all = allChannels.join();

test('channels that are wanted reach the live session', async () => {
  await open();
  await wish(...allChannels, quotes);
  expect(asked).toEqual([`${all} on 1`, `${quotes} on 1`]);
  expect(stage.takeFacts().findLast(({ type }) => type === 'session.resubscribed')).toEqual({
    type: 'session.resubscribed',
    id: 1,
    added: [quotes],
    confirmed: [...allChannels, quotes],
    refused: [],
  });
  expect(stage.dials).toEqual([0]);
});

test.each<[string, Partial<Venue>, (stage: DaemonStage) => Promise<void>]>([
  [
    'while there is no token',
    { grant: () => refuseWith(failure('server-error', 'HTTP 500')) },
    async ({ venue }) => {
      venue.grant = async () => ({ lifeMs: hour });
    },
  ],
  [
    'while it backs off',
    { connect: () => down },
    async ({ venue }) => {
      venue.connect = () => 'opens';
    },
  ],
  ['while it connects', { connect: (session) => (session === 1 ? null : 'opens') }, async () => undefined],
  [
    'while it is let in',
    { authenticate: (session, token) => (session === 1 ? never() : Promise.resolve(token)) },
    (stage) => stage.drop(),
  ],
])('those wanted %s are what the next session subscribes to', async (_, venue, heal) => {
  await open(venue);
  await wish(quotes);
  await heal(stage);
  await stage.time.advance(minute);
  expect(stage.sessionState).toBe('live');
  expect(asked).toEqual([`${quotes} on ${stage.sessionId}`]);
});

test('of several wishes in a row the last one comes true', async () => {
  await open();
  for (const channels of [[quotes], allChannels, [...allChannels, quotes]]) await wish(...channels);
  await stage.time.advance(minute);
  expect(stage.takeFacts().findLast(({ type }) => type === 'session.resubscribed')).toMatchObject({
    confirmed: [...allChannels, quotes],
  });
});

test('the waits before a redial are the new ones, from the next failure on', async () => {
  await open({ connect: () => down });
  expect(stage.dials).toEqual([0]);
  await stage.change({ backoff: { min: 40_000, max: 40_000, resetAfter: 30_000 } });
  await stage.time.advance(250);
  expect(stage.dials).toEqual([0, 250]);
  await stage.time.advance(20_000 - 1);
  expect(stage.dials).toEqual([0, 250]);
  await stage.time.advance(1);
  expect(stage.dials).toEqual([0, 250, 20_250]);
});

test('where the credentials are shown from now on, a session does not wait for a token any more', async () => {
  await open({ grant: () => refuseWith(failure('server-error', 'HTTP 500')) });
  expect([stage.state, stage.dials]).toEqual(['awaiting a token', []]);
  await stage.change({ authenticateWith: 'credentials' });
  await stage.time.advance(0);
  expect([stage.sessionState, stage.dials.length]).toEqual(['live', 1]);
});

test('a session that is closing is left alone', async () => {
  await open({ hangsUp: false });
  await stage.send({ type: 'stop' });
  await wish(quotes);
  await stage.time.advance(5 * second);
  expect([stage.actor.getSnapshot().status, asked]).toEqual(['done', [`${all} on 1`]]);
});
