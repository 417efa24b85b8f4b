import { afterEach, expect, test, vi } from 'vitest';
import { MemoryLedger } from '../../src/log/memory-ledger.ts';
import { CoreStage, channels } from './support/core-stage.ts';
import { epoch } from './support/test-clock.ts';

const second = 1_000;
const minute = 60 * second;

let stage: CoreStage;
afterEach(() => stage.stopSoundly());

test('a daemon that dies leaves a gap to the next one, from when the venue was last heard', async () => {
  stage = await CoreStage.open();
  await stage.pass(12 * second);
  const { clock, store, venue } = stage;
  const heardAt = store.heard?.at;
  expect(heardAt).toBeGreaterThan(epoch);
  // What the first run does from here on reaches the ledger of the second as little as if it were dead.
  const left = MemoryLedger.from({ ...store.recall(), gaps: store.gapsSince(0) });
  await stage.stop();
  stage = await CoreStage.open({ clock, store: left, venue });
  expect(stage.gaps[0]).toEqual({ phase: 'open', id: 1, cause: 'daemon-died', since: heardAt, channels });
  await stage.pass(3 * second);
  expect(stage.gaps.slice(1)).toMatchObject([{ phase: 'closed', id: 1, reconciled: true }]);
});

test('what a run that died had heard is missed, and what the next one wants', async () => {
  stage = await CoreStage.open({ flags: { 'session.channels': 'rfq.maker' } });
  await stage.pass(10 * second);
  // It dies in the second in which a channel is added.
  stage.reload({ 'session.channels': 'rfq.maker,rfq.taker' });
  await stage.pass(1);
  const { clock, store, venue } = stage;
  const left = MemoryLedger.from({ ...store.recall(), gaps: store.gapsSince(0) });
  await stage.stop();
  stage = await CoreStage.open({ clock, store: left, venue, flags: { 'session.channels': 'rfq_quote.maker' } });
  expect(stage.gaps[0]).toMatchObject({
    cause: 'daemon-died',
    channels: ['rfq.maker', 'rfq.taker', 'rfq_quote.maker'],
  });
});

test('what was heard until a reload is missed in a gap that began before it', async () => {
  stage = await CoreStage.open();
  await stage.pass(5 * second);
  stage.venue.inject({ kind: 'half-open', forMs: minute });
  await stage.pass(second);
  stage.reload({ 'session.channels': 'rfq.maker' });
  await stage.pass(30 * second);
  expect(stage.gaps[0]).toMatchObject({ phase: 'open', cause: 'half-open' });
  expect(stage.gaps[0]).toHaveProperty('channels', expect.arrayContaining(channels));
});

test('a daemon that dies in its first second leaves the time of the venue with when it was heard', async () => {
  stage = await CoreStage.open();
  expect(stage.store.recall()).toMatchObject({ heard: { at: expect.any(Number), clockOffsetMs: 0 } });
});

test('a daemon that dies as it hears the venue again leaves a gap that is open, or since when it was dead', async () => {
  stage = await CoreStage.open();
  const { store } = stage;
  const left: boolean[] = [];
  for (const method of ['save', 'markHeard'] as const) {
    const write = store[method].bind(store) as (...args: unknown[]) => void;
    vi.spyOn(store, method).mockImplementation((...args: unknown[]) => {
      write(...args);
      const { heard, unfinished } = store.recall();
      left.push(heard !== null || unfinished.some(({ until }) => until === null));
    });
  }
  stage.venue.inject({ kind: 'drop' });
  await stage.pass(5 * second);
  expect(stage.gaps).toMatchObject([{ phase: 'open' }, { phase: 'closed' }]);
  expect(left.length).toBeGreaterThanOrEqual(4);
  expect(left).not.toContain(false);
});

test('a stop is a gap that the next run goes on with', async () => {
  stage = await CoreStage.open();
  await stage.pass(10 * second);
  const { clock, store, venue } = stage;
  const heardAt = stage.core.intake.lastHeardAt ?? 0;
  await stage.stop();
  expect(stage.gaps).toMatchObject([{ phase: 'open', id: 1, cause: 'daemon-stopped' }]);
  expect(store.gap(1)?.since).toBeGreaterThanOrEqual(epoch + heardAt);
  stage = await CoreStage.open({ clock, store, venue });
  expect(stage.gaps[0]).toMatchObject({ phase: 'open', id: 1, cause: 'daemon-stopped' });
  await stage.pass(3 * second);
  expect(stage.gaps[1]).toMatchObject({ phase: 'closed', id: 1, reconciled: true });
});

/** Ends a run, and has the clock of the host set; returns what is left to the next run. */
async function stopAndSetClock(step: number) {
  stage = await CoreStage.open();
  await stage.pass(10 * second);
  const { clock, store, venue } = stage;
  await stage.stop();
  clock.step(step);
  clock.look();
  return { left: { clock, store, venue }, since: store.gap(1)?.since ?? 0 };
}

/** When this run was started, by a clock that nobody sets. */
const startedAt = () => epoch + stage.clock.monotonic() - CoreStage.startMs;

test.each([-minute, 60 * minute])(
  'a stop has its true length, though the wall clock was set by %d ms before the next run',
  async (step) => {
    const { left, since } = await stopAndSetClock(step);
    await left.clock.time.advance(20 * second);
    stage = await CoreStage.open(left);
    const blindMs = startedAt() - since;
    await stage.pass(3 * second);
    expect(stage.settled).toEqual([
      {
        id: 1,
        cause: 'daemon-stopped',
        since,
        until: since + step + blindMs,
        blindMs,
        channels,
        clockOffsetMs: 0,
        reconciled: true,
      },
    ]);
  },
);

test.each([-10 * minute, 60 * minute])(
  'a venue that refuses the first heartbeats is not taken for one without a clock, though ours was set by %d ms',
  async (step) => {
    const { left, since } = await stopAndSetClock(step);
    left.venue.burst(60);
    left.venue.inject({ kind: 'rpc-error', method: 'heartbeat', code: 429, message: 'rate limit exceeded', times: 5 });
    stage = await CoreStage.open(left);
    const blindMs = startedAt() - since;
    await stage.pass(9 * second);
    expect([stage.settled, stage.reconciled]).toEqual([[], []]);
    await stage.pass(4 * second);
    expect(stage.settled).toMatchObject([{ id: 1, blindMs, reconciled: true }]);
    expect(stage.reconciled.length).toBeGreaterThanOrEqual(20);
  },
);

test('a stop has its true length, though the wall clock is set while figd looks for what was missed', async () => {
  const lengthWith = async (step: number) => {
    const { left } = await stopAndSetClock(0);
    left.venue.burst(60);
    left.venue.inject({ kind: 'delay', ms: 100 });
    stage = await CoreStage.open(left);
    // The clock was looked at a tenth of a second ago, and is looked at again when all is over.
    await stage.pass(600);
    expect(stage.settled).toEqual([]);
    left.clock.step(step);
    await stage.pass(800);
    const [gap] = stage.settled;
    await stage.stopSoundly();
    return gap?.blindMs;
  };
  const length = await lengthWith(0);
  expect(length).toBeGreaterThan(0);
  expect(await lengthWith(-29 * second)).toBe(length);
  expect(await lengthWith(29 * second)).toBe(length);
});
