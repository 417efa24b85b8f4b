import type { Command } from './command.ts';
import { controlCommand } from './terminal/control.ts';
import { type DaemonOptions, daemonOptions } from './terminal/daemon-options.ts';

/** `figd reload`: read the configuration again and apply what has changed. */
export const reload: Command<DaemonOptions> = {
  command: 'reload',
  describe: 'Read the configuration again and apply what has changed',
  builder: (yargs) =>
    yargs
      .options(daemonOptions)
      .example('figd reload', 'after channels, limits, the log level or the credentials were changed')
      .epilogue(
        'The daemon reads what it was started with: the same file, variables and options. Channels are subscribed to and ' +
          'given up on the live session. It names the keys that wait for a restart. One that cannot be used changes ' +
          'nothing. SIGHUP does the same. Exit code: 0 accepted, 1 not, with every problem on stderr.',
      ),
  handler: (options) => controlCommand(options, 'reload'),
};
