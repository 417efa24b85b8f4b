import type { Logger } from '../adapters/logger.ts';
import type { ServiceManager } from '../adapters/service-manager.ts';
import type { Configuration } from '../config/configuration-source.ts';
import type { Clock } from '../protocol/clock.ts';
import { controlSocketName, eventsSocketName, gatewaySocketName } from '../protocol/local.ts';
import { type Command, ExitError, exitCode } from './command.ts';
import {
  type ConfigurationArguments,
  configurationExit,
  configurationSource,
  orExit,
  trustAsSet,
  withConfiguration,
} from './configuration.ts';
import { Crash } from './crash.ts';

export const run: Command<ConfigurationArguments> = {
  command: 'run',
  describe: 'Run the daemon in the foreground',
  builder: async (yargs) =>
    (await withConfiguration(yargs))
      .example('figd run', 'with /etc/figd/figd.yaml')
      .example('figd run --config figd.yaml --log.level debug', 'with a file of your own, saying more'),
  handler: async (argv) => {
    const stopping = stopSignal();
    const hangUps = new HangUps();
    process.on('SIGQUIT', tooEarly);
    // Node would open its debugger on it, to which every program of the host could talk.
    process.on('SIGUSR1', () => process.stderr.write('figd: SIGUSR1 means nothing to figd\n'));
    const inherited = await inheritOrExit();
    const source = await configurationSource(argv);
    const configuration = await orExit(() => source.read());
    const { settings } = configuration;
    await trustAsSet(settings);
    const [{ Vault }, { createLogger }, { RecentLines }, { systemClock }, { openStorage }, { Daemon }, { version }] =
      await Promise.all([
        import('../adapters/vault.ts'),
        import('../adapters/logger.ts'),
        import('../adapters/recent-lines.ts'),
        import('../adapters/system-clock.ts'),
        import('../daemon/storage.ts'),
        import('../daemon/daemon.ts'),
        import('../version.ts'),
      ]);
    const vault = new Vault(configuration.credentials);
    const recent = new RecentLines();
    const logger = createLogger({
      level: settings.log.level,
      pretty: process.stdout.isTTY === true,
      redact: (line) => vault.redact(line),
      onLine: (line) => recent.note(line),
    });
    const clock = systemClock();
    const onTrouble = (trouble: string | null) => {
      if (trouble === null) logger.info('everything is kept on disk again');
      else logger.error(`not everything is kept on disk: ${trouble}`);
    };
    const storage = await storageOrExit(() => openStorage(settings, { now: clock.monotonic, onTrouble }), settings);
    const crash = new Crash({ logger, clock, exit: (code) => process.exit(code) });
    // A rejection that nobody handles comes here too.
    process.removeAllListeners('uncaughtException').on('uncaughtException', crash.happened);
    const daemon = new Daemon({
      configuration,
      source,
      version,
      vault,
      storage,
      logger,
      warnings: () => recent.lines,
      inherited,
      clock,
      random: Math.random,
      onFatal: crash.happened,
    });
    let manager: ServiceManager | null = null;
    crash.prepare(async () => {
      manager?.stopping();
      await daemon.rescue('internal failure');
      manager?.close();
    });
    await startOrExit(() => daemon.start(), settings);
    manager = await managerOrNone(logger, clock);
    manager?.started(daemon.report);
    hangUps.handle(() => {
      manager?.reloading();
      daemon.reload();
      manager?.ready();
    });
    process.off('SIGQUIT', tooEarly).on('SIGQUIT', () => daemon.diagnose());
    const reason = await stopping;
    manager?.stopping();
    try {
      await daemon.stop(reason);
      manager?.close();
    } catch (error) {
      crash.happened(error);
    }
  },
};

/** Before anything else, so that no child sees the variables; a socket unit that is wrong is a matter of configuration. */
async function inheritOrExit() {
  const { inheritSockets, SocketActivationError } = await import('../adapters/socket-activation.ts');
  const { ConfigurationError } = await import('../config/load.ts');
  return orExit(() => {
    try {
      return inheritSockets(process.env, process.pid);
    } catch (error) {
      if (!(error instanceof SocketActivationError)) throw error;
      const names = [eventsSocketName, controlSocketName, gatewaySocketName].join(', ');
      const advice = `let socket units have ListenStream= for these alone: ${names}`;
      throw new ConfigurationError([{ key: 'LISTEN_FDS', problem: error.message, advice }]);
    }
  });
}

/** Who started this process, where that wants to hear of it; where it cannot, the log says so. */
async function managerOrNone(logger: Logger, clock: Clock): Promise<ServiceManager | null> {
  const { serviceManager } = await import('../adapters/service-manager.ts');
  const { NotifySocketError } = await import('../adapters/notify-socket.ts');
  try {
    return serviceManager(process.env, process.pid, clock);
  } catch (error) {
    if (!(error instanceof NotifySocketError)) throw error;
    logger.error(`the service manager cannot be told that figd runs: ${error.message}`);
    return null;
  }
}

/** Without it, SIGQUIT would end a daemon that somebody only wants to look into. */
function tooEarly(): void {
  process.stderr.write('figd: SIGQUIT asks for a diagnostic dump, and figd is only starting: there is none\n');
}

/** Listens for SIGHUP from the first moment on: a reload that is asked for while figd starts must not kill it. */
class HangUps {
  #reload: (() => void) | null = null;
  #isWaiting = false;

  constructor() {
    process.on('SIGHUP', () => {
      if (this.#reload === null) this.#isWaiting = true;
      else this.#reload();
    });
  }

  /** From now on `reload` is called each time, and now if it was asked for before. */
  handle(reload: () => void): void {
    this.#reload = reload;
    if (this.#isWaiting) reload();
  }
}

/** Resolves with the name of the signal that asks for an end. A second signal ends the process at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}

type Settings = Configuration['settings'];

async function storageOrExit<T>(open: () => Promise<T>, { local, journal }: Settings): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const { DirectoryTakenError } = await import('../adapters/journal/disk-journal.ts');
    if (!(error instanceof DirectoryTakenError)) throw error;
    const { whoServes } = await import('../adapters/local-sockets.ts');
    const running = await whoServes(local.directory);
    if (running !== null) throw new ExitError(exitCode.failed, running.message);
    const { ConfigurationError } = await import('../config/load.ts');
    const problem = error.message;
    const advice = 'give each daemon a directory of its own';
    throw configurationExit(
      new ConfigurationError([{ key: 'journal.directory', problem, advice, where: journal.directory }]),
    );
  }
}

async function startOrExit(start: () => Promise<void>, { local, metrics }: Settings): Promise<void> {
  const { AlreadyRunningError, LocalPathError } = await import('../adapters/local-sockets.ts');
  const { ConfigurationError } = await import('../config/load.ts');
  try {
    await start();
  } catch (error) {
    if (error instanceof AlreadyRunningError) throw new ExitError(exitCode.failed, error.message);
    if (error instanceof LocalPathError) {
      throw configurationExit(
        new ConfigurationError([{ key: 'local.directory', problem: error.message, where: local.directory }]),
      );
    }
    // A name that is none fails before a port that is taken does.
    const listens =
      error instanceof Error && 'syscall' in error && /^(listen|getaddrinfo)$/.test(String(error.syscall));
    if (listens && metrics !== 'off') {
      const { host, port } = metrics.listen;
      const problem = `cannot listen on ${host}:${port}: ${error.message}`;
      const advice = 'choose another address, or metrics: off';
      throw configurationExit(new ConfigurationError([{ key: 'metrics.listen', problem, advice }]));
    }
    throw error;
  }
}
