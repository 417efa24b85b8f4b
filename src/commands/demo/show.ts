import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../adapters/logger.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { Vault } from '../../adapters/vault.ts';
import { ConfigurationSource } from '../../config/configuration-source.ts';
import { Daemon } from '../../daemon/daemon.ts';
import { passingStorage } from '../../daemon/storage.ts';
import { isRecord } from '../../protocol/json-rpc.ts';
import { eventsSocketName, type GapMessage, gapChannel, stateChannel } from '../../protocol/local.ts';
import { memberBytes } from '../../protocol/raw-json.ts';
import { defaultOptions } from '../../simulator/options.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { version } from '../../version.ts';
import { type Followed, followEvents } from '../terminal/follow-events.ts';
import { pause } from '../terminal/pause.ts';
import { Accounts } from './accounts.ts';
import { type PlannedFault, plan } from './plan.ts';
import type { FaultReport, Screen, Summary } from './screen.ts';

export interface DemoOptions {
  readonly calm: boolean;
  /** Venue events per second. */
  readonly rate: number;
  readonly screen: Screen;
  /** Ends the demo. */
  readonly end: AbortSignal;
  /** A machine of the daemon died. */
  readonly onFatal: (error: unknown) => void;
}

const firstFaultMs = 3_000;
/** Slow enough that all redials of a round stay below the daemon's ceiling of ten a minute. */
const betweenFaultsMs = 8_000;
/** How long a fault that should do no harm is given to do some. */
const harmMs = 1_500;

/** Waits that suit a spectator: the daemon's defaults are made for a venue, not for a minute of demo. */
const demoFlags = {
  'session.heartbeat-interval': '1s',
  'session.heartbeat-timeout': '1s',
  'session.backoff.max': '2s',
  'session.backoff.reset-after': '3s',
  'metrics.listen': 'off',
  'log.level': 'silent',
} as const;
const demoTokenLifeMs = 20_000;

/** Runs venue, daemon and consumer, breaks things, and tells how it went. */
export async function showDemo({ calm, rate, screen, end, onFatal }: DemoOptions): Promise<Summary> {
  const startedAt = Date.now();
  const accounts = new Accounts();
  const directory = await mkdtemp(join(tmpdir(), 'figd-demo-'));
  const simulator = await startSimulator({ rate, tokenLife: demoTokenLifeMs, onSent: (sent) => accounts.sent(sent) });
  const daemon = createDaemon(simulator, directory, onFatal);
  const path = join(directory, eventsSocketName);
  try {
    await daemon.start();
    await screen.opening(path, directory);
    const spectator = new Spectator(accounts, screen);
    const breaking = calm ? Promise.resolve([]) : breakThings(simulator, spectator, screen, end);
    // From the oldest: a consumer that comes late misses nothing.
    await spectator.watch(followEvents({ path, channels: [], from: 'oldest' }, end));
    const faults = await breaking;
    const summary = { seconds: Math.round((Date.now() - startedAt) / 1_000), ...accounts.balance(Date.now()), faults };
    await screen.summary(summary);
    return summary;
  } finally {
    await daemon.stop('the demo is over');
    await simulator.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function createDaemon(simulator: Simulator, directory: string, onFatal: (error: unknown) => void): Daemon {
  const { clientId, clientSecret } = defaultOptions;
  const source = new ConfigurationSource({
    // Nothing of this host's own configuration must get into a demo.
    systemFile: join(directory, 'none.yaml'),
    env: { FIGD_CREDENTIALS__CLIENT_ID: clientId, FIGD_CREDENTIALS__CLIENT_SECRET: clientSecret },
    flags: { ...demoFlags, 'venue.rest-url': simulator.restUrl, 'local.directory': directory },
  });
  const configuration = source.read();
  const vault = new Vault(configuration.credentials);
  const { level } = configuration.settings.log;
  return new Daemon({
    configuration,
    source,
    version,
    vault,
    storage: passingStorage(),
    logger: createLogger({ level, pretty: false, redact: (line) => vault.redact(line) }),
    warnings: () => [],
    clock: systemClock(),
    random: Math.random,
    onFatal,
  });
}

/** Reads the daemon's events like any consumer, and notices when they stop and when they flow again. */
class Spectator {
  readonly #accounts: Accounts;
  readonly #screen: Screen;
  #state = 'down';
  #changed = Promise.withResolvers<void>();

  constructor(accounts: Accounts, screen: Screen) {
    this.#accounts = accounts;
    this.#screen = screen;
  }

  async watch(followed: AsyncIterable<Followed>): Promise<void> {
    for await (const item of followed) {
      if (item.kind !== 'event') continue;
      const { event, bytes } = item;
      const message = memberBytes(bytes, 'message')?.toString('utf8') ?? '';
      this.#accounts.received(event, message);
      if (event.channel === gapChannel) this.#accounts.gap(event.message as GapMessage);
      await this.#screen.event(event, bytes);
      if (event.channel === stateChannel && isRecord(event.message)) this.#turnTo(String(event.message['state']));
    }
  }

  /** Resolves when the state is, or is not, live; false when `end` comes first. */
  async reaches(live: boolean, end: AbortSignal): Promise<boolean> {
    while (!end.aborted) {
      if ((this.#state === 'live') === live) return true;
      await Promise.race([this.#changed.promise, aborted(end)]);
    }
    return false;
  }

  #turnTo(state: string): void {
    this.#state = state;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

async function breakThings(
  simulator: Simulator,
  spectator: Spectator,
  screen: Screen,
  end: AbortSignal,
): Promise<readonly FaultReport[]> {
  const reports: FaultReport[] = [];
  if (!(await spectator.reaches(true, end))) return reports;
  await pause(firstFaultMs, end);
  for (let number = 1; !end.aborted; number += 1) {
    const planned = plan[(number - 1) % plan.length] as PlannedFault;
    await screen.fault(number, planned.title);
    const healedMs = await healing(simulator, spectator, planned, end);
    if (healedMs === undefined) break;
    const report = { title: planned.title, healedMs };
    reports.push(report);
    await screen.healed(number, report);
    await pause(betweenFaultsMs, end);
  }
  return reports;
}

/** Milliseconds from the fault to live again, null where the session carried on, undefined when the demo ended first. */
async function healing(
  simulator: Simulator,
  spectator: Spectator,
  { faults, interrupts }: PlannedFault,
  end: AbortSignal,
): Promise<number | null | undefined> {
  const brokenAt = performance.now();
  for (const fault of faults) simulator.venue.inject(fault);
  const patience = interrupts ? end : AbortSignal.any([end, AbortSignal.timeout(harmMs)]);
  const harmed = await spectator.reaches(false, patience);
  if (!harmed) return end.aborted ? undefined : null;
  return (await spectator.reaches(true, end)) ? performance.now() - brokenAt : undefined;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
