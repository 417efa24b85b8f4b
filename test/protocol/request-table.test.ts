import { createClock } from '@sinonjs/fake-timers';
import { expect, it } from 'vitest';
import { FailureError, failure } from '../../src/protocol/failure.ts';
import { NotSentError, RequestTable } from '../../src/protocol/request-table.ts';

const lost = failure('connection-lost', 'the line went dead');

function setUp() {
  const clock = createClock();
  const table = new RequestTable({
    setTimeout: (run, ms) => clock.setTimeout(run, ms),
    clearTimeout: (handle) => clock.clearTimeout(handle as number),
  });
  const sent: unknown[] = [];
  const call = (method = 'heartbeat', params = {}, deadline = 5_000) =>
    table.call(method, JSON.stringify(params), deadline, (request) => sent.push(JSON.parse(request)));
  return { clock, table, sent, call };
}

/** What a promise has come to so far. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const pending = { status: 'pending' };
  const [settled] = await Promise.allSettled([Promise.race([promise, Promise.resolve(pending)])]);
  return settled?.status === 'fulfilled' && settled.value === pending ? pending : settled;
}

it('sends each call as JSON-RPC 2.0 under an id of its own', () => {
  const { sent, call, table } = setUp();
  call('auth', { token: 't' });
  call('heartbeat');
  expect(sent).toEqual([
    { jsonrpc: '2.0', id: 1, method: 'auth', params: { token: 't' } },
    { jsonrpc: '2.0', id: 2, method: 'heartbeat', params: {} },
  ]);
  expect(table.size).toBe(2);
});

it('sends the parameters as they are, digits and order and all', () => {
  const { table } = setUp();
  const requests: string[] = [];
  table.call('v1/"quote"', '{"b": 12345678901234567890.10,"a":[ 1e2 ]}', 5_000, (request) => requests.push(request));
  expect(requests).toEqual([
    '{"jsonrpc":"2.0","id":1,"method":"v1/\\"quote\\"","params":{"b": 12345678901234567890.10,"a":[ 1e2 ]}}',
  ]);
});

it('hands on the frame in which an answer came', async () => {
  const { table, call } = setUp();
  const frame = Buffer.from('{"id":1,"result":1.0}');
  const [first, second] = [call(), call()];
  table.settle(1, 1, null, frame);
  table.settle(2, undefined, { code: 1, message: 'no' }, frame);
  expect(await first).toEqual({ ok: true, result: 1, frame });
  expect(await second).toEqual({ ok: false, error: { code: 1, message: 'no' }, frame });
});

it('settles each call with its own answer, in whatever order they come', async () => {
  const { clock, table, call } = setUp();
  const first = call();
  const second = call();
  expect(table.settle(2, { time: 5 }, null)).toBe(true);
  expect(table.settle(1, undefined, { code: -32601, message: 'method not found' })).toBe(true);
  expect(await second).toEqual({ ok: true, result: { time: 5 } });
  expect(await first).toEqual({ ok: false, error: { code: -32601, message: 'method not found' } });
  expect([table.size, clock.countTimers()]).toEqual([0, 0]);
});

it('settles a call whose answer comes while it is still being sent', async () => {
  const { clock, table } = setUp();
  const answer = table.call('auth', '{}', 1_000, () => table.settle(1, 'at once', null));
  expect(await answer).toEqual({ ok: true, result: 'at once' });
  expect(clock.countTimers()).toBe(0);
});

it('rejects at the deadline, not a millisecond earlier, and leaves no timer', async () => {
  const { clock, table, call } = setUp();
  const answer = call('v1/subscribe', {}, 5_000);
  await clock.tickAsync(4_999);
  expect(await outcome(answer)).toEqual({ status: 'pending' });
  await clock.tickAsync(1);
  await expect(answer).rejects.toEqual(
    new FailureError(failure('reply-timeout', 'no reply to v1/subscribe within 5000 ms')),
  );
  expect([table.size, clock.countTimers()]).toEqual([0, 0]);
});

it('does not know a reply that comes late, twice, or under an id it never gave', async () => {
  const { clock, table, call } = setUp();
  const answer = call();
  expect(table.settle(2, {}, null)).toBe(false);
  expect(table.settle('other', {}, null)).toBe(false);
  expect(table.settle(1, 'first', null)).toBe(true);
  expect(table.settle(1, 'second', null)).toBe(false);
  expect(await answer).toEqual({ ok: true, result: 'first' });

  const late = call();
  const rejected = expect(late).rejects.toMatchObject({ failure: { code: 'reply-timeout' } });
  await clock.tickAsync(5_000);
  await rejected;
  expect(table.settle(2, {}, null)).toBe(false);
});

it('knows the late reply to a call it has given up, once, and no other', async () => {
  const { clock, table, call } = setUp();
  const late = expect(call()).rejects.toMatchObject({ failure: { code: 'reply-timeout' } });
  await clock.tickAsync(5_000);
  await late;
  call();
  expect([table.wasGivenUp(2), table.wasGivenUp('x'), table.wasGivenUp(null)]).toEqual([false, false, false]);
  expect([table.wasGivenUp('1'), table.wasGivenUp(1)]).toEqual([true, false]);
});

it('keeps few of the calls it has given up in mind, the latest', async () => {
  const { clock, table, call } = setUp();
  const calls = Array.from({ length: 2_000 }, () => call().catch(() => undefined));
  await clock.tickAsync(5_000);
  await Promise.all(calls);
  const known = calls.filter((_, index) => table.wasGivenUp(index + 1));
  expect([known.length, table.wasGivenUp(976), table.size]).toEqual([1_024, false, 0]);
});

it('knows its id when the venue gives it back as text', async () => {
  const { table, call } = setUp();
  const answer = call();
  expect(table.settle('1', 'mine', null)).toBe(true);
  expect(await answer).toEqual({ ok: true, result: 'mine' });
});

it('takes an error that names no call for the only one pending, and for none where there are more', async () => {
  const { table, call } = setUp();
  const error = { code: -32700, message: 'authentication error' };
  const answer = call();
  expect(table.settle(null, undefined, error)).toBe(true);
  expect(await answer).toEqual({ ok: false, error });

  const [first, second] = [call(), call()];
  expect(table.settle(null, undefined, error)).toBe(false);
  for (const id of [2, 3]) expect(table.settle(id, 'own', null)).toBe(true);
  expect(await Promise.all([first, second])).toEqual(Array(2).fill({ ok: true, result: 'own' }));
});

it('takes an error that names no call for none where it may be about one that was given up', async () => {
  const { clock, table, call } = setUp();
  const late = expect(call('v1/quote', {}, 10)).rejects.toMatchObject({ failure: { code: 'reply-timeout' } });
  await clock.tickAsync(10);
  await late;
  const answer = call('heartbeat');
  const error = { code: -32700, message: 'parse error' };
  expect(table.settle(null, undefined, error)).toBe(false);
  table.settle(2, 'own', null);
  expect(await answer).toEqual({ ok: true, result: 'own' });
  expect(table.wasGivenUp(1)).toBe(true);
  const another = call();
  expect(table.settle(null, undefined, error)).toBe(true);
  expect(await another).toEqual({ ok: false, error });
});

it('fails a call at once when it cannot be sent', async () => {
  const { clock, table } = setUp();
  const answer = table.call('auth', '{"token":"secret-token"}', 1_000, () => {
    throw new Error('the socket is not open: secret-token');
  });
  await expect(answer).rejects.toEqual(new NotSentError(failure('connection-lost', 'auth could not be sent')));
  expect([table.size, clock.countTimers()]).toEqual([0, 0]);
});

it('rejects every pending call when the session ends, and leaves no timer', async () => {
  const { clock, table, call } = setUp();
  const calls = [call('auth'), call('heartbeat'), call('v1/subscribe')];
  table.end(lost);
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes).toEqual(calls.map(() => ({ status: 'rejected', reason: new FailureError(lost) })));
  expect(outcomes.map((one) => one.status === 'rejected' && one.reason.failure)).toEqual([lost, lost, lost]);
  expect([table.size, clock.countTimers()]).toEqual([0, 0]);
  expect(table.settle(1, {}, null)).toBe(false);
});

it('rejects a call after the end with what ended the session first, and sends nothing', async () => {
  const { clock, table, sent, call } = setUp();
  table.end(lost);
  table.end(failure('half-open', 'something later'));
  await expect(call()).rejects.toEqual(new NotSentError(lost));
  expect([sent, table.size, clock.countTimers()]).toEqual([[], 0, 0]);
});

it('rejects a call that is made while the others are being rejected', async () => {
  const { table, call } = setUp();
  const again = call().catch(() => call());
  table.end(lost);
  await expect(again).rejects.toMatchObject({ failure: lost });
  expect(table.size).toBe(0);
});
