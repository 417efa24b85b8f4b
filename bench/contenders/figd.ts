import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { nodeOptions } from '../../build/executable.ts';
import { program } from '../build.ts';
import { end, track } from '../children.ts';
import type { Place } from './contender.ts';

const lookMs = 5;
const startMs = 20_000;

export interface FigdOptions {
  /** Its base path at the feed. */
  readonly target: string;
  readonly journal: boolean;
  /** Arguments for Node, before the program. */
  readonly nodeArguments?: readonly string[];
  /** More of the configuration, block by block. */
  readonly config?: Readonly<Record<string, object>>;
}

/** The daemon as a process of its own, as a user would run it: only places and the venue are configured. */
export class FigdProcess {
  readonly child: ChildProcess;
  readonly directory: string;

  constructor(place: Place, options: FigdOptions) {
    this.directory = join(place.directory, 'run');
    const config = join(place.directory, 'figd.yaml');
    mkdirSync(place.directory, { recursive: true });
    writeFileSync(config, configuration(place, this.directory, options), { mode: 0o600 });
    const log = openSync(join(place.directory, 'figd.log'), 'a');
    this.child = track(
      spawn(process.execPath, [...nodeOptions, ...(options.nodeArguments ?? []), program, 'run', '--config', config], {
        stdio: ['ignore', log, log],
        env: { ...cleanEnvironment(), ...serviceEnvironment },
      }),
    );
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get eventsSocket(): string {
    return join(this.directory, 'events.sock');
  }

  /** Until figd says that it is live; looked at every 5 ms. @throws when that takes 20 s, or it has ended */
  async live(): Promise<void> {
    const deadline = Date.now() + startMs;
    while ((await stateOf(this.eventsSocket)) !== 'live') {
      if (this.child.exitCode !== null) throw new Error(`figd ended with ${this.child.exitCode}; see its log`);
      if (Date.now() > deadline) throw new Error('figd is not live');
      await pause(lookMs);
    }
  }

  /** How long `figd status` takes, from its start to its end, in milliseconds. */
  async statusTime(): Promise<number> {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [program, 'status', '--local.directory', this.directory], {
      stdio: 'ignore',
      env: cleanEnvironment(),
    });
    const [code] = await once(track(child), 'exit');
    if (code !== 0) throw new Error(`figd status ended with ${code}`);
    return performance.now() - startedAt;
  }

  stop(): Promise<void> {
    return end(this.child);
  }
}

function configuration(
  { feedPort, directory }: Place,
  local: string,
  { target, journal, config }: FigdOptions,
): string {
  return stringify({
    venue: { restUrl: `http://127.0.0.1:${feedPort}/${target}` },
    credentials: { clientId: 'bench', clientSecret: 'bench' },
    metrics: { listen: '127.0.0.1:0' },
    ...config,
    local: { directory: local },
    journal: { enabled: journal, directory: join(directory, 'state'), ...config?.['journal'] },
  });
}

/** What the service is given. */
const unit = readFileSync(new URL('../../deploy/systemd/figd.service', import.meta.url), 'utf8');
const serviceEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
);

/** Nothing of this host's environment may configure figd. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1' };
}

/** The state in figd's first line, or null where nobody answers. */
function stateOf(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.on('error', () => resolve(null));
    socket.on('close', () => resolve(null));
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const lineEnd = text.indexOf('\n');
      if (lineEnd === -1) return;
      resolve(JSON.parse(text.slice(0, lineEnd)).params.state);
      socket.destroy();
    });
  });
}
