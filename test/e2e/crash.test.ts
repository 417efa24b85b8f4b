import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { LocalClient } from '../../src/adapters/local-client.ts';
import type { Ended } from '../support/figd.ts';
import { RawConsumer } from './daemon.ts';
import { RestartStage } from './support/restart-stage.ts';

const preload = fileURLToPath(new URL('support/failing.mjs', import.meta.url));
const clientSecret = 'demo-secret';

function open(kind: string): Promise<RestartStage> {
  const env = { FAILURE_KIND: kind, SECRET: clientSecret };
  return RestartStage.open({ env, nodeArguments: ['--import', preload], clientSecret });
}

const logged = ({ stdout }: Ended) => stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));

it.concurrent.each(['exception', 'rejection', 'machine'])(
  'ends with 70 and one word of it, and nothing is lost: %s',
  { timeout: 60_000 },
  async (kind) => {
    await using stage = await open(kind);
    await stage.hears(300);
    using consumer = await RawConsumer.subscribe(stage.daemon.eventsSocket);
    await stage.fail(async () => {
      if (kind !== 'machine') return;
      const client = await LocalClient.connect(stage.daemon.controlSocket);
      // It dies of the answer of the venue, which comes after ours.
      await client.request('refresh');
      client.close();
    });
    const ended = await stage.daemon.process.ended;
    expect(ended).toMatchObject({ code: 70, stderr: '' });
    const fatal = logged(ended).filter(({ level }) => level === 'fatal');
    expect(fatal).toEqual([expect.objectContaining({ msg: expect.stringMatching(/^internal failure: /) })]);
    const { err } = fatal[0];
    expect(err.message).toMatch(/ failed, and quotes \[secret\]$/);
    expect(err.stack).toContain('failing.mjs');
    expect(ended.stdout).not.toContain(clientSecret);
    await consumer.ended;
    expect(consumer.lines.at(-1)).toMatchObject({ method: 'bye', params: { reason: 'internal failure' } });

    stage.launch();
    await stage.settle();
    await stage.check();
    for (const each of [stage.whole, stage.filtered, stage.slow]) expect([each.lost, each.unresumed]).toEqual([[], []]);
    expect(stage.told.lines.size).toBe(1);
  },
);

it.concurrent('a failure while figd stops is told and counts, and nothing is lost', { timeout: 60_000 }, async () => {
  await using stage = await open('stopping');
  await stage.hears(100);
  const ended = await stage.daemon.process.stop();
  expect(ended).toMatchObject({ code: 70, stderr: '' });
  expect(logged(ended).filter(({ level }) => level === 'fatal')).toHaveLength(1);
  stage.launch();
  await stage.settle();
  await stage.check();
  expect([stage.whole.lost, stage.whole.unresumed]).toEqual([[], []]);
});

it.concurrent('ends at once where it fails again meanwhile', { timeout: 60_000 }, async () => {
  await using stage = await open('twice');
  await stage.hears(100);
  await stage.fail();
  const ended = await stage.daemon.process.ended;
  expect(ended.code).toBe(70);
  expect(logged(ended).filter(({ level }) => level === 'fatal')).toHaveLength(1);
  expect(logged(ended).at(-1)).toMatchObject({ level: 'error', err: { message: expect.stringContaining('failed') } });
  stage.launch();
  await stage.settle();
  await stage.check();
});
