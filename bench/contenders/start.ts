import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { track } from '../children.ts';
import { brokers, startBroker } from './brokers.ts';
import { type Contender, type ContenderName, feedUrl, type Place } from './contender.ts';
import { type FigdOptions, FigdProcess } from './figd.ts';

const waitMs = 10_000;

/** What may differ from how a user would run figd. */
export type FigdVariation = Pick<FigdOptions, 'nodeArguments' | 'config'>;

/** Starts a contender: it is connected to the feed, or about to be. */
export function startContender(name: ContenderName, place: Place, options: FigdVariation = {}): Promise<Contender> {
  switch (name) {
    case 'figd':
    case 'figd-memory':
      return startFigd(name, place, options);
    case 'relay':
      return startRelay(place);
    case 'nats':
    case 'redis':
    case 'mosquitto':
      return startBridged(name, place);
  }
}

/** The feed itself. */
export function direct(place: Pick<Place, 'feedPort'>): Contender {
  return { name: 'direct', protocol: 'ws', endpoint: { url: feedUrl(place, 'direct') }, pids: [] };
}

async function startFigd(name: 'figd' | 'figd-memory', place: Place, options: FigdVariation): Promise<Contender> {
  const figd = new FigdProcess(place, { ...options, target: name, journal: name === 'figd' });
  await figd.live();
  return { name, protocol: 'figd', endpoint: { path: figd.eventsSocket }, pids: [figd.pid] };
}

async function startRelay(place: Place): Promise<Contender> {
  const path = join(place.directory, 'relay.sock');
  const pid = helper('./relay-process.ts', [feedUrl(place, 'relay'), path]);
  for (let waited = 0; !existsSync(path); waited += 5) {
    if (waited > waitMs) throw new Error('the relay does not start');
    await pause(5);
  }
  return { name: 'relay', protocol: 'relay', endpoint: { path }, pids: [pid] };
}

async function startBridged(name: 'nats' | 'redis' | 'mosquitto', place: Place): Promise<Contender> {
  const { protocol } = brokers[name];
  const broker = await startBroker(name, place.directory);
  const bridge = helper('./bridge-process.ts', [feedUrl(place, name), protocol, String(broker.port)]);
  return { name, protocol, endpoint: { port: broker.port }, pids: [bridge, broker.pid] };
}

/** A program of the benchmark beside a contender. It ends with this process, or before. */
function helper(module: string, args: readonly string[]): number {
  const path = fileURLToPath(new URL(module, import.meta.url));
  return track(fork(path, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })).pid ?? 0;
}
