import { LocalClient } from '../adapters/local-client.ts';
import { NotRunningError } from '../adapters/local-socket-errors.ts';
import { isRecord } from '../protocol/json-rpc.ts';
import type { OutageReport } from '../protocol/ledger.ts';
import { eventsSocketName } from '../protocol/local.ts';
import { type Command, ExitError, exitCode } from './command.ts';
import {
  asExit,
  type DaemonOptions,
  daemonOptions,
  journalDirectory,
  localDirectory,
} from './terminal/daemon-options.ts';
import { outageDocument, outagesView, type Since } from './terminal/outages-view.ts';
import { notice, stdout } from './terminal/output.ts';
import { sinceArgument } from './terminal/since-argument.ts';
import { styleFor } from './terminal/style.ts';

interface OutagesOptions extends DaemonOptions {
  readonly 'journal.directory': string | undefined;
  readonly since: string;
  readonly json: boolean;
}

/** `figd outages`: the ledger of gaps, from the daemon or, where none runs, from the file it left. */
export const outages: Command<OutagesOptions> = {
  command: 'outages',
  describe: 'Show when figd could not hear the venue, why, and for how long',
  builder: (yargs) =>
    yargs
      .options({
        ...daemonOptions,
        'journal.directory': { type: 'string', requiresArg: true, describe: 'Directory of the ledger' },
        since: { type: 'string', requiresArg: true, default: '24h', describe: 'How far back, 7d, or since which date' },
        json: { type: 'boolean', default: false, describe: 'Print one JSON document' },
      })
      .example('figd outages', 'the gaps of the last 24 hours, and how much of them figd was live')
      .example('figd outages --since 7d', 'the same of a week, with a line a day')
      .example('figd outages --since 2026-10-07T09:30 --json | jq .livePercent', 'a number for your own reports')
      .epilogue(
        'Where no daemon runs, it reads the ledger that the last one left. Exit code: 0, or 3 where there is neither.',
      ),
  handler: async (options) => {
    const since = sinceArgument(options.since, Date.now());
    const report = await ask(options, since);
    await stdout.write(options.json ? asJson(report, since) : outagesView(report, since, style()));
  },
};

const style = () => styleFor(stdout.isTerminal, process.env);

function asJson(report: OutageReport, since: Since): string {
  return `${JSON.stringify(outageDocument(report, since), null, stdout.isTerminal ? 2 : 0)}\n`;
}

async function ask(options: OutagesOptions, { at }: Since): Promise<OutageReport> {
  const path = `${await localDirectory(options)}/${eventsSocketName}`;
  let client: LocalClient | undefined;
  try {
    client = await LocalClient.connect(path);
    const report = await client.request('outages', { since: at });
    if (!isRecord(report)) throw new TypeError('the daemon sent no report of its outages');
    return report as unknown as OutageReport;
  } catch (error) {
    if (error instanceof NotRunningError) return await readFile(options, path, at);
    throw asExit(error);
  } finally {
    client?.close();
  }
}

async function readFile(options: OutagesOptions, socket: string, since: number): Promise<OutageReport> {
  const directory = await journalDirectory(options.config, options['journal.directory']);
  const { ledgerFileName, LedgerUnreadableError, readLedger } = await import('../adapters/sqlite-ledger.ts');
  const path = `${directory}/${ledgerFileName}`;
  const none = `no daemon at ${socket}`;
  try {
    const report = readLedger(directory, since, Date.now());
    if (report === null) throw new ExitError(exitCode.notRunning, `not running: ${none}, and no ledger at ${path}`);
    await notice(`${none}; this is the ledger it left, ${path}`);
    return report;
  } catch (error) {
    if (error instanceof LedgerUnreadableError) throw new ExitError(exitCode.failed, `${none}, and ${error.message}`);
    throw error;
  }
}
