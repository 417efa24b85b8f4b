import { describe, expect, it } from 'vitest';
import { type Echo, echoing } from '../adapters/gateway/echo.ts';
import { type VenueStage, venueStage } from '../adapters/gateway/stage.ts';
import { until, within } from '../support/until.ts';
import { RestStage } from './support/rest-stage.ts';
import { TestClock } from './support/test-clock.ts';

const here = { id: 1, isGone: false, gone: new AbortController().signal };
const get = { method: 'GET', path: '/v1/x', data: undefined };

it.each([
  ['a path that leaves the base of the API', 'GET', '/../adm/v1/rfq', /below venue\.restUrl/],
  ['a path that is too long', 'GET', `/${'x'.repeat(8_192)}`, /8193 characters, and 8192/],
  ['a path that names another host', 'GET', '//evil.example/x', /begins with one \//],
  ['a method that is none, and long', 'X'.repeat(100_000), '/v1/rfq', /not X{31}…$/],
])('%s is refused as a wrong parameter, before anything is sent', async (_what, method, path, words) => {
  await using venue = await echoing();
  await using stage = new RestStage(`${venue.url}/api`);
  const asked = stage.gateway.rest({ method, path, data: undefined }, here);
  await expect(asked).rejects.toMatchObject({
    code: -32_602,
    message: expect.stringMatching(words),
    data: { code: 'bad-request', sent: false },
  });
  expect([venue.connections.size, stage.bugs]).toEqual([0, []]);
});

/** A venue whose answer never ends, and what it has written of it. */
async function endless(pieceBytes: number): Promise<VenueStage & { readonly written: () => number }> {
  let written = 0;
  const venue = await venueStage((_request, response) => {
    const piece = Buffer.alloc(pieceBytes, 'x');
    const more = () => {
      while (!response.destroyed) {
        written += piece.length;
        if (!response.write(piece)) return void response.once('drain', more);
      }
    };
    if (pieceBytes > 1) more();
    else response.write(piece, () => (written += 1));
  });
  return { ...venue, written: () => written };
}

describe('an answer that does not end', () => {
  it('is broken off when it does not fit into a line any more', async () => {
    await using venue = await endless(65_536);
    await using stage = new RestStage(venue.url);
    await expect(within('the answer', stage.gateway.rest(get, here))).rejects.toMatchObject({
      code: -32_001,
      message: expect.stringContaining('larger than 16777216 bytes'),
      data: { code: 'bad-reply', sent: true },
    });
    expect(venue.written()).toBeLessThan(32 * 1_048_576);
    await until('the venue is rid of it', () => venue.connections.size === 0);
    expect([stage.accesses[0]?.status, stage.bugs]).toEqual(['bad-reply', []]);
  });

  it('is broken off after a minute', async () => {
    await using venue = await endless(1);
    const clock = new TestClock();
    await using stage = new RestStage(venue.url, { clock });
    const answer = expect(stage.gateway.rest(get, here)).rejects.toMatchObject({
      message: expect.stringContaining('not at its end within 60000 ms'),
      data: { code: 'reply-timeout', sent: true },
    });
    await until('it has begun', () => venue.written() > 0);
    await until('its time has passed', async () => {
      await clock.time.advance(60_000);
      return venue.connections.size === 0;
    });
    await answer;
    expect(clock.time.timers()).toBe(0);
  });

  it('is broken off when its caller goes', async () => {
    await using venue = await endless(1);
    await using stage = new RestStage(venue.url);
    const leaving = new AbortController();
    const answer = expect(stage.gateway.rest(get, { ...here, gone: leaving.signal })).rejects.toThrow();
    await until('it has begun', () => venue.written() > 0);
    leaving.abort();
    await until('the venue is rid of it', () => venue.connections.size === 0);
    await answer;
    expect(stage.accesses[0]?.status).toBe('caller-gone');
  });
});

it('a call whose caller goes before the answer is given up', async () => {
  await using venue = await venueStage(() => undefined);
  await using stage = new RestStage(venue.url);
  const leaving = new AbortController();
  const answer = expect(stage.gateway.rest(get, { ...here, gone: leaving.signal })).rejects.toThrow();
  await until('it is at the venue', () => venue.connections.size === 1);
  leaving.abort();
  await until('the venue is rid of it', () => venue.connections.size === 0);
  await answer;
  expect([stage.accesses[0]?.status, stage.bugs]).toEqual(['caller-gone', []]);
});

it('an answer comes back as a whole', async () => {
  await using venue = await venueStage((_request, response) => {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('n\u00f6');
  });
  const clock = new TestClock();
  await using stage = new RestStage(venue.url, { clock });
  const answer = await within('the answer', stage.gateway.rest(get, here));
  expect(answer).toEqual({ status: 404, contentType: 'text/plain', body: 'n\u00f6' });
  expect([clock.time.timers(), stage.accesses[0]?.status]).toEqual([0, '404']);
});

it('is asked for as text that is not compressed, which a line cannot hold', async () => {
  await using venue = await echoing();
  await using stage = new RestStage(venue.url);
  const { rawHeaders } = JSON.parse((await stage.gateway.rest(get, here)).body) as Echo;
  expect(rawHeaders).toEqual(expect.arrayContaining(['accept-encoding', 'identity']));
});
