import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AlreadyRunningError,
  LocalPathError,
  listenLocally,
  prepareDirectory,
} from '../../src/adapters/local-sockets.ts';
import { until, within } from '../support/until.ts';
import { LineClient } from './support/line-client.ts';
import { LocalDaemon } from './support/local-daemon.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'figd-sockets-'));
  path = join(directory, 'events.sock');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** A socket file whose owner died without removing it. */
async function leaveStale(): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  await within('the child to die', once(child, 'exit'));
  expect((await lstat(path)).isSocket()).toBe(true);
}

async function listen(mode = 0o660): Promise<() => Promise<void>> {
  const server = createServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .end('welcome\n'),
  );
  await listenLocally(path, mode, server);
  return () => new Promise((resolve) => server.close(() => resolve()));
}

describe('the socket files', () => {
  // Whoever owns the directory can put sockets of his own in their place. Only root can give it to somebody.
  it.skipIf(process.getuid?.() !== 0)('are not put into a directory of somebody else', async () => {
    await chown(directory, 12_345, 12_345);
    await chmod(directory, 0o755);
    await expect(prepareDirectory(directory)).rejects.toThrow(LocalPathError);
  });

  it('may be used by the group (events) and by the owner alone (control)', async () => {
    await using daemon = await LocalDaemon.start();
    const modes = await Promise.all([daemon.eventsPath, daemon.controlPath].map((file) => stat(file)));
    expect(modes.map(({ mode }) => mode & 0o7777)).toEqual([0o660, 0o600]);
  });

  it('have their modes whatever the umask, which is left as it was', async () => {
    const before = process.umask(0o077);
    try {
      const close = await listen(0o660);
      expect((await stat(path)).mode & 0o7777).toBe(0o660);
      expect(process.umask()).toBe(0o077);
      await close();
    } finally {
      process.umask(before);
    }
  });

  it('are gone when the server has stopped', async () => {
    await using daemon = await LocalDaemon.start();
    await daemon.stop();
    expect(await readdir(daemon.directory)).toEqual([]);
  });

  it('replace stale ones', async () => {
    await leaveStale();
    const close = await listen();
    const client = await LineClient.open(path);
    expect(client.lines).toEqual(['welcome']);
    await client.close();
    await close();
  });

  it('never replace those of a living daemon, whose process id is told', async () => {
    await using daemon = await LocalDaemon.start();
    const client = await daemon.follower();
    const error = new AlreadyRunningError(`figd is already running on ${daemon.eventsPath} (pid ${process.pid})`);
    await expect(listenLocally(daemon.eventsPath, 0o660, createServer())).rejects.toEqual(error);
    daemon.add('rfq.maker');
    await client.notification('event');
  });

  it('never replace one that somebody holds who says nothing figd knows', async () => {
    const close = await listen();
    const error = new AlreadyRunningError(`figd is already running on ${path}`);
    await expect(listenLocally(path, 0o660, createServer())).rejects.toEqual(error);
    await close();
    const mute = createServer((socket) => socket.on('error', () => undefined).resume());
    mute.listen(path);
    await once(mute, 'listening');
    await expect(listenLocally(path, 0o660, createServer())).rejects.toEqual(error);
    await new Promise((resolve) => mute.close(resolve));
  });

  it('never replace what is not a socket', async () => {
    await writeFile(path, 'precious');
    const error = new LocalPathError(`${path} exists and is not a socket; move it away`);
    await expect(listenLocally(path, 0o660, createServer())).rejects.toEqual(error);
    expect((await stat(path)).size).toBe(8);
  });

  it('cannot lie at a path longer than 107 bytes', async () => {
    const room = 107 - directory.length - 1;
    const longest = join(directory, 'x'.repeat(room));
    const server = createServer();
    await listenLocally(longest, 0o600, server);
    await new Promise((resolve) => server.close(resolve));
    const longer = `${longest}y`;
    const error = `${longer} is longer than the 107 bytes a socket path may have; choose a shorter directory`;
    await expect(listenLocally(longer, 0o600, createServer())).rejects.toEqual(new LocalPathError(error));
    await expect(listenLocally(join(directory, 'ü'.repeat(room / 2 + 1)), 0o600, createServer())).rejects.toThrow(
      LocalPathError,
    );
  });

  it('cannot lie where there is no directory', async () => {
    await expect(listenLocally(join(directory, 'no', 'events.sock'), 0o600, createServer())).rejects.toThrow(
      /cannot be listened on/,
    );
  });
});

describe('the directory of the sockets', () => {
  it('is made where it is missing, closed to others', async () => {
    const wanted = join(directory, 'a', 'b');
    await prepareDirectory(wanted);
    const { mode } = await stat(wanted);
    expect(mode & 0o027).toBe(0);
  });

  it('is taken as it is where it is ours', async () => {
    await chmod(directory, 0o777);
    await prepareDirectory(directory);
    expect((await stat(directory)).mode & 0o7777).toBe(0o777);
  });

  it.each(['a file', 'a link'])('is refused where it is %s', async (what) => {
    const wanted = join(directory, 'figd');
    await mkdir(join(directory, 'real'));
    if (what === 'a file') await writeFile(wanted, '');
    else await symlink(join(directory, 'real'), wanted);
    await expect(prepareDirectory(wanted)).rejects.toThrow(LocalPathError);
  });
});

describe('a server that cannot have both sockets', () => {
  it('leaves neither behind', async () => {
    await using daemon = await LocalDaemon.start();
    await daemon.stop();
    await writeFile(daemon.controlPath, 'in the way');
    await expect(daemon.server.start()).rejects.toThrow(LocalPathError);
    await until('the other socket to be gone', () => !existsSync(daemon.eventsPath));
    expect(await readdir(daemon.directory)).toEqual(['control.sock']);
  });
});

describe('stopping', () => {
  it('says bye with the head to every client, behind the events they have coming', async () => {
    await using daemon = await LocalDaemon.start();
    const [follower, visitor] = [await daemon.follower(), await daemon.connect()];
    daemon.add('rfq.maker');
    daemon.add('rfq.maker');
    await daemon.stop('upgrade');
    await Promise.all([follower.whenClosed(), visitor.whenClosed()]);
    const bye = { jsonrpc: '2.0', method: 'bye', params: { reason: 'upgrade', head: 2 } };
    expect(follower.messages.slice(2).map(({ method }) => method)).toEqual(['event', 'event', 'bye']);
    expect([follower.messages.at(-1), visitor.messages.at(-1)]).toEqual([bye, bye]);
    expect([follower.rest, daemon.server.subscribers()]).toEqual(['', []]);
  });

  it('does not wait longer than a moment for one that does not read', async () => {
    await using daemon = await LocalDaemon.start();
    const slow = await daemon.follower();
    slow.socket.pause();
    for (let seq = 0; seq < 3_000; seq += 1) daemon.add('rfq.maker', 'x'.repeat(1_000));
    await until('its socket to be full', () => (daemon.server.subscribers()[0]?.bufferedBytes ?? 0) > 0);
    await within('the server to stop', daemon.stop(), 3_000);
    expect(daemon.server.subscribers()).toEqual([]);
  });
});
