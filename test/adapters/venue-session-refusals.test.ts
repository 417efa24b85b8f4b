import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/protocol/failure.ts';
import { channels } from '../../src/simulator/frames.ts';
import { type Call, type SocketServer, socketServer } from './support/socket-server.ts';
import { clientSecret, vaultWith } from './support/venue.ts';
import { failureOfCall, TestSession } from './support/venue-session.ts';

const hour = 3_600_000;

/** An open session with a token, whatever the server makes of it. */
async function open(server: SocketServer): Promise<TestSession> {
  const vault = vaultWith();
  vault.keep({ value: 'a-token', generation: 3, expiresAt: Number.POSITIVE_INFINITY }, null);
  const test = new TestSession(server.url, {}, vault);
  await test.whenOpen();
  return test;
}

const unknownCode = { error: { code: -32042, message: 'no' } };
const unknownFailure = (method: string): Failure => ({
  class: 'protocol',
  code: 'rpc-unknown',
  message: `${method}: error -32042, "no"`,
  unknown: 'rpc -32042',
});

describe('a no in a code that figd does not know', () => {
  it('to a channel is a verdict on the channel, and the code is told', async () => {
    await using server = await socketServer(() => unknownCode);
    await using test = await open(server);
    expect(await test.session.subscribe(['rfq.maker'])).toEqual({ confirmed: [], refused: ['rfq.maker'] });
    expect(test.unknown).toEqual([unknownFailure('v1/subscribe')]);
  });

  it('to the refresh method leads to auth on the same socket, and the code is told', async () => {
    await using server = await socketServer(({ method }) =>
      method === 'auth' ? { result: { success: true } } : unknownCode,
    );
    await using test = await open(server);
    expect(await test.session.renewInPlace()).toBe(3);
    expect(server.calls.map(({ method }) => method)).toEqual(['auth/refresh', 'auth']);
    expect(test.unknown).toEqual([unknownFailure('auth/refresh')]);
  });

  it('to auth fails with the code, which is told by that alone', async () => {
    await using server = await socketServer(() => unknownCode);
    await using test = await open(server);
    expect(await failureOfCall(test.session.authenticate())).toEqual(unknownFailure('auth'));
    expect(test.unknown).toEqual([]);
  });
});

describe('a reply to auth', () => {
  const authenticate = async (reply: object) => {
    await using server = await socketServer(() => reply);
    await using test = await open(server);
    return await failureOfCall(test.session.authenticate());
  };

  it.each([
    [false, 'false'],
    [{ success: false }, 'success: false'],
    [{ success: 'false' }, 'success: false'],
    [{ success: 0 }, 'success: 0'],
    [{ status: 'error' }, 'status: error'],
    [{ status: 'Unauthorized', message: 'bad token' }, 'status: Unauthorized, "bad token"'],
    [{ success: false, message: `for ${clientSecret}` }, 'success: false, "for [secret]"'],
  ])('of %j lets nobody in', async (result, said) => {
    const message = `auth: the venue answered ${said}`;
    expect(await authenticate({ result })).toEqual({ class: 'refused', code: 'token-refused', message });
  });

  it.each([
    { result: null },
    { result: true },
    { result: {} },
    { result: { success: true } },
    { result: { success: 1 } },
    { result: { status: 'ok' } },
    { result: { success: true }, error: '' },
    { result: { success: true }, error: false },
    { result: { success: true }, error: {} },
  ])('of %j lets us in', async (reply) => {
    expect(await authenticate(reply)).toEqual({ resolved: 3 });
  });
});

describe('a subscription that is refused for its authentication', () => {
  const refusals = [
    { code: 401, message: 'token expired' },
    { code: -32700, message: 'Authentication error' },
    { code: -32001, message: 'Unauthorized: token revoked' },
  ];

  it.each(refusals)('with $code "$message" is no verdict on channels: the token is refused', async (error) => {
    await using server = await socketServer(() => ({ error }));
    await using test = await open(server);
    const found = await failureOfCall(test.session.subscribe(['rfq.maker', 'rfq.taker']));
    expect(found).toMatchObject({
      code: 'token-refused',
      message: `v1/subscribe: error ${error.code}, "${error.message}"`,
    });
    expect(test.unknown).toEqual([]);
  });

  it('refuses the credentials, where those authenticated the session', async () => {
    await using server = await socketServer(() => ({ error: refusals[0] }));
    await using test = new TestSession(server.url, { authenticateWith: 'credentials' });
    await test.whenOpen();
    expect(await failureOfCall(test.session.subscribe(['rfq.maker']))).toMatchObject({ code: 'credentials-refused' });
  });

  it('is a verdict on a channel where others are confirmed, then and later: the token serves them', async () => {
    await using server = await socketServer(({ params }) =>
      JSON.stringify(params) === '{"channels":["rfq.maker"]}' ? { result: {} } : { error: refusals[0] },
    );
    await using test = await open(server);
    const answer = { confirmed: ['rfq.maker'], refused: ['rfq.taker'] };
    expect(await test.session.subscribe(['rfq.maker', 'rfq.taker'])).toEqual(answer);
    expect(await test.session.subscribe(['rfq.taker'])).toEqual({ confirmed: [], refused: ['rfq.taker'] });
  });

  it.each([
    { code: 403, message: 'token expired' },
    { code: -32700, message: 'Parse error' },
    { code: -32001, message: 'not authorized for this channel' },
    { code: -32602, message: 'unknown channel' },
  ])('is another thing than one with $code "$message": that is a verdict', async (error) => {
    await using server = await socketServer(() => ({ error }));
    await using test = await open(server);
    expect(await test.session.subscribe(['rfq.maker'])).toEqual({ confirmed: [], refused: ['rfq.maker'] });
  });
});

describe('a limit', () => {
  const limited = (data: object) => ({ error: { code: 429, message: 'slow down', data } });
  /** A venue whose clock is an hour ahead and whose limit ends in 20 s. */
  const hourAhead = ({ method }: Call) =>
    method === 'heartbeat' ? { result: { time: Date.now() + hour } } : limited({ resetAt: Date.now() + hour + 20_000 });

  it('says how long to wait in its data, of which nothing else is told', async () => {
    await using server = await socketServer(() => limited({ retryAfter: 7, key: clientSecret }));
    await using test = await open(server);
    expect(await failureOfCall(test.session.subscribe(channels))).toEqual({
      class: 'limited',
      code: 'rate-limited',
      message: 'v1/subscribe: error 429, "slow down"',
      retryAfterMs: 7_000,
    });
  });

  it("is measured by the venue's clock once a heartbeat has told it", async () => {
    await using server = await socketServer(hourAhead);
    await using test = await open(server);
    expect(await failureOfCall(test.session.subscribe(channels))).toHaveProperty('retryAfterMs', hour);
    await test.session.heartbeat();
    const { retryAfterMs = 0 } = (await failureOfCall(test.session.subscribe(channels))) as Failure;
    expect(retryAfterMs).toBeGreaterThan(15_000);
    expect(retryAfterMs).toBeLessThan(21_000);
  });
});
