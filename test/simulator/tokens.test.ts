import { expect, test } from 'vitest';
import { virtualVenue } from './harness.ts';

const clientCredentials = { grant_type: 'client_credentials', client_id: 'demo', client_secret: 'demo-secret' };

test('the quickstart endpoint issues a token that lives for one hour', async () => {
  const { clock, get, postToken } = virtualVenue();
  const reply = await postToken({ clientId: 'demo', clientSecret: 'demo-secret' });
  const body = JSON.parse(reply.body);
  expect(body).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 3600 });

  clock.tick(3_599_999);
  expect((await get('/v1/rfq', body.access_token)).status).toBe(200);
  clock.tick(1);
  expect(JSON.parse((await get('/v1/rfq', body.access_token)).body)).toEqual({
    code: 401,
    message: 'Unauthorized',
    reason: ['invalid or expired token'],
  });
});

test.each([
  [{ clientId: 'demo', clientSecret: 'wrong' }, 401],
  [{ clientId: 'other', clientSecret: 'demo-secret' }, 401],
  [{ clientId: 'demo' }, 400],
])('the quickstart endpoint answers %j with %i', async (credentials, status) => {
  const { postToken, venue } = virtualVenue();
  const reply = await postToken(credentials);
  expect([reply.status, JSON.parse(reply.body).code]).toEqual([status, status]);
  expect(venue.stats.tokenRequests.json).toEqual({ issued: 0, refused: 1 });
});

test('the OAuth2 endpoint issues five-minute tokens, and refreshes them once for each refresh token', async () => {
  const { clock, get, postToken } = virtualVenue();
  const first = JSON.parse((await postToken(clientCredentials, 'oauth2')).body);
  expect(first).toMatchObject({ expires_in: 300, refresh_expires_in: 1800, token_type: 'Bearer' });

  clock.tick(300_000);
  expect((await get('/v1/rfq', first.access_token)).status).toBe(401);
  const grant = { ...clientCredentials, grant_type: 'refresh_token', refresh_token: first.refresh_token };
  const second = JSON.parse((await postToken(grant, 'oauth2')).body);
  expect(second.refresh_token).not.toBe(first.refresh_token);
  expect((await get('/v1/rfq', second.access_token)).status).toBe(200);

  const again = await postToken(grant, 'oauth2');
  expect([again.status, JSON.parse(again.body)]).toEqual([
    400,
    { error: 'invalid_grant', error_description: 'Token is not active' },
  ]);
});

test('a refresh token stays usable when rotation is off, until it expires', async () => {
  const { clock, postToken } = virtualVenue({ rotateRefreshTokens: false, refreshTokenLife: 60_000 });
  const { refresh_token } = JSON.parse((await postToken(clientCredentials, 'oauth2')).body);
  const grant = { ...clientCredentials, grant_type: 'refresh_token', refresh_token };
  expect((await postToken(grant, 'oauth2')).status).toBe(200);
  clock.tick(59_999);
  expect((await postToken(grant, 'oauth2')).status).toBe(200);
  clock.tick(1);
  expect((await postToken(grant, 'oauth2')).status).toBe(400);
});

test.each([
  [{ ...clientCredentials, client_secret: 'wrong' }, 401, 'invalid_client'],
  [{ ...clientCredentials, grant_type: 'password' }, 400, 'unsupported_grant_type'],
  [{ ...clientCredentials, grant_type: 'refresh_token' }, 400, 'invalid_request'],
  [{ ...clientCredentials, grant_type: 'refresh_token', refresh_token: 'nonsense' }, 400, 'invalid_grant'],
  [{ client_id: 'demo', client_secret: 'demo-secret' }, 400, 'invalid_request'],
] as const)('the OAuth2 endpoint answers %j with %i %s', async (form, status, error) => {
  const { postToken } = virtualVenue();
  const reply = await postToken(form, 'oauth2');
  expect([reply.status, JSON.parse(reply.body).error]).toEqual([status, error]);
});

test('the option tokenLife overrides the life in both dialects', async () => {
  const { postToken } = virtualVenue({ tokenLife: 20_000 });
  const json = await postToken({ clientId: 'demo', clientSecret: 'demo-secret' });
  const oauth2 = await postToken(clientCredentials, 'oauth2');
  expect([json, oauth2].map((reply) => JSON.parse(reply.body).expires_in)).toEqual([20, 20]);
});
