import { afterEach, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/machines/reconcile.events.ts';
import { failure } from '../../src/protocol/failure.ts';
import { DaemonStage, never, refuseWith } from './support/daemon-stage.ts';
import { ack } from './support/session-stage.ts';
import { deferred, settle } from './support/virtual-time.ts';

const second = 1_000;
const minute = 60 * second;

let stage: DaemonStage;
const open = async (...[venue = {}, settings = {}]: ConstructorParameters<typeof DaemonStage>) => {
  stage = new DaemonStage(venue, { reconcileInterval: 5 * minute, ...settings });
  await stage.time.advance(0);
};
afterEach(() => stage.strikeLeavingNothing());

/** When something was compared. */
function comparing(answer: () => Promise<Comparison> = async () => ({ missed: 0 })) {
  const moments: number[] = [];
  const compare = () => {
    moments.push(stage.time.now());
    return answer();
  };
  return { moments, compare };
}

const facts = () => stage.takeFacts().filter(({ type }) => type.startsWith('gap.') || type.startsWith('reconcile.'));

test('a comparison is made when a session is live, after the gap has ended, and then every interval', async () => {
  const { compare } = comparing(async () => ({ missed: 2 }));
  await open({ compare });
  expect(facts()).toEqual([
    { type: 'gap.ended', at: null },
    { type: 'reconcile.finished', outcome: 'complete', missed: 2, failure: null },
  ]);
  await stage.time.advance(10 * minute);
  expect(facts()).toEqual(Array(2).fill({ type: 'reconcile.finished', outcome: 'complete', missed: 2, failure: null }));
});

test('the loss of the session ends the comparison, and the next session has one of its own', async () => {
  const first = deferred<Comparison>();
  const { compare, moments } = comparing(() => first.promise);
  await open({ compare });
  await stage.time.advance(minute);
  facts();
  stage.venue.connect = () => null;
  await stage.drop();
  first.resolve({ missed: 7 });
  await settle();
  expect(facts()).toMatchObject([{ type: 'gap.opened', cause: 'connection-lost' }]);

  stage.venue.connect = () => 'opens';
  await stage.time.advance(minute);
  expect(stage.sessionState).toBe('live');
  expect(moments).toHaveLength(2);
  expect(facts()).toEqual([
    { type: 'gap.ended', at: null },
    { type: 'reconcile.finished', outcome: 'complete', missed: 7, failure: null },
  ]);
});

test('nothing is compared while no session is live', async () => {
  const { compare, moments } = comparing();
  await open({ compare, connect: () => null });
  await stage.time.advance(20 * minute);
  expect([moments, facts()]).toEqual([[], []]);
});

test('a channel that the venue confirms late is compared then, and one that it refuses again is not', async () => {
  const { compare, moments } = comparing();
  let refuses = 2;
  const subscribe = async (_: number, channels: readonly string[]) => {
    refuses -= 1;
    const refused = refuses >= 0 ? channels.slice(-1) : [];
    return { confirmed: channels.filter((channel) => !refused.includes(channel)), refused };
  };
  await open({ compare, subscribe });
  await stage.time.advance(89 * second);
  expect(moments).toEqual([0]);
  await stage.time.advance(second);
  expect(moments).toEqual([0, 90 * second]);
});

test('a session that takes over is no reason to compare again', async () => {
  const { compare, moments } = comparing();
  await open({ compare });
  await stage.send({ type: 'rotate' });
  await stage.time.advance(minute);
  expect([stage.sessionId, moments]).toEqual([2, [0]]);
});

describe('a session that dies unnoticed while another one takes over', () => {
  /** Session 2 takes over in second 65; session 1 answers nothing from second 65 on. */
  async function takeOver(compare: () => Promise<Comparison>): Promise<void> {
    await open({
      compare,
      heartbeat: (session) => (session === 1 && stage.time.now() >= 65 * second ? never() : Promise.resolve(ack)),
    });
    await stage.time.advance(65 * second);
    stage.takeFacts();
    await stage.send({ type: 'rotate' });
    await stage.time.advance(0);
    expect([stage.sessionId, facts()]).toEqual([2, []]);
    await stage.time.advance(2 * second);
  }
  const proof = { provenAt: 60 * second - 4, heartbeatSentAt: 60 * second, rttMs: 4 };

  test('leaves a gap up to the takeover, which is compared, and the other one lives on', async () => {
    const { compare, moments } = comparing();
    await takeOver(compare);
    await stage.drop(failure('connection-lost', 'broken'), 1);
    expect(stage.takeFacts()).toEqual([
      { type: 'session.blind-spot', id: 2, previous: 1, proof, until: 65 * second },
      { type: 'gap.opened', cause: 'half-open', session: 1, proof },
      { type: 'gap.ended', at: 65 * second },
      { type: 'reconcile.finished', outcome: 'complete', missed: 0, failure: null },
    ]);
    expect([stage.sessionState, stage.sessionId, moments]).toEqual(['live', 2, [0, 67 * second]]);
  });

  test('is the session whose proof counts, where the other one is lost before that is known', async () => {
    const { compare } = comparing();
    await takeOver(compare);
    await stage.drop();
    expect(facts()).toEqual([{ type: 'gap.opened', cause: 'connection-lost', session: 1, proof }]);
  });
});

test('a comparison that fails holds up neither session nor token', async () => {
  const down = failure('not-found', 'GET /v1/rfq: HTTP 404');
  await open({ compare: () => refuseWith(down) });
  expect([stage.sessionState, stage.tokenState]).toEqual(['live', 'valid']);
  expect(facts().at(-1)).toEqual({ type: 'reconcile.finished', outcome: 'failed', missed: 0, failure: down });
});

test('on stop a comparison under way is over, and nothing is told of it', async () => {
  const late = deferred<Comparison>();
  await open({ compare: () => late.promise });
  facts();
  await stage.send({ type: 'stop' });
  late.resolve({ missed: 1 });
  await settle();
  expect([stage.state, facts()]).toEqual(['stopped', []]);
});
