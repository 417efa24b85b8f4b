import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { type BrokerName, brokers, brokerVersion } from './contenders/brokers.ts';

/** Where and when it was measured, with what. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Processes that ran or wanted to, on average over the minute before. */
  readonly load: number;
  readonly kernel: string;
  readonly node: string;
  /** Commit of figd; null outside a checkout. */
  readonly commit: string | null;
  /** Version of each broker; null where it is not installed. */
  readonly brokers: Readonly<Record<BrokerName, string | null>>;
}

/** Above this somebody else is at work. */
const idleLoad = 0.5;

/** Whether the figures will say more about the machine than about the contenders. */
export function isBusy({ load }: Machine): boolean {
  return load > idleLoad;
}

export function describeMachine(): Machine {
  const names = Object.keys(brokers) as BrokerName[];
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    load: loadavg()[0] ?? 0,
    kernel: release(),
    node: process.version,
    commit: commit(),
    brokers: Object.fromEntries(names.map((name) => [name, brokerVersion(name)])) as Machine['brokers'],
  };
}

function commit(): string | null {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return null;
  }
}
