import { getHeapStatistics } from 'node:v8';
import type { Vault } from '../adapters/vault.ts';
import type { Settings } from '../config/settings.ts';
import type { Clock } from '../protocol/clock.ts';
import type { DiagnosisDocument } from '../protocol/diagnosis.ts';
import type { StatusDocument } from '../protocol/status.ts';
import { libraries } from '../version.ts';
import type { Core } from './core.ts';
import { LoopWatch } from './loop-watch.ts';
import { plain } from './plain.ts';
import type { Venue } from './venue.ts';

export interface DiagnosisPorts {
  readonly version: string;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly core: Core;
  readonly venue: Pick<Venue, 'budget'>;
  readonly settings: () => Settings;
  readonly status: () => StatusDocument;
  /** How busy the local sockets are. */
  readonly local: () => object;
  /** The newest lines of the log from `warn` up, oldest first. */
  readonly warnings: () => readonly string[];
}

const mostBytes = 256 * 1_024;
/** Node's own parts that figd leans on; the others are not worth a line. */
const engineParts = ['node', 'v8', 'uv', 'openssl', 'sqlite'];

/** Tells an engineer how the daemon is, from within, at any moment: in a few milliseconds, and without a secret. */
export class Diagnosis {
  readonly #ports: DiagnosisPorts;
  readonly #loop = new LoopWatch();

  constructor(ports: DiagnosisPorts) {
    this.#ports = ports;
  }

  take(): DiagnosisDocument {
    const { clock, core, venue, vault, version, settings, status, local, warnings } = this.#ports;
    const { log, feed, calls, intake } = core;
    const parts = {
      at: Math.round(clock.wall()),
      monotonic: Math.round(clock.monotonic()),
      uptimeMs: Math.round(process.uptime() * 1_000),
      versions: { figd: version, ...engineVersions(), ...libraries },
      status: status(),
      resources: counted(process.getActiveResourcesInfo()),
      memory: process.memoryUsage(),
      heap: getHeapStatistics(),
      loop: this.#loop.take(),
      queues: { calls: calls.view(), requests: venue.budget.view(), local: local() },
      log: {
        epoch: log.epoch,
        oldest: log.oldest,
        oldestHeld: log.oldestHeld,
        head: log.head,
        heldBytes: log.heldBytes,
        lastReceivedAt: log.lastReceivedAt,
        lastHeardAt: intake.lastHeardAt,
        journal: feed?.view() ?? null,
      },
      machines: core.machines.states(),
      configuration: settings(),
    };
    const redact = (text: string) => vault.redact(text);
    const shown = plain(parts, redact) as Readonly<Record<string, unknown>>;
    // These have a bound of their own, and are worth most when they are whole.
    return fitted({ ...shown, warnings: warnings().map(redact) }) as unknown as DiagnosisDocument;
  }

  stop(): void {
    this.#loop.stop();
  }
}

function engineVersions(): Readonly<Record<string, string>> {
  return Object.fromEntries(engineParts.map((name) => [name, process.versions[name] ?? '']));
}

function counted(kinds: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...Map.groupBy(kinds, (kind) => kind)].map(([kind, all]) => [kind, all.length]));
}

/** As many of the parts as there is room for; in the place of the others stands how large they are. */
function fitted(parts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  let left = mostBytes;
  const orItsSize = (name: string, part: unknown): unknown => {
    const bytes = Buffer.byteLength(JSON.stringify({ [name]: part }));
    if (bytes > left) return `left out: ${bytes} bytes`;
    left -= bytes;
    return part;
  };
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, orItsSize(name, part)]));
}
