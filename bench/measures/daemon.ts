import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { FigdProcess } from '../contenders/figd.ts';
import { monotonic } from '../monotonic.ts';
import type { Stage } from '../stage.ts';
import { figdSubscribe } from '../wire/protocols.ts';

/** How long the session is live before it is dropped: at most ten dials a minute, and figd's patience set back. */
const spacingMs = 6_500;
const resetAfter = '5s';
const liveWaitMs = 30_000;

/** From the start of the process until figd says that it is live, in milliseconds. */
export async function startTime(stage: Stage, run: number): Promise<number> {
  const startedAt = performance.now();
  const figd = new FigdProcess(stage.place(`start-${run}`), { target: `start-${run}`, journal: true });
  await figd.live();
  const ms = performance.now() - startedAt;
  await figd.stop();
  return ms;
}

/** How long `figd status` takes, each in a new process, in milliseconds. */
export async function statusTimes(stage: Stage, count: number): Promise<readonly number[]> {
  const figd = new FigdProcess(stage.place('status'), { target: 'status', journal: true });
  await figd.live();
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) times.push(await figd.statusTime());
  await figd.stop();
  return times;
}

/** From the moment the venue drops the connection until figd tells its consumers that it is live, in milliseconds. */
export async function reconnectTimes(stage: Stage, count: number): Promise<readonly number[]> {
  const target = 'reconnect';
  const config = { session: { backoff: { resetAfter } } };
  const figd = new FigdProcess(stage.place(target), { target, journal: true, config });
  await figd.live();
  const states = new States(figd.eventsSocket);
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    await pause(spacingMs);
    const live = states.live();
    const droppedAt = await stage.feed.call('drop', { target });
    times.push(((await live) - droppedAt) / 1e6);
  }
  states.close();
  await figd.stop();
  return times;
}

/** Follows what figd says of its state. */
class States {
  readonly #socket;
  #rest = '';
  #onLive: (at: number) => void = () => undefined;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on('error', () => undefined);
    this.#socket.write(figdSubscribe());
    this.#socket.setEncoding('utf8').on('data', (part: string) => {
      const at = monotonic();
      const lines = (this.#rest + part).split('\n');
      this.#rest = lines.pop() ?? '';
      if (lines.some((line) => line.includes('"channel":"figd.state"') && line.includes('"state":"live"'))) {
        this.#onLive(at);
      }
    });
  }

  /** When it is live next, in nanoseconds. */
  live(): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('figd has not come back in 30 s')), liveWaitMs);
      this.#onLive = (at) => {
        clearTimeout(timer);
        resolve(at);
      };
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
