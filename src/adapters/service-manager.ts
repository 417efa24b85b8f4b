import type { Timers } from '../protocol/request-table.ts';
import { openNotifySocket, type SendDatagram } from './notify-socket.ts';

/** What the service manager is told of the daemon. */
export interface ServiceReport {
  /** What the daemon does, in one line. */
  readonly line: () => string;
  /** Whether everything that has to answer does. */
  readonly answers: () => boolean;
}

export interface ServiceManagerOptions {
  readonly send: SendDatagram;
  readonly clock: Timers;
  /** CLOCK_MONOTONIC, in microseconds. */
  readonly monotonicMicroseconds: () => bigint;
  /** Without a sign of life for so long, the service manager ends this process; null where it does not watch. */
  readonly watchdogMs: number | null;
}

const lookMs = 1_000;
/** Enough for a line of `systemctl status`; what the venue says in it has no bounds of ours. */
const longestLine = 500;
/** An end may take so much longer, counted from the latest word of it… */
const extensionMs = 5_000;
/** …and more is asked for until it has taken this long: what hangs by then does not come back. */
const longestEndMs = 15_000;
const extension = `EXTEND_TIMEOUT_USEC=${extensionMs * 1_000}`;

/**
 * Tells systemd, or whoever speaks as it does, how the daemon is (sd_notify(3)): its state when that has changed, once a
 * second at most, and that it lives, twice in the time in which it has to. What is not taken is said again later.
 */
export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  readonly #timers = new Map<() => void, unknown>();
  /** Changes of the service's state that were not taken yet, in order. */
  #untold: readonly string[] = [];
  #report: ServiceReport | null = null;
  #line = '';
  #endsForMs = 0;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
  }

  /** The daemon serves. @param report what is told of it from now on */
  started(report: ServiceReport): void {
    this.#report = report;
    this.ready();
    this.#tellLine();
    const { watchdogMs } = this.#options;
    if (watchdogMs !== null) this.#every(watchdogMs / 2, this.#tellLife);
  }

  /** The daemon takes over its configuration anew; it says so with {@link ready} when that is done, well or badly. */
  reloading(): void {
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${this.#options.monotonicMicroseconds()}`);
  }

  /** The daemon serves, as before. */
  ready(): void {
    this.#tell('READY=1');
    this.#every(lookMs, this.#look);
  }

  /** The daemon ends, which may take a while. */
  stopping(): void {
    this.#report = null;
    this.#stop(this.#tellLife);
    this.#tell(`STOPPING=1\nSTATUS=stopping\n${extension}`);
    this.#every(lookMs, this.#look);
    this.#every(lookMs, this.#askForTime);
  }

  /** Says nothing any more. */
  close(): void {
    for (const run of this.#timers.keys()) this.#stop(run);
  }

  readonly #look = (): void => {
    const untold = this.#untold;
    this.#untold = [];
    for (const message of untold) this.#tell(message);
    this.#tellLine();
  };

  readonly #tellLife = (): void => {
    if (this.#report?.answers()) this.#options.send('WATCHDOG=1');
  };

  readonly #askForTime = (): void => {
    this.#endsForMs += lookMs;
    if (this.#endsForMs < longestEndMs) this.#options.send(extension);
    else this.#stop(this.#askForTime);
  };

  #tellLine(): void {
    if (this.#report === null) return;
    const line = this.#report.line().replaceAll(/\s+/g, ' ').slice(0, longestLine);
    if (line !== this.#line && this.#options.send(`STATUS=${line}`)) this.#line = line;
  }

  #tell(message: string): void {
    if (this.#untold.length === 0 && this.#options.send(message)) return;
    this.#untold = [...this.#untold, message];
  }

  #every(ms: number, run: () => void): void {
    this.#stop(run);
    const { clock } = this.#options;
    const again = () => {
      this.#timers.set(run, clock.setTimeout(again, ms));
      run();
    };
    this.#timers.set(run, clock.setTimeout(again, ms));
  }

  #stop(run: () => void): void {
    this.#options.clock.clearTimeout(this.#timers.get(run));
    this.#timers.delete(run);
  }
}

const variables = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

/**
 * The service manager that started this process; null where none did. The variables that tell of it are removed, so that
 * no child speaks in the daemon's name.
 * @throws {NotifySocketError} where there is one that cannot be reached
 */
export function serviceManager(env: NodeJS.ProcessEnv, pid: number, clock: Timers): ServiceManager | null {
  const [address = '', watchdog, watched = String(pid)] = variables.map((name) => env[name]);
  for (const name of variables) delete env[name];
  if (address === '') return null;
  const microseconds = Number(watchdog);
  return new ServiceManager({
    send: openNotifySocket(address),
    clock,
    monotonicMicroseconds: () => process.hrtime.bigint() / 1_000n,
    watchdogMs: microseconds > 0 && watched === String(pid) ? microseconds / 1_000 : null,
  });
}
