import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { track } from '../children.ts';
import type { BrokerProtocol } from '../wire/protocols.ts';

export type BrokerName = 'nats' | 'redis' | 'mosquitto';

/** How to run a broker so that it keeps nothing on disk and gives up nothing that a slow consumer has not read yet. */
interface Broker {
  readonly program: string;
  readonly protocol: BrokerProtocol;
  readonly versionArguments: readonly string[];
  readonly configuration: (port: number, directory: string) => string;
  readonly arguments: (configuration: string) => readonly string[];
}

export const brokers: Readonly<Record<BrokerName, Broker>> = {
  nats: {
    program: 'nats-server',
    protocol: 'nats',
    versionArguments: ['--version'],
    configuration: (port) => `listen: "127.0.0.1:${port}"\nmax_pending: 1GB\nwrite_deadline: "60s"\n`,
    arguments: (configuration) => ['-c', configuration],
  },
  redis: {
    program: 'redis-server',
    protocol: 'redis',
    versionArguments: ['--version'],
    configuration: (port, directory) =>
      `bind 127.0.0.1\nport ${port}\nsave ""\nappendonly no\ndir ${directory}\n` +
      'client-output-buffer-limit pubsub 0 0 0\nmaxclients 1000\n',
    arguments: (configuration) => [configuration],
  },
  mosquitto: {
    program: 'mosquitto',
    protocol: 'mqtt',
    versionArguments: ['-h'],
    configuration: (port) =>
      `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser ${userInfo().username}\n` +
      'max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\n',
    arguments: (configuration) => ['-c', configuration],
  },
};

const waitMs = 10_000;

/** Its version as the program tells it, or null where there is no such program. */
export function brokerVersion(name: BrokerName): string | null {
  const { program, versionArguments } = brokers[name];
  const { stdout, stderr, error } = spawnSync(program, versionArguments, { encoding: 'utf8', env: environment() });
  if (error !== undefined) return null;
  return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? 'unknown';
}

/** Starts a broker, and resolves when it takes connections. */
export async function startBroker(name: BrokerName, directory: string): Promise<{ pid: number; port: number }> {
  const broker = brokers[name];
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const configuration = join(directory, `${name}.conf`);
  writeFileSync(configuration, broker.configuration(port, directory));
  const log = openSync(join(directory, `${name}.log`), 'a');
  const child = track(
    spawn(broker.program, broker.arguments(configuration), { stdio: ['ignore', log, log], env: environment() }),
  );
  const deadline = Date.now() + waitMs;
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${name} does not start; see ${directory}`);
    await pause(20);
  }
  return { pid: child.pid ?? 0, port };
}

/** Debian keeps them where only root looks. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH']}:/usr/local/sbin:/usr/sbin` };
}

/** These programs cannot say which port they took, so one is taken for them and left again. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP port');
  return address.port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
