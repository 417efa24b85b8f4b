import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startSimulator } from '../../src/simulator/server.ts';
import { until, within } from '../support/until.ts';
import { DaemonUnderTest, RawConsumer } from './daemon.ts';

const binFigd = fileURLToPath(new URL('../../bin/figd', import.meta.url));
const activator = 'systemd-socket-activate';
const hasActivator = spawnSync(activator, ['--version']).status === 0;
if (!hasActivator) process.stderr.write(`SKIPPED: ${activator} is not installed, so figd is not started by it\n`);

/** A configuration for a daemon that this test starts in its own way; the one that wrote it has been stopped. */
async function configured(restUrl: string): Promise<DaemonUnderTest> {
  const daemon = await DaemonUnderTest.start({ restUrl });
  await daemon.reaches('live');
  await daemon.process.stop();
  return daemon;
}

/** Listens where nobody accepts, hands the socket to a process as its descriptor, and forgets it. */
async function listenFor<T>(paths: readonly string[], handOver: (descriptors: readonly number[]) => T): Promise<T> {
  // Closing a server removes the file it made, so the file is moved; the kernel goes on telling where it was made.
  const made = paths.map((path) => join(dirname(path), 'made', basename(path)));
  await Promise.all(made.map((path) => mkdir(dirname(path), { recursive: true })));
  const servers = made.map((path) => createServer().listen(path));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  await Promise.all(made.map((path, index) => rename(path, paths[index] ?? '')));
  const taken = handOver(
    servers.map((server) => (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd),
  );
  for (const server of servers) server.close();
  return taken;
}

/** A shell that holds descriptors 3 and 4 and, for each line it reads, runs figd with them and tells its end. */
function holder(configFile: string, descriptors: readonly number[], names = ''): ChildProcessWithoutNullStreams {
  const script = `while read -r _; do
    sh -c 'export LISTEN_PID=$$ LISTEN_FDS=${descriptors.length} LISTEN_FDNAMES=${names}; echo "pid $$"; exec "$@"' sh "$@"
    echo "ended $?"
  done`;
  const child = spawn('/bin/sh', ['-c', script, 'sh', binFigd, 'run', '--config', configFile], {
    stdio: ['pipe', 'pipe', 'pipe', ...descriptors],
    env: { PATH: process.env['PATH'] },
    // A group of its own, so that a daemon does not outlive a test that fails.
    detached: true,
  }) as unknown as ChildProcessWithoutNullStreams;
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
  });
  return child;
}

/** What a process has printed so far. */
function printed(child: ChildProcessWithoutNullStreams): { text: string } {
  const all = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      all.text += part;
    });
  }
  return all;
}

function lastPid(text: string, count: number): number | undefined {
  const pids = [...text.matchAll(/^pid (\d+)$/gm)];
  return pids.length < count ? undefined : Number(pids.at(-1)?.[1]);
}

test('sockets that somebody holds: no consumer is refused between two daemons, and their files stay', async () => {
  await using simulator = await startSimulator({ rate: 20 });
  await using daemon = await configured(simulator.restUrl);
  const { eventsSocket, controlSocket } = daemon;
  const child = await listenFor([eventsSocket, controlSocket], (descriptors) => holder(daemon.configFile, descriptors));
  const output = printed(child);
  const before = await stat(eventsSocket);

  using early = await RawConsumer.subscribe(eventsSocket);
  expect(early.lines).toEqual([]);
  child.stdin.write('\n');
  await until('events', () => early.events().length > 5);
  const first = await daemon.reaches('live');
  expect(first.pid).toBe(lastPid(output.text, 1));

  process.kill(first.pid, 'SIGKILL');
  await until('the end of the first daemon', () => output.text.includes('ended 137'));
  await early.ended;
  using waiting = await RawConsumer.subscribe(eventsSocket);
  child.stdin.write('\n');
  await until('events of the second daemon', () => waiting.events().length > 5);
  const second = await daemon.reaches('live');
  expect(second.pid).not.toBe(first.pid);
  const { code } = await daemon.command('refresh');
  expect(code).toBe(0);

  process.kill(second.pid, 'SIGTERM');
  await until('a stop in good order', () => output.text.includes('ended 0'));
  expect([existsSync(eventsSocket), existsSync(controlSocket)]).toEqual([true, true]);
  expect((await stat(eventsSocket)).mode).toBe(before.mode);
  expect((await stat(eventsSocket)).ino).toBe(before.ino);
});

test('one of the two sockets: the other one is made as usual, and removed', async () => {
  await using simulator = await startSimulator({ rate: 20 });
  await using daemon = await configured(simulator.restUrl);
  const { eventsSocket, controlSocket } = daemon;
  const child = await listenFor([eventsSocket], (descriptors) => holder(daemon.configFile, descriptors));
  const output = printed(child);
  child.stdin.write('\n');
  const { pid } = await daemon.reaches('live');
  expect((await stat(controlSocket)).mode & 0o777).toBe(0o600);
  expect((await daemon.command('reconnect')).code).toBe(0);
  process.kill(pid, 'SIGTERM');
  await until('a stop in good order', () => output.text.includes('ended 0'));
  expect([existsSync(eventsSocket), existsSync(controlSocket)]).toEqual([true, false]);
});

test('a socket that is neither of the two: exit 78, and the descriptor is named', async () => {
  await using simulator = await startSimulator();
  await using daemon = await configured(simulator.restUrl);
  const web = join(daemon.directory, 'web.sock');
  const paths = [daemon.eventsSocket, web];
  const child = await listenFor(paths, (descriptors) => holder(daemon.configFile, descriptors, 'events:web'));
  const output = printed(child);
  child.stdin.write('\n');
  await until('the end', () => output.text.includes('ended 78'));
  expect(output.text).toContain(
    `LISTEN_FDS: descriptor 4 is called "web" and is bound to ${join(daemon.directory, 'made', 'web.sock')}`,
  );
});

test.runIf(hasActivator)('systemd-socket-activate: the first consumer starts figd', async () => {
  await using simulator = await startSimulator({ rate: 20 });
  await using daemon = await configured(simulator.restUrl);
  const { eventsSocket, controlSocket, configFile } = daemon;
  const listen = ['-l', eventsSocket, '-l', controlSocket, '--fdname=events:control'];
  const child = spawn(activator, [...listen, binFigd, 'run', '--config', configFile], {
    env: { PATH: process.env['PATH'] },
  });
  const output = printed(child);
  try {
    await until('the sockets', () => existsSync(eventsSocket) && existsSync(controlSocket));
    using consumer = await RawConsumer.subscribe(eventsSocket);
    await until('events', () => consumer.events().length > 5).catch((error: unknown) => {
      throw new Error(output.text, { cause: error });
    });
    const { pid } = await daemon.reaches('live');
    // It becomes what it starts.
    expect(pid).toBe(child.pid);
    expect((await daemon.command('refresh')).code).toBe(0);
    child.kill('SIGTERM');
    const [code] = await within('the end', once(child, 'exit'));
    expect(code).toBe(0);
    expect(existsSync(eventsSocket)).toBe(true);
  } finally {
    child.kill('SIGKILL');
  }
});
