import { afterEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { DaemonStage } from './support/daemon-stage.ts';

const second = 1_000;
const minute = 60 * second;
const ousted = failure('closed-by-venue', 'the venue closed the session with 1000');
const contested = (times: number) =>
  failure(
    'contested',
    `the venue ended ${times} sessions in a row within a minute of authenticating; another program seems to use this key (${ousted.message})`,
  );

let stage: DaemonStage;
const open = async (...given: ConstructorParameters<typeof DaemonStage>) => {
  stage = new DaemonStage(...given);
  await stage.time.advance(0);
};
afterEach(() => stage.strikeLeavingNothing());

/** Each session is live for so long, and then ended by the venue; returns how each end was told. */
async function oust(lives: readonly number[]) {
  for (const life of lives) {
    while (stage.sessionState !== 'live') await stage.time.toNextTimer();
    await stage.time.advance(life);
    await stage.drop(ousted);
  }
  return stage.takeFacts().flatMap((fact) => (fact.type === 'session.closed' ? [fact] : []));
}

describe('sessions that the venue ends soon after it let them in', () => {
  test('are a contest from the fourth in a row on, with a gap of that cause', async () => {
    await open();
    const closed = await oust([second, second, second]);
    expect(closed.map(({ failure: found }) => found)).toEqual([ousted, ousted, ousted]);
    while (stage.sessionState !== 'live') await stage.time.toNextTimer();
    stage.takeFacts();
    await stage.drop(ousted);
    expect(stage.takeFacts()).toMatchObject([
      { type: 'session.closed', id: 4, failure: contested(4) },
      { type: 'gap.opened', cause: 'contested' },
    ]);
    expect([stage.context.lastClose, stage.context.cutShort]).toEqual([{ ...contested(4), at: stage.time.now() }, 4]);
  });

  test('are then dialled as slowly as where the venue limits us', async () => {
    await open();
    const closed = await oust(Array.from({ length: 8 }, () => second));
    expect(closed.map(({ retryInMs }) => retryInMs)).toEqual([
      250,
      500,
      1_000,
      // 16 s for each failure in a row, and half of a tenth more.
      ...[4, 5, 6, 7, 8].map((failed) => failed * 16_000 * 1.05),
    ]);
    expect(closed.at(-1)?.failure).toEqual(contested(8));
  });

  test('are forgotten after one that lived for a minute', async () => {
    await open();
    const closed = await oust([second, second, second, minute, second, second, second]);
    expect(closed.map(({ failure: { code } }) => code)).toEqual(Array.from({ length: 7 }, () => 'closed-by-venue'));
    expect((await oust([second])).map(({ failure: found }) => found)).toEqual([contested(4)]);
  });

  test('are no contest while others fail for reasons that hit everybody', async () => {
    await open();
    await oust([second, second, second]);
    while (stage.sessionState !== 'live') await stage.time.toNextTimer();
    await stage.drop(failure('server-error', 'close 1011'));
    expect([stage.context.lastClose?.code, stage.context.cutShort]).toEqual(['server-error', 3]);
  });

  test('do not keep `reconnect` from dialling now', async () => {
    await open();
    await oust([second, second, second, second]);
    expect([stage.state, stage.context.nextDialAt]).toEqual(['backing off', stage.time.now() + 67_200]);
    await stage.send({ type: 'reconnect' });
    await stage.time.advance(0);
    expect([stage.sessionState, stage.dials.at(-1)]).toEqual(['live', stage.time.now()]);
  });
});
