import { setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import { LocalServer } from '../adapters/local-server.ts';
import type { Logger } from '../adapters/logger.ts';
import { Metrics } from '../adapters/metrics.ts';
import type { ServiceReport } from '../adapters/service-manager.ts';
import type { InheritedSockets } from '../adapters/socket-activation.ts';
import type { Vault } from '../adapters/vault.ts';
import type { Configuration, ConfigurationSource } from '../config/configuration-source.ts';
import type { Settings } from '../config/settings.ts';
import { Permissions } from '../gateway/permissions.ts';
import type { SupervisorFact } from '../machines/supervisor.events.ts';
import type { Clock } from '../protocol/clock.ts';
import { RpcError } from '../protocol/json-rpc.ts';
import { unroutedChannel } from '../protocol/local.ts';
import type { ConsumersReport, StatusDocument } from '../protocol/status.ts';
import { consumersReport } from './consumers.ts';
import { controlMethods } from './control.ts';
import { Core } from './core.ts';
import { CredentialWatch } from './credential-watch.ts';
import { Diagnosis } from './diagnosis.ts';
import { ForcedRenewal } from './forced-renewal.ts';
import { Gateway } from './gateway.ts';
import { LiveConfiguration } from './live-configuration.ts';
import { openMetrics } from './metrics-door.ts';
import { observe, type Tellers, tellers, unroutedTeller } from './observer.ts';
import { statusDocument } from './status.ts';
import type { Storage } from './storage.ts';
import { UnroutedWatch } from './unrouted-watch.ts';
import { reachVenue, type Venue } from './venue.ts';
import { Wishes } from './wishes.ts';

export interface DaemonOptions {
  /** What figd starts with. */
  readonly configuration: Configuration;
  /** Where it was read from, and is read anew. */
  readonly source: ConfigurationSource;
  readonly version: string;
  readonly vault: Vault;
  readonly storage: Storage;
  readonly logger: Logger;
  /** The newest lines of the log from `warn` up, oldest first. */
  readonly warnings: () => readonly string[];
  /** Local sockets that this process was given. */
  readonly inherited?: InheritedSockets;
  readonly clock: Clock;
  readonly random: () => number;
  /** A machine died or the impossible happened: the process must end with exit code 70. */
  readonly onFatal: (error: unknown) => void;
}

/** Far hosts need more than Node's half second for each address they have (Happy Eyeballs, RFC 8305). */
const addressAttemptMs = 2_500;
const secondMs = 1_000;
/** An absence shorter than this and half a second goes unnoticed, and may make a gap seem as much shorter. */
const clockLookMs = 250;

/** A core with its doors to this host: local sockets, metrics, log and credential files. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #configuration: LiveConfiguration;
  readonly #core: Core;
  readonly #observe: (fact: SupervisorFact) => void;
  readonly #tellers: Tellers;
  readonly #venue: Venue;
  readonly #local: LocalServer;
  readonly #wishes: Wishes;
  readonly #diagnosis: Diagnosis;
  readonly #renewal: ForcedRenewal;
  readonly #gateway: Gateway;
  readonly #metrics: Metrics;
  readonly #unrouted: UnroutedWatch;
  /** While the venue refuses the credentials, a change of their files is noticed within a second. */
  readonly #credentialWatch: CredentialWatch;
  readonly #permissions: Permissions;
  readonly #startedAt: number;
  #closeMetrics: (() => Promise<void>) | undefined;
  #tickers: readonly NodeJS.Timeout[] = [];
  #isStopping = false;
  #stopped: Promise<void> | undefined;
  #kept: Promise<void> | undefined;

  constructor(options: DaemonOptions) {
    const { version, clock, logger, vault } = options;
    this.#options = options;
    this.#startedAt = Math.round(clock.wall());
    this.#configuration = new LiveConfiguration({
      ...options,
      apply: (settings) => this.#apply(settings),
      onCredentialsRead: () => this.#credentialWatch.wereRead(),
      refresh: () => this.#core.machines.refresh(),
      isRefused: () => this.#core.isRefused,
    });
    const settings = () => this.#configuration.settings;
    this.#venue = reachVenue({ settings, vault, clock });
    this.#permissions = new Permissions(settings().gateway.allow);
    this.#credentialWatch = new CredentialWatch(() => this.#configuration.credentialFiles);
    this.#metrics = new Metrics(
      () => this.#status(),
      () => clock.wall(),
    );
    this.#tellers = tellers({
      logger,
      metrics: this.#metrics,
      isStopping: () => this.#isStopping,
      redact: (text) => vault.redact(text),
    });
    this.#unrouted = new UnroutedWatch(() => clock.monotonic(), unroutedTeller(logger));
    this.#core = this.#createCore();
    const { log, watch, counters } = this.#core;
    this.#wishes = new Wishes({ core: this.#core, configuration: this.#configuration, logger });
    this.#observe = observe({ logger, metrics: this.#metrics, counters });
    this.#renewal = new ForcedRenewal({ vault: options.vault, clock, renew: () => this.#core.machines.renewToken() });
    this.#gateway = new Gateway({
      ...options,
      settings,
      venue: this.#venue,
      permissions: this.#permissions,
      renewal: this.#renewal,
      inherited: options.inherited?.gateway,
      onAccess: this.#tellers.onCall,
      onBug: (error) => logger.error({ err: error }, 'a call of a local program failed inside figd'),
    });
    this.#diagnosis = new Diagnosis({
      ...options,
      core: this.#core,
      venue: this.#venue,
      settings,
      status: () => this.#status(),
      local: () => this.#local.view(),
    });
    this.#local = new LocalServer(
      { ...settings().local, version, inherited: options.inherited ?? {} },
      {
        log,
        clock,
        schedule: setImmediate,
        state: () => watch.state,
        status: () => this.#status(),
        outages: (since) => ({
          now: clock.wall(),
          beganAt: options.storage.ledger.recall().beganAt,
          gaps: options.storage.ledger.gapsSince(since),
        }),
        control: controlMethods({
          calls: this.#core.calls,
          gateway: this.#gateway,
          wishes: this.#wishes,
          reload: () => this.#configuration.reload(),
          consumers: () => this.#consumers(),
          debug: () => this.#diagnosis.take(),
        }),
        onFanout: (seconds) => this.#metrics.fanout.observe(seconds),
        onBug: (error) => logger.error({ err: error }, 'a request of a local client failed inside figd'),
      },
    );
  }

  /**
   * Opens the local sockets and the metrics, then sets off for the venue.
   * @throws what makes it impossible to serve at all: a path or port that cannot be used, or another daemon
   */
  async start(): Promise<void> {
    const { logger, storage, version } = this.#options;
    const { local, metrics, venue } = this.#configuration.settings;
    setDefaultAutoSelectFamilyAttemptTimeout(addressAttemptMs);
    try {
      await this.#local.start();
      await this.#gateway.start();
      this.#closeMetrics = await openMetrics({
        logger,
        address: metrics,
        registry: this.#metrics.registry,
        health: () => this.#core.watch.current(),
      });
    } catch (error) {
      await this.#gateway.stop();
      await this.#local.stop('figd could not start');
      await storage.close(this.#core.log.head);
      throw error;
    }
    this.#core.start();
    this.#tickers = [
      setInterval(() => this.#core.lookAtClock(), clockLookMs),
      setInterval(() => this.#everySecond(), secondMs),
    ];
    const { epoch, head } = this.#core.log;
    logger.info({ version, directory: local.directory, venue: venue.socketUrl, epoch, head }, 'figd started');
  }

  /** Ends the session in good order, says bye to the consumers and releases everything. Once; later calls wait. */
  stop(reason: string): Promise<void> {
    this.#stopped ??= this.#stop(reason);
    return this.#stopped;
  }

  /** Keeps what can be kept, and says bye, once something has failed that nothing is made to survive. */
  async rescue(reason: string): Promise<void> {
    this.#stopTickers();
    // Each of them as if the others had failed.
    await Promise.allSettled([this.#core.machines.abandon(), this.#local.stop(reason), this.#keep()]);
  }

  /** What a service manager wants to know of the daemon. */
  readonly report: ServiceReport = {
    line: () => {
      const { state, reason } = this.#core.watch.current();
      return `${state}: ${reason}`;
    },
    answers: () => {
      const answers = this.#core.machines.answer();
      if (!answers) this.#options.logger.fatal('a machine takes no events any more; the watchdog is not fed');
      return answers;
    },
  };

  /**
   * Writes into the log how the daemon is, whatever the level of the log. The warnings stand there already, and
   * journald cuts lines of more than 48 KiB.
   */
  diagnose(): void {
    const { warnings: _, ...diagnosis } = this.#diagnosis.take();
    this.#options.logger.child({}, { level: 'info' }).info({ diagnosis }, 'diagnostic dump');
  }

  /** Reads the configuration anew, as somebody who waits for no answer wants it: the log tells what came of it. */
  reload(): void {
    try {
      this.#configuration.reload();
    } catch (error) {
      // What is wrong with the configuration is in the log by now.
      if (!(error instanceof RpcError)) this.#options.logger.error({ err: error }, 'a reload failed inside figd');
    }
  }

  /** Other settings are in force. Whatever asks for them when it needs them is not told here. */
  #apply({ log, local, journal, gateway, venue }: Settings): void {
    this.#options.logger.level = log.level;
    this.#permissions.replace(gateway.allow);
    this.#venue.budget.setLimit(venue.requestsPerMinute);
    this.#options.storage.retain(journal);
    this.#local.limit(local);
    this.#core.settingsChanged();
  }

  #createCore(): Core {
    const { clock, random, vault, storage, onFatal } = this.#options;
    return new Core({
      settings: () => this.#configuration.settings,
      venue: this.#venue,
      vault,
      clock,
      random,
      store: storage.ledger,
      numbers: storage.numbers,
      journal: storage.journal,
      storageTrouble: storage.trouble,
      schedule: setImmediate,
      lookInterval: clockLookMs,
      permissions: this.#permissions,
      onFact: (fact) => {
        this.#renewal.learn(fact);
        this.#observe(fact);
      },
      ...this.#tellers,
      onFatal,
    });
  }

  #status(): StatusDocument {
    const { version, clock, storage } = this.#options;
    const { log, feed, ledger, watch, counters, intake, unknownCodes } = this.#core;
    return statusDocument({
      version,
      startedAt: this.#startedAt,
      socketUrl: this.#configuration.settings.venue.socketUrl,
      channels: this.#core.channels,
      clock,
      log,
      feed,
      storage,
      ledger,
      watch,
      unknownCodes,
      view: () => this.#core.machines.view(),
      subscribers: () => this.#local.subscribers(),
      gateway: () => this.#gateway.status(),
      counters: { ...counters, suppressedInOverlap: intake.suppressed },
    });
  }

  #consumers(): Promise<ConsumersReport> {
    const { maxConsumers } = this.#configuration.settings.local;
    const subscribers = this.#local.subscribers();
    return consumersReport({ log: this.#core.log, clock: this.#options.clock, maxConsumers, subscribers });
  }

  #everySecond(): void {
    this.#core.lookAround();
    this.#unrouted.look(this.#core.log.channels.find(unroutedChannel)?.events ?? 0);
    if (!this.#core.isRefused || !this.#credentialWatch.changed()) return;
    this.#options.logger.info('the credential files have changed');
    this.#wishes.refresh();
  }

  async #stop(reason: string): Promise<void> {
    const { logger } = this.#options;
    this.#isStopping = true;
    logger.info({ reason }, 'figd stops');
    await this.#core.stop();
    // Until then somebody has to look at the clock: a venue that takes its time to say goodbye is no host that slept.
    this.#stopTickers();
    await this.#gateway.stop();
    await this.#local.stop(reason);
    await this.#keep();
    await this.#closeMetrics?.();
    await this.#venue.close();
    this.#diagnosis.stop();
    logger.info('figd stopped');
  }

  #stopTickers(): void {
    for (const ticker of this.#tickers) clearInterval(ticker);
  }

  /** Has everything on disk and closes it, once. */
  #keep(): Promise<void> {
    this.#kept ??= this.#core.flush().then(() => this.#options.storage.close(this.#core.log.head));
    return this.#kept;
  }
}
