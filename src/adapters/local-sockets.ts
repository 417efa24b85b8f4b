import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { isRecord, parseJson } from '../protocol/json-rpc.ts';
import { eventsSocketName } from '../protocol/local.ts';
import { messageOf } from '../protocol/text.ts';
import { makeDirectory } from './make-directory.ts';

/** A local path that cannot be used, with the reason and what to do. */
export class LocalPathError extends Error {
  override readonly name = 'LocalPathError';
}

/** Another figd serves the same directory. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/** `sun_path` of Linux holds 108 bytes with its closing zero (unix(7)). */
const longestPath = 107;
const probeTimeoutMs = 1_000;

/**
 * Makes sure that the directory of the sockets exists and is ours: in a shared place such as /tmp somebody else could
 * have made it first, and would then own our sockets.
 * @throws {LocalPathError}
 */
export async function prepareDirectory(directory: string): Promise<void> {
  try {
    makeDirectory(directory);
  } catch (error) {
    throw new LocalPathError(`${directory} cannot be made: ${messageOf(error)}`);
  }
  const found = await lstat(directory);
  if (!found.isDirectory()) throw new LocalPathError(`${directory} is not a directory`);
  const uid = process.getuid?.() ?? 0;
  if (found.uid === uid) return;
  if (found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new LocalPathError(
      `${directory} belongs to uid ${found.uid}, and others than figd could replace its sockets; choose another`,
    );
  }
}

/**
 * Has a server listen on a Unix stream socket, in the place of a stale one.
 * @param mode permissions of the socket file, set before anybody can connect
 * @throws {AlreadyRunningError} when another daemon answers there
 * @throws {LocalPathError} when the path cannot be used
 */
export async function listenLocally(path: string, mode: number, server: Server): Promise<void> {
  if (Buffer.byteLength(path) > longestPath) {
    throw new LocalPathError(
      `${path} is longer than the ${longestPath} bytes a socket path may have; choose a shorter directory`,
    );
  }
  await removeStale(path);
  // The file must not be open to others for even a moment between its creation, which is part of this call, and chmod.
  const before = process.umask(0o777 & ~mode);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await listening(server, path);
  await chmod(path, mode);
}

/** The daemon that serves the sockets of a directory, in words; null where none does. */
export async function whoServes(directory: string): Promise<AlreadyRunningError | null> {
  const path = join(directory, eventsSocketName);
  const pid = await probe(path);
  return pid === 'dead' ? null : alreadyRunning(path, pid);
}

/**
 * Has a server listen on a Unix stream socket that this process was given. Its file is not ours: it has the mode its owner gave it,
 * and stays when we go, so that whoever connects meanwhile waits for the next daemon.
 * @throws {LocalPathError}
 */
export async function listenOnInherited(descriptor: number, server: Server): Promise<void> {
  server.listen({ fd: descriptor });
  await listening(server, `descriptor ${descriptor}`);
}

/** A server for our own protocol, not listening yet. */
export function createLocalServer(onConnection: (socket: Socket) => void): Server {
  // Half open: whoever asks, and closes its half to say that this was all, still gets its answers.
  return createServer({ allowHalfOpen: true }, onConnection);
}

/** Waits until a server listens. @param where what it listens on, for people */
async function listening(server: Server, where: string): Promise<void> {
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new LocalPathError(`${where} cannot be listened on: ${messageOf(error)}`);
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) throw new LocalPathError(`${path} exists and is not a socket; move it away`);
  const pid = await probe(path);
  if (pid !== 'dead') throw alreadyRunning(path, pid);
  await unlink(path).catch(() => undefined);
}

function alreadyRunning(path: string, pid: number | 'unknown'): AlreadyRunningError {
  return new AlreadyRunningError(`figd is already running on ${path}${pid === 'unknown' ? '' : ` (pid ${pid})`}`);
}

/** Whether somebody serves the socket, and the process id it tells. */
function probe(path: string): Promise<number | 'unknown' | 'dead'> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    const end = (answer: number | 'unknown' | 'dead') => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(answer);
    };
    const deadline = setTimeout(() => end('unknown'), probeTimeoutMs);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write('{"jsonrpc":"2.0","id":"probe","method":"status"}\n'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ECONNREFUSED' || error.code === 'ENOENT';
      end(nobody ? 'dead' : 'unknown');
    });
    socket.on('close', () => end('unknown'));
    socket.on('data', (part: string) => {
      text += part;
      for (const line of text.split('\n').slice(0, -1)) {
        const pid = pidIn(line);
        if (pid !== null) end(pid);
      }
    });
  });
}

function pidIn(line: string): number | null {
  const message = parseJson(line);
  const result = isRecord(message) ? message['result'] : null;
  const pid = isRecord(result) ? result['pid'] : null;
  return typeof pid === 'number' ? pid : null;
}
