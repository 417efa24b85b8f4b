import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { controlSocketName, eventsSocketName, gatewaySocketName } from '../protocol/local.ts';

/** Listening sockets that were passed to this process, by their descriptors. Who passed them owns their files. */
export interface InheritedSockets {
  readonly events?: number;
  readonly control?: number;
  readonly gateway?: number;
}

/** The sockets passed to this process cannot be used; the message names the descriptor. */
export class SocketActivationError extends Error {
  override readonly name = 'SocketActivationError';
}

/** What the environment says of descriptors passed to this process (sd_listen_fds(3)). */
export interface PassedDescriptor {
  readonly descriptor: number;
  /** What it is called in the unit (`FileDescriptorName=`); empty where it has no name. */
  readonly name: string;
}

/** A Unix socket as /proc/net/unix knows it (proc_net(5)). */
export interface UnixSocket {
  readonly isListeningStream: boolean;
  /** Where it is bound; empty where it is not. */
  readonly path: string;
}

/** The first descriptor that is passed: SD_LISTEN_FDS_START. */
const firstDescriptor = 3;
const variables = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'];
/** `__SO_ACCEPTCON` and `SOCK_STREAM` as they stand in /proc/net/unix. */
const listeningFlag = 0x1_0000;
const streamType = 1;

/**
 * The sockets that systemd, or whoever speaks as it does, has passed to this process; none where it has not. The
 * variables that tell of them are removed, so that no child takes them for its own.
 * @throws {SocketActivationError}
 */
export function inheritSockets(env: NodeJS.ProcessEnv, pid: number): InheritedSockets {
  const passed = readPassed(env, pid);
  for (const variable of variables) delete env[variable];
  return passed.length === 0 ? {} : assign(passed, lookUp);
}

/** @throws {SocketActivationError} where the number of descriptors is none */
export function readPassed(env: NodeJS.ProcessEnv, pid: number): readonly PassedDescriptor[] {
  // Meant for another process, which has started this one without removing them.
  if (env['LISTEN_PID'] !== String(pid)) return [];
  const count = Number(env['LISTEN_FDS']);
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new SocketActivationError(`LISTEN_FDS is not a number of descriptors: ${JSON.stringify(env['LISTEN_FDS'])}`);
  }
  const names = env['LISTEN_FDNAMES']?.split(':') ?? [];
  return Array.from({ length: count }, (_, index) => ({
    descriptor: firstDescriptor + index,
    name: names[index] ?? '',
  }));
}

/**
 * Tells which descriptor is which socket: by its name `events`, `control` or `gateway`, else by the name of the file it is bound
 * to. A socket that was not passed is missing in the result, and is made as usual: a unit may leave `control.sock` to
 * the daemon. What was passed and serves nothing is an error instead: somebody would wait there for an answer for ever.
 * @throws {SocketActivationError}
 */
export function assign(
  passed: readonly PassedDescriptor[],
  look: (descriptor: number) => UnixSocket | null,
): InheritedSockets {
  const found: { -readonly [Purpose in keyof InheritedSockets]: InheritedSockets[Purpose] } = {};
  for (const { descriptor, name } of passed) {
    const socket = look(descriptor);
    if (!socket?.isListeningStream) {
      throw new SocketActivationError(
        `descriptor ${descriptor}${name === '' ? '' : ` (${name})`} is not a listening Unix stream socket of this network namespace`,
      );
    }
    const purpose = purposeOf(name, socket.path);
    if (purpose === null) {
      const bound = socket.path === '' ? 'not bound to a path' : `bound to ${socket.path}`;
      throw new SocketActivationError(
        `descriptor ${descriptor} is called ${JSON.stringify(name)} and is ${bound}: neither says whether it is ${eventsSocketName}, ${controlSocketName} or ${gatewaySocketName}`,
      );
    }
    const other = found[purpose];
    if (other !== undefined) {
      throw new SocketActivationError(`descriptors ${other} and ${descriptor} are both the socket for ${purpose}`);
    }
    found[purpose] = descriptor;
  }
  return found;
}

const purposes = { events: eventsSocketName, control: controlSocketName, gateway: gatewaySocketName } as const;

function purposeOf(name: string, path: string): keyof InheritedSockets | null {
  const entries = Object.entries(purposes) as [keyof InheritedSockets, string][];
  const found = entries.find(([purpose]) => purpose === name) ?? entries.find(([, file]) => file === basename(path));
  return found?.[0] ?? null;
}

/** What this host's kernel knows of a descriptor; null where it is no Unix socket. */
function lookUp(descriptor: number): UnixSocket | null {
  let target: string;
  try {
    target = readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return null;
  }
  const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
  return inode === undefined ? null : findUnixSocket(readFileSync('/proc/net/unix', 'utf8'), inode);
}

/** Finds a socket in the text of /proc/net/unix: `Num RefCount Protocol Flags Type St Inode Path`, in hexadecimal. */
export function findUnixSocket(table: string, inode: string): UnixSocket | null {
  for (const row of table.split('\n')) {
    const [, , , flags = '', type = '', , number, ...path] = row.trim().split(/ +/);
    if (number !== inode) continue;
    const isListening = (Number.parseInt(flags, 16) & listeningFlag) !== 0;
    return { isListeningStream: isListening && Number.parseInt(type, 16) === streamType, path: path.join(' ') };
  }
  return null;
}
