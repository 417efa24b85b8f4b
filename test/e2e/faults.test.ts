import { expect, test } from 'vitest';
import type { Fault } from '../../src/simulator/faults.ts';
import { type Simulator, startSimulator } from '../../src/simulator/server.ts';
import { until } from '../support/until.ts';
import { DaemonUnderTest, RawConsumer } from './daemon.ts';

/**
 * Short enough for a test, long enough to be told apart. Quicker tries would use up the ten dials a minute within a
 * fault, slower ones (the default goes up to 20 s) the patience of the test.
 */
const quick = {
  session: { heartbeatInterval: '1s', heartbeatTimeout: '1s', backoff: { min: '500ms', max: '2s' } },
};

interface Case {
  readonly name: string;
  readonly faults: readonly Fault[];
  readonly meanwhile: { readonly state: 'down' | 'blocked'; readonly reason: RegExp };
  /** What lifts the fault; the faults that end by themselves need nothing. */
  readonly lift?: (simulator: Simulator, daemon: DaemonUnderTest) => Promise<void> | void;
}

const cases: readonly Case[] = [
  {
    name: 'the venue drops the connection',
    faults: [{ kind: 'drop' }],
    meanwhile: { state: 'down', reason: /session: the connection broke/ },
  },
  {
    name: 'the venue goes down and comes back',
    faults: [{ kind: 'down', forMs: 1_500 }],
    meanwhile: { state: 'down', reason: /ECONNREFUSED/ },
  },
  {
    name: 'half-open',
    faults: [{ kind: 'half-open', forMs: 1_000 }],
    meanwhile: { state: 'down', reason: /no heartbeat reply within 1000 ms/ },
  },
  {
    name: 'tokens expire early',
    faults: [{ kind: 'expire-tokens' }],
    meanwhile: { state: 'down', reason: /4401, "session expired"/ },
  },
  {
    name: '429 with Retry-After on the socket',
    faults: [{ kind: 'http-status', status: 429, path: '/ws/v1', retryAfterS: 1, times: 1 }, { kind: 'drop' }],
    meanwhile: { state: 'down', reason: /HTTP 429/ },
  },
  {
    name: '500s on the socket',
    faults: [{ kind: 'http-status', status: 500, path: '/ws/v1', times: 2 }, { kind: 'drop' }],
    meanwhile: { state: 'down', reason: /HTTP 500/ },
  },
  {
    name: '500 on the token endpoint when a new token is needed',
    faults: [{ kind: 'http-status', status: 500, path: '/v1/auth', times: 1 }, { kind: 'expire-tokens' }],
    meanwhile: { state: 'down', reason: /token: token request: HTTP 500/ },
  },
  {
    name: '429 with a reset time on the token endpoint',
    faults: [{ kind: 'http-status', status: 429, path: '/v1/auth', resetInS: 2, times: 1 }, { kind: 'expire-tokens' }],
    meanwhile: { state: 'down', reason: /token: token request: HTTP 429/ },
  },
  {
    name: 'the socket refuses a good token once',
    faults: [{ kind: 'refuse-auth', times: 1 }, { kind: 'drop' }],
    meanwhile: { state: 'down', reason: /token: auth: error -32700/ },
  },
  {
    name: '401: the credentials are refused, until they are changed back and somebody says refresh',
    faults: [{ kind: 'refuse-credentials' }, { kind: 'expire-tokens' }],
    meanwhile: { state: 'blocked', reason: /HTTP 401/ },
    lift: async (simulator, daemon) => {
      simulator.venue.clearFaults();
      expect(await daemon.command('refresh')).toMatchObject({ code: 0 });
    },
  },
  {
    name: '403: the role is missing',
    faults: [{ kind: 'http-status', status: 403, path: '/v1/auth' }, { kind: 'expire-tokens' }],
    meanwhile: { state: 'blocked', reason: /HTTP 403/ },
    lift: async (simulator, daemon) => {
      simulator.venue.clearFaults();
      expect(await daemon.command('refresh')).toMatchObject({ code: 0 });
    },
  },
  {
    name: 'an oversized frame',
    faults: [{ kind: 'oversized', bytes: 17 * 1024 * 1024 }],
    meanwhile: { state: 'down', reason: /frame above/ },
    lift: async (_, daemon) => {
      // A broken rule is retried slowly by design; somebody at the keyboard need not wait.
      expect(await daemon.command('reconnect')).toMatchObject({ code: 0 });
    },
  },
];

