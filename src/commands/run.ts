import type { Settings } from '../config/settings.ts';
import { controlSocketName, eventsSocketName } from '../protocol/local.ts';
import { type Command, ExitError, exitCode } from './command.ts';
import {
  type ConfigurationArguments,
  configurationExit,
  orExit,
  settingsFrom,
  withConfiguration,
} from './configuration.ts';

export const run: Command<ConfigurationArguments> = {
  command: 'run',
  describe: 'Run the daemon in the foreground',
  builder: async (yargs) =>
    (await withConfiguration(yargs))
      .example('figd run', 'with /etc/figd/figd.yaml')
      .example('figd run --config figd.yaml --log.level debug', 'with a file of your own, saying more'),
  handler: async (argv) => {
    const stopping = stopSignal();
    const inherited = await inheritOrExit();
    const settings = await settingsFrom(argv);
    const { loadCredentials } = await import('../config/credentials.ts');
    const credentials = await orExit(() => loadCredentials(settings.credentials, process.env));
    const [{ Vault }, { createLogger }, { systemClock }, { Daemon }, { version }] = await Promise.all([
      import('../adapters/vault.ts'),
      import('../adapters/logger.ts'),
      import('../adapters/system-clock.ts'),
      import('../daemon/daemon.ts'),
      import('../version.ts'),
    ]);
    const vault = new Vault(credentials);
    const logger = createLogger({
      level: settings.log.level,
      pretty: process.stdout.isTTY === true,
      redact: (line) => vault.redact(line),
    });
    const ledger = await ledgerFor(settings, (trouble) => {
      if (trouble === null) logger.info('the ledger of gaps is written again');
      else logger.error(`the ledger of gaps is kept in memory only: ${trouble}`);
    });
    const fatal = Promise.withResolvers<never>();
    process.removeAllListeners('uncaughtException').on('uncaughtException', fatal.reject);
    const daemon = new Daemon({
      settings,
      version,
      vault,
      store: ledger.store,
      logger,
      inherited,
      credentialFiles: credentials.files,
      reloadCredentials: () => loadCredentials(settings.credentials, process.env),
      clock: systemClock(),
      random: Math.random,
      onFatal: fatal.reject,
    });
    await startOrExit(() => daemon.start(), settings);
    process.on('SIGHUP', () => daemon.refresh());
    try {
      await daemon.stop(await Promise.race([stopping, fatal.promise]));
      ledger.close();
    } catch (error) {
      logger.fatal({ err: error }, 'internal failure: figd ends so that a clean one can be started');
      // A machine that died leaves its children running: nothing in this process can be trusted to end in order.
      process.exit(exitCode.internal);
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
      const advice = `let the socket unit have ListenStream= for ${eventsSocketName} and ${controlSocketName} alone`;
      throw new ConfigurationError([{ key: 'LISTEN_FDS', problem: error.message, advice }]);
    }
  });
}

/** The ledger of gaps: in a file, so that it survives the daemon, or in memory where there is no journal. */
async function ledgerFor({ journal }: Settings, onTrouble: (message: string | null) => void) {
  if (!journal.enabled) {
    const { MemoryLedger } = await import('../log/memory-ledger.ts');
    return { store: new MemoryLedger(Date.now()), close: () => undefined };
  }
  const { openLedger } = await import('../adapters/sqlite-ledger.ts');
  const store = openLedger(journal.directory, { now: Date.now, retainFor: journal.retainFor, onTrouble });
  return { store, close: () => store.close() };
}

/** Resolves with the name of the signal that asks for an end. A second signal ends the process at once. */
function stopSignal(): Promise<string> {
  // Listened to from the first moment on: a reload that arrives while figd starts must not kill it.
  process.on('SIGHUP', () => undefined);
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}

async function startOrExit(
  start: () => Promise<void>,
  { local, metrics }: Awaited<ReturnType<typeof settingsFrom>>,
): Promise<void> {
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
    const listens = error instanceof Error && 'syscall' in error && error.syscall === 'listen';
    if (listens && metrics !== 'off') {
      const { host, port } = metrics.listen;
      const problem = `cannot listen on ${host}:${port}: ${error.message}`;
      const advice = 'choose another address, or metrics: off';
      throw configurationExit(new ConfigurationError([{ key: 'metrics.listen', problem, advice }]));
    }
    throw error;
  }
}
