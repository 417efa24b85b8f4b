import type { Command } from './command.ts';
import { controlCommand } from './terminal/control.ts';
import { type DaemonOptions, daemonOptions } from './terminal/daemon-options.ts';

/** `figd rotate`: let a second session take over from the one that is live, without a gap. */
export const rotate: Command<DaemonOptions> = {
  command: 'rotate',
  describe: 'Open a second venue session and let it take over, without a gap',
  builder: (yargs) =>
    yargs
      .options(daemonOptions)
      .example('figd rotate', 'before the maintenance of a host on the way to the venue')
      .epilogue('It needs a live session; each event is published once. Exit code: 0 accepted, 1 not.'),
  handler: (options) => controlCommand(options, 'rotate'),
};
