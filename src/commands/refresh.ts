import type { Command } from './command.ts';
import { controlCommand } from './terminal/control.ts';
import { type DaemonOptions, daemonOptions } from './terminal/daemon-options.ts';

/** `figd refresh`: renew the access token before its time. */
export const refresh: Command<DaemonOptions> = {
  command: 'refresh',
  describe: 'Renew the access token now',
  builder: (yargs) =>
    yargs
      .options(daemonOptions)
      .example('figd refresh', 'get a fresh token, after a change of roles for example')
      .epilogue('Exit code: 0 accepted, 1 not.'),
  handler: (options) => controlCommand(options, 'refresh'),
};
