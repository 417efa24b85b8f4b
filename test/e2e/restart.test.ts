import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { seededRandom } from '../../src/simulator/random.ts';
import { until } from '../support/until.ts';
import { RestartStage } from './support/restart-stage.ts';

const kills = Number(process.env['FIGD_TEST_KILLS'] ?? 4);
const seed = Number(process.env['FIGD_TEST_SEED'] ?? 7);
/** What a kill costs at most: the last batch, and the numbers that were kept ahead, more of them in a burst. */
const mostLost = 5_000;

it.concurrent(`keeps numbers, epoch and events through ${kills} kills at random instants`, {
  timeout: 30_000 + kills * 6_000,
}, async () => {
  await using stage = await RestartStage.open();
  const random = seededRandom(seed);
  await stage.hears(200);
  const { epoch } = stage.whole;
  for (let kill = 0; kill < kills; kill += 1) {
    // One in four falls into the start.
    if (random() < 0.25) await new Promise((resolve) => setTimeout(resolve, random() * 700));
    else await stage.hears(Math.floor(random() * 500));
    await stage.kill();
    stage.launch();
  }
  await stage.settle();
  const { lost, unresumed } = stage.whole;
  if (kills > 10) {
    const lengths = lost.map(({ from, to }) => to - from + 1).sort((a, b) => a - b);
    process.stdout.write(
      `${JSON.stringify({ kills, events: stage.whole.next - 1, lostRanges: lost.length, median: lengths[lengths.length >> 1], longest: lengths.at(-1), slowLost: stage.slow.lost.length })}\n`,
    );
  }
  await stage.check();
  expect([...stage.told.lines.keys()]).toEqual([epoch]);
  expect(unresumed).toEqual([]);
  expect(lost.filter(({ reason, from, to }) => reason !== 'crash' || to - from >= mostLost)).toEqual([]);
  expect(lost.length).toBeLessThanOrEqual(kills);
});

it.concurrent('loses nothing, and tells of nothing lost, through restarts in good order', {
  timeout: 60_000,
}, async () => {
  await using stage = await RestartStage.open();
  for (let restart = 0; restart < 2; restart += 1) {
    await stage.hears(100);
    await stage.stop();
    stage.launch();
  }
  await stage.settle();
  await stage.check();
  for (const consumer of [stage.whole, stage.filtered, stage.slow]) {
    expect([consumer.lost, consumer.unresumed]).toEqual([[], []]);
  }
  expect(stage.told.lines.size).toBe(1);
});

it.concurrent('tells what it can no longer give when its files were moved, damaged or removed, and uses no number twice', {
  timeout: 60_000,
}, async () => {
  await using stage = await RestartStage.open();
  const path = (name: string) => join(stage.stateDirectory, name);
  const epochs = () => [...stage.told.lines.keys()];

  await stage.hears(100);
  await stage.stop();
  renameSync(path('journal.db'), path('elsewhere.db'));
  stage.launch();
  await stage.hears(100);
  expect(epochs()).toHaveLength(1);
  expect(stage.whole.lost).toEqual([]);

  await stage.stop();
  const { size } = statSync(path('journal.db'));
  writeFileSync(path('journal.db'), Buffer.alloc(size, 'garbage'));
  stage.launch();
  await stage.hears(100);
  expect(epochs()).toHaveLength(2);
  expect(readdirSync(stage.stateDirectory)).toContainEqual(expect.stringMatching(/^journal\.db\.corrupt-\d+$/));

  await stage.kill();
  rmSync(path('sequence'));
  stage.launch();
  await stage.hears(100);
  expect(epochs()).toHaveLength(3);

  await stage.settle();
  await stage.check();
  expect(stage.whole.unresumed.map(({ reason }) => reason)).toEqual(['epoch', 'epoch']);
  const { slow } = stage;
  await until('the slow one to have come back', () => slow.unresumed.length > 0);
});
