import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RpcError } from '../../src/protocol/json-rpc.ts';
import type { CallRequest } from '../../src/protocol/local-requests.ts';
import { CoreStage } from './support/core-stage.ts';

const second = 1_000;
let stage: CoreStage;

/** What a call comes to, in the end. */
interface Outcome {
  result?: unknown;
  error?: RpcError;
}

class TestCaller {
  readonly id: number;
  isGone = false;

  constructor(id: number) {
    this.id = id;
  }

  call(request: Partial<CallRequest> & { readonly of?: object } = {}): Outcome {
    const { of = {}, ...rest } = request;
    const outcome: Outcome = {};
    const whole = { method: 'simulator/echo', params: JSON.stringify(of), ...rest };
    stage.core.calls.call(whole, this).then(
      ({ json }) => Object.assign(outcome, { result: JSON.parse(json) }),
      (error: unknown) => Object.assign(outcome, { error }),
    );
    return outcome;
  }
}

const advance = (ms: number) => stage.clock.time.advance(ms);
const echoes = () => stage.venue.stats.echoes;
const figds = (code: number, message: unknown, data: object) =>
  expect.objectContaining({ code, message, data }) as unknown as RpcError;
const statuses = () => stage.calls.map(({ status }) => status);

async function goLive(...setting: ConstructorParameters<typeof CoreStage>): Promise<void> {
  stage = await CoreStage.open(...setting);
  expect(stage.state).toBe('live');
}

beforeEach(() => goLive());

afterEach(async () => {
  await stage.stop();
  await advance(60 * second);
  expect(stage.fatal).toEqual([]);
});

