import { expect, it } from 'vitest';
import { echoing } from '../adapters/gateway/echo.ts';
import { RestStage } from './support/rest-stage.ts';

const here = { id: 1, isGone: false };

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
