import type { Command } from './command.ts';
import { controlCommand } from './terminal/control.ts';
import { type DaemonOptions, daemonOptions } from './terminal/daemon-options.ts';

/** `figd reconnect`: drop the venue session and dial again, without waiting for a backoff to end. */
export const reconnect: Command<DaemonOptions> = {
  command: 'reconnect',
  describe: 'Drop the venue session and dial again at once',
  builder: (yargs) =>
    yargs
      .options(daemonOptions)
      .example('figd reconnect', 'dial now instead of waiting for the next try')
      .epilogue('What the venue sends meanwhile is a gap, as after any disconnect. Exit code: 0 accepted, 1 not.'),
  handler: (options) => controlCommand(options, 'reconnect'),
};