test.concurrent.each(cases)(
  '$name: says what is wrong, stays up, and is live again',
  async ({ faults, meanwhile, lift }) => {
    await using simulator = await startSimulator({ rate: 50 });
    await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl, config: quick });
    const { pid } = await daemon.reaches('live');
    using consumer = await RawConsumer.subscribe(daemon.eventsSocket);

    for (const fault of faults) simulator.venue.inject(fault);
    await until(
      `${meanwhile.state}, ${meanwhile.reason}`,
      () =>
        consumer
          .events()
          .find(
            ({ params: { channel, message } }) =>
              channel === 'figd.state' &&
              (message as { state: string }).state === meanwhile.state &&
              meanwhile.reason.test((message as { reason: string }).reason),
          ),
      15_000,
    );
    await lift?.(simulator, daemon);
    // A gap is open until what it missed has been fetched.
    const healed = await daemon.statusWhere(
      'live, and no gap open',
      ({ state, gaps }) => state === 'live' && gaps.open === 0,
      20_000,
    );

    expect(healed).toMatchObject({ pid, gaps: { open: 0, total: 1 } });
    const seqs = consumer.events().map(({ params }) => params.seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    expect(Math.max(...rolling(simulator.venue.stats.dialTimes, 60_000))).toBeLessThanOrEqual(10);
  },
  60_000,
);

/** How many moments lie in each window that begins with one of them. */
function rolling(times: readonly number[], windowMs: number): readonly number[] {
  return times.map((start) => times.filter((time) => time >= start && time < start + windowMs).length);
}

test('a half-open socket is noticed within heartbeat interval and timeout', async () => {
  await using simulator = await startSimulator({ rate: 50 });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl, config: quick });
  await daemon.reaches('live');
  const brokenAt = Date.now();
  simulator.venue.inject({ kind: 'half-open', forMs: 500 });
  const { since } = await daemon.reaches('down');
  expect(since - brokenAt).toBeLessThan(2_000 + 200);
});

test('garbage frames are events like any other: the session carries on and every byte arrives', async () => {
  const sent: (string | Uint8Array)[] = [];
  await using simulator = await startSimulator({ rate: 0, onSent: ({ frame }) => sent.push(frame) });
  await using daemon = await DaemonUnderTest.start({ restUrl: simulator.restUrl });
  await daemon.reaches('live');
  using consumer = await RawConsumer.subscribe(daemon.eventsSocket, { channels: ['*'], from: 'now' });
  await until('the reply to subscribe', () => consumer.lines.find((line) => line.text.includes('"result"')));

  simulator.venue.inject({ kind: 'malformed' });
  await until('as many events as frames', () =>
    sent.length > 0 && consumer.events().length >= sent.length ? true : undefined,
  );

  const restored = consumer.events().map(({ params, text }) => {
    const { encoding, message } = params as unknown as { readonly encoding?: string; readonly message: unknown };
    if (encoding === 'base64') return Buffer.from(String(message), 'base64');
    if (encoding === 'text') return String(message);
    return text.slice(text.indexOf('"message":') + '"message":'.length, -2);
  });
  // Between tokens a line break means as much as a space.
  const expected = sent.map((frame) =>
    typeof frame === 'string' ? (isJson(frame) ? frame.replace(/[\r\n]/g, ' ') : frame) : Buffer.from(frame),
  );
  expect(restored).toEqual(expected);
  expect(await daemon.status()).toMatchObject({ state: 'live', session: { id: 1 } });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
