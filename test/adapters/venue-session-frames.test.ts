import { expect, it } from 'vitest';
import { channels, envelopeStyles } from '../../src/simulator/frames.ts';
import type { SentRecord } from '../../src/simulator/ports.ts';
import { until } from '../support/until.ts';
import { socketServer } from './support/socket-server.ts';
import { clientSecret, quietVenue, vaultWith } from './support/venue.ts';
import { failureOfCall, TestSession } from './support/venue-session.ts';

const credentials = { authenticateWith: 'credentials' } as const;
const withheld = { text: JSON.stringify('withheld by figd: the frame held a secret'), encoding: 'text' };

it.each(envelopeStyles)(
  'publishes what the venue sends in the envelope "%s", byte for byte and in order',
  async (envelope) => {
    const sent: SentRecord[] = [];
    await using venue = await quietVenue({ envelope, onSent: (record) => sent.push(record) });
    await using test = new TestSession(venue.socketUrl, credentials);
    await test.whenOpen();
    await test.session.authenticate();
    await test.session.subscribe(channels);
    venue.venue.burst(200);
    await until('all events', () => test.events.length >= 200 && test.events.length === sent.length);
    expect(test.events).toEqual(sent.map(({ channel, frame }) => ({ channel, text: frame })));
  },
);

it('publishes garbage in a form that loses nothing, and carries on', async () => {
  const sent: SentRecord[] = [];
  await using venue = await quietVenue({ onSent: (record) => sent.push(record) });
  await using test = new TestSession(venue.socketUrl, credentials);
  await test.whenOpen();
  await test.session.authenticate();
  venue.venue.inject({ kind: 'malformed' });
  await until('all of it', () => test.events.length === 6);
  const [notJson, truncated, pretty, binary, notice, unknown] = sent.map(({ frame }) => frame);
  expect(test.events).toEqual([
    { channel: 'venue.unrouted', text: JSON.stringify(notJson), encoding: 'text' },
    { channel: 'venue.unrouted', text: JSON.stringify(truncated), encoding: 'text' },
    { channel: 'rfq.maker', text: String(pretty).replaceAll('\n', ' ') },
    {
      channel: 'venue.unrouted',
      text: JSON.stringify(Buffer.from(binary as Uint8Array).toString('base64')),
      encoding: 'base64',
    },
    { channel: 'venue.unrouted', text: notice },
    { channel: 'rfq.unknown', text: unknown },
  ]);
  expect(await test.session.heartbeat()).toHaveProperty('rttMs');
  expect(test.closes).toEqual([]);
});

it('publishes invalid UTF-8 in a text frame, and carries on', async () => {
  await using server = await socketServer(({ method }) => (method === 'heartbeat' ? { result: {} } : undefined));
  await using test = new TestSession(server.url);
  const bytes = Buffer.from([0x22, 0xff, 0x22]);
  (await server.peer()).send(bytes, { binary: false });
  expect(await until('the event', () => test.events[0])).toEqual({
    channel: 'venue.unrouted',
    text: JSON.stringify(bytes.toString('base64')),
    encoding: 'base64',
  });
  expect(await test.session.heartbeat()).toEqual({ rttMs: expect.any(Number), clockOffsetMs: null });
});

it('withholds a frame without a channel that quotes a secret, however it is written', async () => {
  await using server = await socketServer();
  const vault = vaultWith('demo-client-id', 'quo"ted/secret');
  vault.keep({ value: 'the-access-token', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, null);
  await using test = new TestSession(server.url, {}, vault);
  const peer = await server.peer();
  const telling: (string | Buffer)[] = [
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"bad request {token: the-access-token}"}}',
    'not JSON: the-access-token',
    'not JSON: quo"ted/secret',
    '{"truncated": {"clientSecret":"quo\\"ted/secret"',
    '{"method":"notice","params":{"echo":"{\\"clientSecret\\":\\"quo\\\\\\"ted/secret\\"}"}}',
    '{"method":"notice","params":{"echo":"quo\\u0022ted\\/secret"}}',
    Buffer.concat([Buffer.from([0xff]), Buffer.from('the-access-token')]),
    '"Bearer something.else"',
  ];
  for (const frame of telling) peer.send(frame);
  peer.send('{"method":"notice","params":{"text":"harmless"}}');
  await until('all of them', () => test.events.length === telling.length + 1);
  expect(test.events).toEqual([
    ...telling.map(() => ({ channel: 'venue.unrouted', ...withheld })),
    { channel: 'venue.unrouted', text: '{"method":"notice","params":{"text":"harmless"}}' },
  ]);
});

it("keeps secrets that the venue's error repeats out of the failure", async () => {
  const vault = vaultWith();
  vault.keep({ value: 'the-access-token', generation: 1, expiresAt: Number.POSITIVE_INFINITY }, null);
  await using server = await socketServer(({ params }) => ({
    error: { code: -32700, message: `refused\u001b[31m: ${JSON.stringify(params)}` },
  }));
  await using test = new TestSession(server.url, {}, vault);
  await test.whenOpen();
  expect(await failureOfCall(test.session.authenticate())).toEqual({
    class: 'refused',
    code: 'token-refused',
    message: 'auth: error -32700, "refused [31m: {"token":"[secret]"}"',
  });
  await using other = new TestSession(server.url, credentials, vault);
  await other.whenOpen();
  const refused = await failureOfCall(other.session.authenticate());
  expect(JSON.stringify(refused)).not.toContain(clientSecret);
});

it('takes a reply that names a channel for an event when no call waits for it', async () => {
  await using server = await socketServer();
  await using test = new TestSession(server.url);
  const frame = '{"id":99,"result":{"channel":"rfq.maker","data":{}}}';
  const peer = await server.peer();
  peer.send(frame);
  peer.send('{"id":98,"result":{}}');
  await until('the stray reply', () => test.strays.length > 0);
  expect([test.events, test.strays]).toEqual([[{ channel: 'rfq.maker', text: frame }], [98]]);
});

it('drops and counts the late reply to a call it has given up, though it may name a channel', async () => {
  await using server = await socketServer();
  await using test = new TestSession(server.url, { heartbeatTimeout: 20 });
  await test.whenOpen();
  const peer = await server.peer();
  expect(await failureOfCall(test.session.heartbeat())).toMatchObject({ code: 'half-open' });
  peer.send('{"id":1,"result":{"channel":"rfq.maker","data":{}}}');
  peer.send('{"method":"notice"}');
  await until('the notice', () => test.events.length > 0);
  expect([test.events.map(({ channel }) => channel), test.strays]).toEqual([['venue.unrouted'], [1]]);
});

it('accepts a subscription that the venue confirms without a list, and a sparse auth reply', async () => {
  await using server = await socketServer(({ method }) => ({
    result: method === 'auth' ? null : { status: 'subscribed' },
  }));
  await using test = new TestSession(server.url, credentials);
  await test.whenOpen();
  expect(await test.session.authenticate()).toBe(0);
  expect(await test.session.subscribe(['a', 'b'])).toEqual({ confirmed: ['a', 'b'], refused: [] });
});

it('knows when the venue was last heard', async () => {
  await using server = await socketServer();
  await using test = new TestSession(server.url);
  await test.whenOpen();
  expect(test.session.lastFrameAt).toBeNull();
  const before = performance.now();
  (await server.peer()).send('rubbish');
  await until('the event', () => test.events[0]);
  expect(test.session.lastFrameAt).toBeGreaterThanOrEqual(before);
  expect(test.session.lastFrameAt).toBeLessThanOrEqual(performance.now());
});
