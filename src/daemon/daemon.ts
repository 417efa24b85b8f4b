import { randomBytes } from 'node:crypto';
import { setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import { createActor, type InspectionEvent } from 'xstate';
import { LocalServer } from '../adapters/local-server.ts';
import type { Logger } from '../adapters/logger.ts';
import { Metrics } from '../adapters/metrics.ts';
import { serveMetrics } from '../adapters/metrics-server.ts';
import type { ApiKey, Vault } from '../adapters/vault.ts';
import type { VenueSessionPorts } from '../adapters/venue-session.ts';
import type { Settings } from '../config/settings.ts';
import { EventLog } from '../log/event-log.ts';
import { MemoryLedger } from '../log/memory-ledger.ts';
import { deriveHealth } from '../machines/policies/health.ts';
import type { Clock } from '../protocol/clock.ts';
import { RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import { gapChannel, type StateMessage, stateChannel } from '../protocol/local.ts';
import type { StatusDocument } from '../protocol/status.ts';
import { type ActorPorts, wireSupervisor } from './actors.ts';
import { controlMethods } from './control.ts';
import { CredentialWatch } from './credential-watch.ts';
import { Gaps } from './gaps.ts';
import { Intake } from './intake.ts';
import { emptyCounters, observe } from './observer.ts';
import { healthFacts, type Supervisor, viewOf } from './snapshot.ts';
import { StateWatch } from './state-watch.ts';
import { statusDocument } from './status.ts';
import { reachVenue, type Venue } from './venue.ts';

export interface DaemonOptions {
  readonly settings: Settings;
  readonly version: string;
  readonly vault: Vault;
  /** Files the credentials come from; while the venue refuses them, a change is noticed within a second. */
  readonly credentialFiles: readonly string[];
  /** Reads the credentials anew. @throws what is wrong with them */
  readonly reloadCredentials: () => ApiKey;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** A machine died or the impossible happened: the process must end with exit code 70. */
  readonly onFatal: (error: unknown) => void;
}

/** Far hosts need more than Node's half second for each address they have (Happy Eyeballs, RFC 8305). */
const addressAttemptMs = 2_500;
const secondMs = 1_000;
const stopDeadlineMs = 3_500;

/** The composition of everything: the only place that creates an actor. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #log: EventLog;
  readonly #intake: Intake;
  readonly #venue: Venue;
  readonly #supervisor: Supervisor;
  readonly #watch: StateWatch;
  readonly #gaps: Gaps;
  readonly #local: LocalServer;
  readonly #metrics: Metrics;
  readonly #credentialWatch: CredentialWatch;
  readonly #counters = emptyCounters();
  readonly #startedAt: number;
  readonly #status: () => StatusDocument;
  #closeMetrics: (() => Promise<void>) | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #refreshScheduled = false;
  #stopped: Promise<void> | undefined;

  constructor(options: DaemonOptions) {
    const { settings, version, clock, logger } = options;
    this.#options = options;
    this.#startedAt = Math.round(clock.wall());
    this.#log = new EventLog({
      epoch: randomBytes(8).toString('hex'),
      ringBytes: settings.journal.ring,
      schedule: setImmediate,
    });
    this.#intake = new Intake(this.#log, clock);
    this.#venue = reachVenue(options);
    this.#gaps = new Gaps((message) => this.#publishOwn(gapChannel, message));
    this.#credentialWatch = new CredentialWatch(options.credentialFiles);
    this.#supervisor = this.#createSupervisor();
    const socketHost = new URL(settings.venue.socketUrl).host;
    let lastView = viewOf(this.#supervisor);
    // While figd says bye its machines are gone already; the last they said stands.
    const view = () => {
      if (this.#supervisor.getSnapshot().status === 'active') lastView = viewOf(this.#supervisor);
      return lastView;
    };
    this.#watch = new StateWatch({
      derive: () =>
        deriveHealth(
          healthFacts(view(), { now: clock.monotonic(), socketHost, lastHeardAt: this.#intake.lastHeardAt }),
        ),
      wall: () => Math.round(clock.wall()),
      onChange: (message) => this.#stateChanged(message),
    });
    this.#status = () =>
      statusDocument({
        version,
        startedAt: this.#startedAt,
        socketUrl: settings.venue.socketUrl,
        configuredChannels: settings.session.channels,
        clock,
        log: this.#log,
        gaps: this.#gaps,
        watch: this.#watch,
        view,
        subscribers: () => this.#local.subscribers(),
        counters: { ...this.#counters, suppressedInOverlap: this.#intake.suppressed },
      });
    const ledger = new MemoryLedger(this.#startedAt);
    this.#metrics = new Metrics(this.#status, () => clock.wall());
    this.#local = new LocalServer(
      { ...settings.local, version },
      {
        log: this.#log,
        clock,
        schedule: setImmediate,
        state: () => this.#watch.state,
        status: this.#status,
        outages: (since) => ({ now: clock.wall(), beganAt: ledger.beganAt, gaps: ledger.gapsSince(since) }),
        control: controlMethods({
          rest: this.#venue.rest,
          reconnect: () => this.#reconnect(),
          rotate: () => this.#rotate(),
          refresh: () => this.refresh(),
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
    const { logger, settings, onFatal } = this.#options;
    setDefaultAutoSelectFamilyAttemptTimeout(addressAttemptMs);
    await this.#local.start();
    try {
      await this.#startMetrics();
    } catch (error) {
      await this.#local.stop('figd could not start');
      throw error;
    }
    this.#supervisor.on('*', this.#observer());
    this.#supervisor.subscribe({ error: onFatal });
    this.#supervisor.start();
    this.#ticker = setInterval(() => this.#everySecond(), secondMs);
    await this.#credentialWatch.changed();
    logger.info({ directory: settings.local.directory, venue: settings.venue.socketUrl }, 'figd started');
  }

  /** Ends the session in good order, says bye to the consumers and releases everything. Once; later calls wait. */
  stop(reason: string): Promise<void> {
    this.#stopped ??= this.#stop(reason);
    return this.#stopped;
  }

  /** Reads the credentials anew and asks for a token with them. @returns what happens now */
  refresh(): string {
    const { reloadCredentials, vault, logger } = this.#options;
    let detail = 'asking for a new token';
    try {
      vault.replaceCredentials(reloadCredentials());
    } catch (error) {
      detail += ' with the credentials figd has: the new ones cannot be read, see the log';
      logger.error({ err: error }, 'the credentials cannot be read anew');
    }
    this.#supervisor.send({ type: 'refresh' });
    return detail;
  }

  #reconnect(): string {
    const before = viewOf(this.#supervisor).session;
    this.#supervisor.send({ type: 'reconnect' });
    return before === null ? 'dialling now' : `session ${before.context.id} is closed and a new one is dialled`;
  }

  #rotate(): string {
    const { session } = viewOf(this.#supervisor);
    if (session?.state !== 'live')
      throw new RpcError(rpcErrorCode.notLive, 'there is no live session to take over from');
    this.#supervisor.send({ type: 'rotate' });
    return `a second session is dialled to take over from session ${session.context.id}`;
  }

  #createSupervisor(): Supervisor {
    const { settings, clock, random } = this.#options;
    const { session, token } = settings;
    const onStrayReply = () => {
      this.#counters.strayReplies += 1;
    };
    const intake = this.#intake;
    const dial: ActorPorts['dial'] = (id, handlers) => {
      const publish: VenueSessionPorts['publish'] = (event, receivedAt) => intake.take(id, event, receivedAt);
      const dialled = this.#venue.dial(handlers, { publish, onStrayReply, onSubscribing: () => intake.join(id) });
      intake.begin(id, dialled);
      return dialled;
    };
    const ended: ActorPorts['ended'] = (id) => intake.end(id);
    return createActor(wireSupervisor({ endpoint: this.#venue.tokens, dial, ended }), {
      clock,
      inspect: (event) => this.#inspect(event),
      input: {
        settings: {
          authenticateWith: session.authenticateWith,
          session,
          backoff: session.backoff,
          token,
        },
        now: () => clock.monotonic(),
        random,
      },
    });
  }

  #observer() {
    const { logger, settings, clock } = this.#options;
    return observe({
      logger,
      metrics: this.#metrics,
      gaps: this.#gaps,
      counters: this.#counters,
      channels: settings.session.channels,
      wall: () => clock.wall(),
      lastHeardAt: () => clock.wall() - (clock.monotonic() - (this.#intake.lastHeardAt ?? clock.monotonic())),
    });
  }

  /** The state is derived anew after each transition of any machine, once a turn. */
  #inspect(event: InspectionEvent): void {
    if (event.type !== '@xstate.snapshot' || this.#refreshScheduled) return;
    this.#refreshScheduled = true;
    queueMicrotask(() => {
      this.#refreshScheduled = false;
      this.#watch.refresh();
    });
  }

  #stateChanged(message: StateMessage): void {
    const { logger } = this.#options;
    this.#publishOwn(stateChannel, message);
    const { state, previous, reason, next } = message;
    const line = `${state}: ${reason}`;
    if (state === 'live') logger.info({ state, previous }, line);
    else logger.warn({ state, previous, next }, line);
  }

  #publishOwn(channel: string, message: object): void {
    this.#log.append({
      channel,
      message: Buffer.from(JSON.stringify(message)),
      receivedAt: this.#options.clock.wall(),
      session: 0,
    });
  }

  async #startMetrics(): Promise<void> {
    const { settings, logger } = this.#options;
    if (settings.metrics === 'off') return;
    const { registry } = this.#metrics;
    const server = await serveMetrics({
      ...settings.metrics.listen,
      metrics: () => registry.metrics(),
      contentType: registry.contentType,
      health: () => this.#watch.current(),
    });
    this.#closeMetrics = server.close;
    logger.info({ host: settings.metrics.listen.host, port: server.port }, 'metrics listen');
  }

  #everySecond(): void {
    this.#watch.refresh();
    if (this.#watch.state !== 'blocked') return;
    this.#credentialWatch.changed().then(
      (changed) => {
        if (!changed) return;
        this.#options.logger.info('the credential files have changed');
        this.refresh();
      },
      (error: unknown) => this.#options.logger.error({ err: error }, 'the credential files cannot be looked at'),
    );
  }

  async #stop(reason: string): Promise<void> {
    const { logger } = this.#options;
    logger.info({ reason }, 'figd stops');
    clearInterval(this.#ticker);
    await this.#endSupervisor();
    this.#intake.stop();
    await this.#local.stop(reason);
    await this.#closeMetrics?.();
    await this.#venue.close();
    logger.info('figd stopped');
  }

  #endSupervisor(): Promise<void> {
    if (this.#supervisor.getSnapshot().status !== 'active') return Promise.resolve();
    return new Promise((resolve) => {
      const deadline = setTimeout(resolve, stopDeadlineMs);
      this.#supervisor.subscribe({
        complete: () => {
          clearTimeout(deadline);
          resolve();
        },
      });
      this.#supervisor.send({ type: 'stop' });
    });
  }
}
