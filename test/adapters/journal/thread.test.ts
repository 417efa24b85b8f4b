import { afterEach, expect, it, vi } from 'vitest';
import { Thread } from '../../../src/adapters/journal/thread.ts';
import type { TroubleSubject } from '../../../src/adapters/journal/troubles.ts';

/** A thread whose disk hangs until it is told of a change: it answers nothing before, and everything then. */
vi.mock('../../../src/adapters/journal/thread-code.ts', () => ({
  threadCode: `
    const { parentPort } = require('node:worker_threads');
    const asked = [];
    parentPort.postMessage({ tell: 'opened', isTaken: false, isOurs: true, wasDamaged: false, ledger: { gaps: [] } });
    parentPort.on('message', ({ id, change }) => {
      if (change === undefined) asked.push(id);
      else for (const each of asked.splice(0)) parentPort.postMessage({ tell: 'answer', id: each, answer: true });
    });`,
}));

afterEach(() => {
  vi.useRealTimers();
});

async function open() {
  const told: [TroubleSubject, string | null][] = [];
  const thread = new Thread(
    { directory: '/nowhere', retainFor: 1, retainBytes: 1 },
    {
      onTrouble: (of, message) => told.push([of, message]),
      onFigures: () => undefined,
      onClaimed: () => undefined,
      onEnded: (why) => told.push(['thread', why]),
    },
  );
  await thread.opened;
  return {
    thread,
    told,
    work: () => thread.post({ change: 'heard', heard: { at: 1, clockOffsetMs: 1, channels: [] } }),
  };
}

it('tells of a disk that does not answer for ten seconds, and when it does again', async () => {
  const { thread, told, work } = await open();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const answers = [thread.ask({ ask: 'last', epoch: 'e' }), thread.ask({ ask: 'since', epoch: 'e', since: 1 })];
  vi.advanceTimersByTime(9_999);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told[0]).toEqual(['thread', expect.stringContaining('has not answered for 10 s')]);
  vi.useRealTimers();
  work();
  await Promise.all(answers);
  expect(told.at(-1)).toEqual(['thread', null]);
  await thread.end();
});

it('says nothing of one that answers in time, however long ago that was', async () => {
  const { thread, told, work } = await open();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const answer = thread.ask({ ask: 'last', epoch: 'e' });
  vi.advanceTimersByTime(9_000);
  vi.useRealTimers();
  work();
  expect(await answer).toBe(true);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([]);
  vi.useRealTimers();
  await thread.end();
});

it('says nothing once it has ended', async () => {
  const { thread, told } = await open();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  void thread.ask({ ask: 'last', epoch: 'e' });
  await thread.end();
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([]);
});
