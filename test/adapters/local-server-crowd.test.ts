import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { until, within } from '../support/until.ts';
import { crowd } from './support/crowd.ts';
import { LineClient } from './support/line-client.ts';
import { LocalDaemon } from './support/local-daemon.ts';

async function descriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

it('serves 3,000 connections at once as far as there are places, and the others cost nothing', async () => {
  await using daemon = await LocalDaemon.start({ maxConsumers: 8 });
  const witness = await daemon.follower();
  const before = await descriptors();
  {
    await using many = await crowd(daemon.eventsPath, 3_000);
    // 8 consumers, 64 beyond, the witness among them.
    expect(many.open).toBe(71);
    expect(Object.values(many.closed).reduce((sum, count) => sum + count)).toBe(3_000 - 71);
    expect(Object.keys(many.closed).toSorted().at(-1)).toBe('too many connections');
    // And what the process of the crowd takes here.
    await until('the others to be released', async () => (await descriptors()) <= before + 71 + 4);
    daemon.add('rfq.maker');
    await witness.notification('event');
    expect((await witness.call('ping'))['result']).toEqual({ now: expect.any(Number) });
  }
  await until('all to be released', async () => (await descriptors()) === before);
  const next = await daemon.connect();
  expect(await next.call('ping')).toHaveProperty('result');
  expect(daemon.bugs).toEqual([]);
});

it('has 256 places on the control socket, apart from those for events', async () => {
  await using daemon = await LocalDaemon.start({ maxConsumers: 8 });
  await using many = await crowd(daemon.controlPath, 600);
  expect(many.open).toBe(256);
  expect(many.closed['too many connections']).toBeGreaterThan(0);
  expect(await (await daemon.connect()).call('ping')).toHaveProperty('result');
});

it('outlives having no descriptor left, serves on who is there, and others again as soon as it can', async () => {
  const script = fileURLToPath(new URL('support/daemon-process.ts', import.meta.url));
  const child = spawn('/bin/sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    const [line] = (await within('the daemon', once(child.stdout, 'data'))) as [Buffer];
    const path = line.toString().trim();
    const witness = await LineClient.open(path);
    await witness.call('subscribe', { ticks: false });
    {
      await using many = await crowd(path, 200);
      expect(many.open).toBeGreaterThan(10);
      expect(many.closed['']).toBeGreaterThan(100);
      const seen = witness.lines.length;
      await until('ten more events', () => witness.lines.length > seen + 10);
    }
    const next = await until('a free descriptor', () => LineClient.open(path).catch(() => undefined));
    expect(await next.call('ping')).toHaveProperty('result');
    expect(witness.seqs()).toEqual(Array.from(witness.seqs(), (_, index) => Number(witness.seqs()[0]) + index));
    await Promise.all([next.close(), witness.close()]);
    await rm(dirname(path), { recursive: true });
    expect(child.exitCode).toBeNull();
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
});
