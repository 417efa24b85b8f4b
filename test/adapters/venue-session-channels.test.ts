import { describe, expect, it } from 'vitest';
import { channels } from '../../src/simulator/frames.ts';
import type { Simulator } from '../../src/simulator/server.ts';
import { until } from '../support/until.ts';
import { quietVenue } from './support/venue.ts';
import { failureOfCall, live, open } from './support/venue-session.ts';

describe('subscribing', () => {
  it('confirms all channels', async () => {
    await using venue = await quietVenue();
    await using test = await open(venue);
    await test.session.authenticate();
    expect(await test.session.subscribe(channels)).toEqual({ confirmed: [...channels], refused: [] });
    expect(venue.venue.stats.openConnections[0]?.channels).toEqual([...channels]);
  });

  it('knows the channels that the venue left out', async () => {
    await using venue = await quietVenue();
    await using test = await open(venue);
    await test.session.authenticate();
    venue.venue.inject({ kind: 'partial-subscription', channels: ['rfq.taker'], times: 1 });
    expect(await test.session.subscribe(['rfq.maker', 'rfq.taker'])).toEqual({
      confirmed: ['rfq.maker'],
      refused: ['rfq.taker'],
    });
  });

  it('asks for each channel on its own when the venue refuses the whole list', async () => {
    await using venue = await quietVenue();
    await using test = await open(venue);
    await test.session.authenticate();
    const refusal = { kind: 'rpc-error', method: 'v1/subscribe', code: -32602, message: 'unknown channel' } as const;
    venue.venue.inject({ ...refusal, times: 2 });
    expect(await test.session.subscribe(['rfq.maker', 'rfq.taker', 'rfq_quote.maker'])).toEqual({
      confirmed: ['rfq.taker', 'rfq_quote.maker'],
      refused: ['rfq.maker'],
    });
    expect(venue.venue.stats.openConnections[0]?.channels).toEqual(['rfq.taker', 'rfq_quote.maker']);
  });

  it('takes the refusal of a single channel for what it is', async () => {
    await using venue = await quietVenue();
    await using test = await open(venue);
    await test.session.authenticate();
    venue.venue.inject({ kind: 'rpc-error', method: 'v1/subscribe', code: 403, message: 'no role' });
    expect(await test.session.subscribe(['rfq.maker'])).toEqual({ confirmed: [], refused: ['rfq.maker'] });
  });

  it.each([
    [{ kind: 'unknown-method', method: 'v1/subscribe' }, 'rpc-error'],
    [{ kind: 'rpc-error', method: 'v1/subscribe', code: -32603, message: 'internal error' }, 'server-error'],
    [{ kind: 'rpc-error', method: 'v1/subscribe', code: 429, message: 'slow down' }, 'rate-limited'],
  ] as const)('does not take %j for a verdict on the channels', async (fault, code) => {
    await using venue = await quietVenue();
    await using test = await open(venue);
    await test.session.authenticate();
    venue.venue.inject(fault);
    expect(await failureOfCall(test.session.subscribe(channels))).toMatchObject({ code });
  });
});

describe('unsubscribing', () => {
  const heldBy = (venue: Simulator) => venue.venue.stats.openConnections[0]?.channels;

  it('leaves the other channels as they are', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    expect(await test.session.unsubscribe(['rfq.maker', 'rfq_quote.taker'])).toEqual(['rfq.maker', 'rfq_quote.taker']);
    expect(heldBy(venue)).toEqual(['rfq.taker', 'rfq_quote.maker']);
    venue.venue.publish('rfq.maker', { rfqId: 1 });
    venue.venue.publish('rfq.taker', { rfqId: 2 });
    expect((await until('an event', () => test.events[0])).channel).toBe('rfq.taker');
  });

  it('of what the venue does not know to be subscribed, as after a reply that got lost, is done', async () => {
    await using venue = await quietVenue();
    await using test = await live(venue);
    await test.session.unsubscribe(['rfq.maker']);
    expect(await test.session.unsubscribe(['rfq.maker'])).toEqual(['rfq.maker']);
  });

  it.each([
    [{ kind: 'unknown-method', method: 'v1/unsubscribe' }, 'rpc-error'],
    [{ kind: 'rpc-error', method: 'v1/unsubscribe', code: 429, message: 'slow down' }, 'rate-limited'],
    [{ kind: 'no-reply', method: 'v1/unsubscribe' }, 'reply-timeout'],
  ] as const)('fails with what the venue says to it, or that it says nothing: %j', async (fault, code) => {
    await using venue = await quietVenue();
    await using test = await live(venue, { subscribeTimeout: 60 });
    venue.venue.inject(fault);
    expect(await failureOfCall(test.session.unsubscribe(['rfq.maker']))).toMatchObject({ code });
  });

  it('drops nothing that was sent before, wherever its channel is named', async () => {
    await using venue = await quietVenue({ envelope: 'method' });
    await using test = await live(venue);
    venue.venue.inject({ kind: 'delay', ms: 50 });
    venue.venue.publish('rfq.maker', { rfqId: 1 });
    await test.session.unsubscribe(['rfq.maker']);
    expect(test.events.map(({ channel }) => channel)).toEqual(['rfq.maker']);
  });
});

it('tells once, before its first subscription, that events can come', async () => {
  await using venue = await quietVenue();
  await using test = await open(venue);
  await test.session.authenticate();
  await test.session.subscribe(['rfq.maker']);
  await test.session.subscribe(['rfq.taker']);
  expect(test.subscribing).toBe(1);
});
