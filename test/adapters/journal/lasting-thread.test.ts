import { afterEach, expect, it, vi } from 'vitest';
import { LastingThread } from '../../../src/adapters/journal/lasting-thread.ts';
import { until } from '../../support/until.ts';

const host = vi.hoisted(() => ({ isOutOfThreads: false }));

/** A thread that answers with how many bytes it was told to keep, and ends where it is asked for an epoch named so. */
vi.mock('../../../src/adapters/journal/thread-code.ts', () => ({
  get threadCode() {
    if (host.isOutOfThreads) throw new Error('no thread to be had');
    return `
    const { parentPort, workerData: { retainBytes } } = require('node:worker_threads');
    parentPort.postMessage({ tell: 'opened', isTaken: false, isOurs: true, wasDamaged: false, ledger: { gaps: [] } });
    parentPort.on('message', ({ id, question }) => {
      if (question?.epoch === 'end' || question?.epoch === 'end the first one' && retainBytes === 1) process.exit();
      if (question !== undefined) parentPort.postMessage({ tell: 'answer', id, answer: retainBytes });
    });`;
  },
}));

const last = (epoch: string) => ({ ask: 'last', epoch }) as const;

class Stage implements AsyncDisposable {
  now = 0;
  readonly told: (string | null)[] = [];
  claimed = 0;
  replaced = 0;
  readonly thread = new LastingThread({
    directory: '/nowhere',
    retainFor: 1,
    retainBytes: 1,
    now: () => this.now,
    onTrouble: (of, message) => of === 'thread' && this.told.push(message),
    onFigures: () => undefined,
    onClaimed: () => {
      this.claimed += 1;
    },
    onReplaced: () => {
      this.replaced += 1;
    },
  });

  async [Symbol.asyncDispose](): Promise<void> {
    await this.thread.end();
  }
}

afterEach(() => {
  vi.useRealTimers();
  host.isOutOfThreads = false;
});

it('starts another one at once where one ends after a good while, and asks it what that one left unanswered', async () => {
  await using stage = new Stage();
  const { thread, told } = stage;
  await thread.opened;
  stage.now = 10_000;
  thread.retain({ retainFor: 1, retainBytes: 2 });
  expect(await Promise.all([thread.ask(last('end the first one')), thread.ask(last('e'))])).toEqual([2, 2]);
  expect(told).toEqual([expect.stringContaining('another one is started now'), null]);
  expect([stage.claimed, stage.replaced, thread.isOurs]).toEqual([1, 1, true]);
});

it('gives up on a question that ends the second one as well', async () => {
  await using stage = new Stage();
  await stage.thread.opened;
  stage.now = 10_000;
  expect(await stage.thread.ask(last('end'))).toBeUndefined();
});

it('waits longer each time where they end soon, and has nobody wait meanwhile', async () => {
  await using stage = new Stage();
  const { thread, told } = stage;
  await thread.opened;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const delays = [1, 2, 4, 8, 16, 32, 60, 60];
  for (const [index, delay] of delays.entries()) {
    expect(await thread.ask(last('end'))).toBeUndefined();
    expect(told.at(-1)).toContain(`another one is started in ${delay} s`);
    expect(await thread.ask(last('e'))).toBeUndefined();
    expect(thread.isOurs).toBe(false);
    vi.advanceTimersByTime(delay * 1_000 - 1);
    expect(await thread.ask(last('e'))).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(await thread.ask(last('e'))).toBe(1);
    expect([told.at(-1), stage.replaced]).toEqual([null, index + 1]);
  }
  // One that lasts is good again for another start at once.
  stage.now = 10_000;
  expect(await thread.ask(last('end'))).toBeUndefined();
  vi.useRealTimers();
  await until('a fresh start', () => told.some((message) => message?.includes('started now')));
});

it('goes on trying where this host has no thread for it', async () => {
  await using stage = new Stage();
  const { thread, told } = stage;
  await thread.opened;
  stage.now = 10_000;
  host.isOutOfThreads = true;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  expect(await thread.ask(last('end'))).toBeUndefined();
  expect(told).toEqual([
    expect.stringContaining('another one is started now'),
    expect.stringMatching(/^the journal's thread cannot be started: no thread to be had; .* in 1 s$/),
  ]);
  host.isOutOfThreads = false;
  vi.advanceTimersByTime(1_000);
  expect([await thread.ask(last('e')), told.at(-1)]).toEqual([1, null]);
});

it('starts no other one once it has been ended', async () => {
  await using stage = new Stage();
  await stage.thread.opened;
  await stage.thread.end();
  expect(await stage.thread.ask(last('e'))).toBeUndefined();
  expect([stage.told, stage.replaced]).toEqual([[], 0]);
});