describe('a call', () => {
  test('gets the answer to its own, in whatever order the answers come', async () => {
    const callers = [new TestCaller(1), new TestCaller(2)];
    const outcomes = Array.from({ length: 40 }, (_, index) => {
      const of = { key: `${index}`, delayMs: (index * 37) % 40 };
      return [of, callers[index % 2]?.call({ of })] as const;
    });
    await advance(50);
    for (const [of, outcome] of outcomes) expect(outcome).toEqual({ result: of });
    expect(echoes()).toMatchObject({ executed: 40, repeated: 0 });
  });

  test("is refused with the venue's own error, as it came", async () => {
    const error = { code: -32602, message: 'bad params', data: { field: 'amount' } };
    const outcomes = [new TestCaller(1).call({ of: { error } }), new TestCaller(2).call({ method: 'v1/nothing' })];
    await advance(1);
    expect(outcomes).toMatchObject([{ error }, { error: { code: -32601, message: 'method not found: v1/nothing' } }]);
    expect(statuses()).toEqual(['rpc -32602', 'rpc -32601']);
  });

  test('may be a heartbeat', async () => {
    const outcome = new TestCaller(1).call({ method: 'heartbeat' });
    await advance(1);
    expect(outcome).toEqual({ result: { time: expect.any(Number) } });
  });

  test('ends at its deadline, and its late reply goes nowhere', async () => {
    const caller = new TestCaller(1);
    const late = caller.call({ of: { key: 'late', delayMs: 5 * second }, timeoutMs: 2 * second });
    await advance(2 * second - 1);
    expect(late).toEqual({});
    await advance(1);
    const message = 'no reply to simulator/echo within 2000 ms; the call was sent, and may have been executed';
    const data = { class: 'transient', code: 'reply-timeout', sent: true };
    expect(late).toEqual({ error: figds(-32001, message, data) });
    const next = caller.call({ of: { key: 'next', delayMs: 4 * second } });
    await advance(4 * second);
    expect(next).toEqual({ result: { key: 'next', delayMs: 4 * second } });
    expect(stage.core.counters.strayReplies).toBe(1);
    expect(echoes().executed).toBe(2);
  });

  test('waits no longer than gateway.timeout, whatever it asks for', async () => {
    const outcomes = [undefined, 3_600 * second].map((timeoutMs) =>
      new TestCaller(1).call({ of: { delayMs: 60 * second }, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
    );
    await advance(30 * second - 1);
    expect(outcomes).toEqual([{}, {}]);
    await advance(1);
    for (const { error } of outcomes) expect(error?.data).toMatchObject({ code: 'reply-timeout' });
  });

  test('is told in the log with its name, its caller, what came of it and how long it took, and no more', async () => {
    const { calls } = stage;
    new TestCaller(7).call({ of: { key: 'private', delayMs: 20 } });
    new TestCaller(8).call({ method: 'v1/subscribe' });
    new TestCaller(9).call({ of: { delayMs: 50 }, timeoutMs: 30 });
    await advance(100);
    expect(calls).toEqual([
      { door: 'call', caller: 8, method: 'v1/subscribe', status: 'not-allowed', ms: 0 },
      { door: 'call', caller: 7, method: 'simulator/echo', status: 'ok', ms: expect.any(Number) },
      { door: 'call', caller: 9, method: 'simulator/echo', status: 'reply-timeout', ms: expect.any(Number) },
    ]);
    expect(calls.map(({ ms }) => Math.round(ms))).toEqual([0, 20, 30]);
  });
});

describe('what may be called', () => {
  test.each([
    ['v1/subscribe', 'figd subscribes to what session.channels names: change that, and run figd reload'],
    ['v1/unsubscribe', 'figd subscribes to what session.channels names: change that, and run figd reload'],
    [
      'auth',
      'figd authenticates its session itself: figd refresh asks for a new token, figd rotate opens a new session',
    ],
    [
      'auth/refresh',
      'figd authenticates its session itself: figd refresh asks for a new token, figd rotate opens a new session',
    ],
  ])('is not %s, by which figd manages the session', async (method, instead) => {
    const { auths, subscribes } = structuredClone({ ...stage.venue.stats, echoes: null });
    const outcome = new TestCaller(1).call({ method });
    await advance(1);
    const message = `${method} is not for callers: ${instead}; the call was not sent`;
    expect(outcome).toEqual({
      error: figds(-32003, message, { class: 'refused', code: 'not-allowed', sent: false }),
    });
    expect(stage.venue.stats).toMatchObject({ auths, subscribes });
  });

  test('is what gateway.allow names, where there is one, from now on', async () => {
    stage.permissions.replace(['v1/rfq/*']);
    const refused = new TestCaller(1).call();
    const named = new TestCaller(1).call({ method: 'v1/rfq/list' });
    await advance(1);
    const message =
      "simulator/echo is not allowed: gateway.allow of figd's configuration does not name it; the call was not sent";
    expect(refused).toEqual({
      error: figds(-32003, message, { class: 'refused', code: 'not-allowed', sent: false }),
    });
    expect(named.error).toMatchObject({ code: -32601 });
    stage.permissions.replace(undefined);
    const allowed = new TestCaller(1).call();
    await advance(1);
    expect([allowed, echoes().executed]).toEqual([{ result: {} }, 1]);
  });
});

describe('where no session is live', () => {
  const notSent = { class: 'transient', code: 'not-live', sent: false };

  test('a call is refused at once with the reason, and never made later', async () => {
    stage.venue.inject({ kind: 'refuse-auth', forMs: 5 * second });
    stage.dropAll();
    await advance(2 * second);
    const outcome = new TestCaller(1).call({ of: { key: 'a' } });
    await advance(0);
    expect(outcome).toEqual({
      error: figds(-32000, expect.stringMatching(/^there is no live session: .+; .+; the call was not sent$/), notSent),
    });
    await advance(60 * second);
    expect([stage.state, echoes().executed]).toEqual(['live', 0]);
  });

  test('the calls under way end at once with the session, and say that they may have been executed', async () => {
    const callers = [new TestCaller(1), new TestCaller(2)];
    const outcomes = callers.map((caller) => caller.call({ of: { delayMs: 9 * second } }));
    await advance(second);
    stage.dropAll();
    await advance(0);
    for (const outcome of outcomes) {
      expect(outcome).toEqual({
        error: figds(
          -32001,
          expect.stringMatching(
            /^the session ended before simulator\/echo was answered \(.+\); the call was sent, and may have been executed$/,
          ),
          { class: 'transient', code: 'connection-lost', sent: true },
        ),
      });
    }
    await advance(60 * second);
    expect(echoes()).toMatchObject({ executed: 2, repeated: 0 });
  });

  test('those that have not been sent say that they were not', async () => {
    const outcomes = Array.from({ length: 70 }, (_, index) =>
      new TestCaller(index).call({ of: { key: `${index}`, delayMs: 9 * second } }),
    );
    await advance(second);
    stage.dropAll();
    await advance(0);
    outcomes.forEach(({ error }, index) => {
      expect(error?.data).toMatchObject({ sent: index < 64 });
    });
    expect(outcomes.at(-1)?.error).toMatchObject({
      code: -32000,
      message: 'the session ended before the turn of the call came; the call was not sent',
      data: notSent,
    });
    await advance(60 * second);
    expect(echoes()).toMatchObject({ executed: 64, repeated: 0 });
  });
});

describe('while a second session takes over', () => {
  const connections = () =>
    [...stage.venue.stats.closedConnections, ...stage.venue.stats.openConnections].map(
      ({ closedAt }) => closedAt ?? null,
    );

  test('calls on the first one are answered, and new ones go to the second', async () => {
    const caller = new TestCaller(1);
    const slow = caller.call({ of: { delayMs: 6 * second } });
    await advance(second);
    stage.core.machines.rotate();
    await advance(second);
    expect([stage.core.machines.view().session?.context.id, connections()]).toEqual([2, [null, null]]);
    const quick = caller.call({ of: { key: 'on the second' } });
    await advance(1);
    expect([quick, slow]).toEqual([{ result: { key: 'on the second' } }, {}]);
    await advance(4 * second);
    expect(slow).toEqual({ result: { delayMs: 6 * second } });
    await advance(second);
    expect(connections()).toEqual([expect.any(Number), null]);
  });

  test('nothing is waited for where nothing was asked', async () => {
    stage.core.machines.rotate();
    await advance(1);
    expect(connections()).toEqual([expect.any(Number), null]);
  });

  test('a call that is not answered in ten seconds ends with the first session', async () => {
    const slow = new TestCaller(1).call({ of: { delayMs: 25 * second } });
    await advance(second);
    stage.core.machines.rotate();
    await advance(9 * second);
    expect(slow).toEqual({});
    await advance(2 * second);
    const message =
      'the session ended before simulator/echo was answered (session 2 has taken over from session 1); the call was sent, and may have been executed';
    expect(slow).toEqual({ error: figds(-32001, message, { class: 'transient', code: 'renewal', sent: true }) });
    expect(connections()).toEqual([expect.any(Number), null]);
  });

  test('calls without end are made through one takeover after another, and each gets its answer', async () => {
    const callers = Array.from({ length: 8 }, (_, id) => new TestCaller(id));
    const outcomes: [object, Outcome | undefined][] = [];
    for (let round = 0; round < 400; round += 1) {
      const of = { key: `${round}`, delayMs: (round * 53) % 900 };
      outcomes.push([of, callers[round % 8]?.call({ of })]);
      if (round % 100 === 50) stage.core.machines.rotate();
      await advance(25);
    }
    await advance(second);
    for (const [of, outcome] of outcomes) expect(outcome).toEqual({ result: of });
    expect(echoes()).toMatchObject({ executed: 400, repeated: 0 });
    expect(stage.core.machines.view().session?.context.id).toBe(5);
    expect(stage.gaps).toEqual([]);
  });
});

describe('under a flood', () => {
  test('so many are under way at a time, the others take turns, and all are answered', async () => {
    const [greedy, modest] = [new TestCaller(1), new TestCaller(2)];
    const flood = Array.from({ length: 300 }, () => greedy.call({ of: { delayMs: 100 } }));
    const one = modest.call({ of: { delayMs: 100 } });
    await advance(1);
    expect(echoes().executed).toBe(64);
    await advance(201);
    expect(one).toHaveProperty('result');
    await advance(400);
    expect(flood.every(({ result }) => result !== undefined)).toBe(true);
  });

  test('the heartbeat and the renewal of the session do not wait', async () => {
    stage.venue.inject({ kind: 'no-reply', method: 'simulator/echo' });
    for (let index = 0; index < 500; index += 1) new TestCaller(index % 50).call();
    await advance(25 * second);
    expect(stage.venue.stats.openConnections).toMatchObject([{ heartbeats: 3 }]);
    stage.core.machines.refresh();
    await advance(second);
    expect(stage.facts.map(({ type }) => type)).toContain('session.renewed');
    expect(echoes().executed).toBe(0);
  });

  test('who has waited for a turn until the deadline is told so', async () => {
    for (let index = 0; index < 64; index += 1) new TestCaller(1).call({ of: { delayMs: 9 * second } });
    const waiting = new TestCaller(2).call({ of: { key: 'x' }, timeoutMs: second });
    await advance(second);
    expect(waiting).toEqual({
      error: figds(-32001, 'no turn in 1000 ms: 64 calls are under way; the call was not sent', {
        class: 'limited',
        code: 'too-many-calls',
        sent: false,
      }),
    });
    await advance(20 * second);
    expect(echoes().timesByKey['x']).toBeUndefined();
  });

  test('what was wanted before this host slept is not made after it', async () => {
    for (let index = 0; index < 64; index += 1) new TestCaller(1).call({ of: { delayMs: 9 * second } });
    const waiting = new TestCaller(2).call({ of: { key: 'x' }, timeoutMs: 20 * second });
    await advance(second);
    stage.clock.suspend(60 * second);
    await advance(30 * second);
    expect(waiting.error?.data).toMatchObject({ sent: false });
    expect(echoes().timesByKey['x']).toBeUndefined();
  });

  test('the waiting calls of a caller that is gone are not made, and its answers go nowhere', async () => {
    const caller = new TestCaller(1);
    for (let index = 0; index < 70; index += 1) caller.call({ of: { delayMs: second } });
    await advance(second / 2);
    caller.isGone = true;
    await advance(second);
    expect(echoes().executed).toBe(64);
    expect(statuses().filter((status) => status === 'connection-lost')).toHaveLength(6);
  });
});
