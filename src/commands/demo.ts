import { type Command, exitCode } from './command.ts';

export interface DemoArguments {
  readonly seconds: number | undefined;
  readonly calm: boolean;
  readonly rate: number;
}

const ratePerSecond = 8;

/** `figd demo`: venue simulator, daemon and live tail in one, with faults that heal. */
export const demo: Command<DemoArguments> = {
  command: 'demo',
  describe: 'Show it at work on a simulated venue: no credentials, no configuration',
  builder: (yargs) =>
    yargs
      .option('seconds', { type: 'number', requiresArg: true, describe: 'End after so many seconds, with a summary' })
      .option('calm', { type: 'boolean', default: false, describe: 'Break nothing' })
      .option('rate', {
        type: 'number',
        default: ratePerSecond,
        requiresArg: true,
        describe: 'Venue events per second',
      })
      .example('figd demo', 'until Ctrl-C')
      .example('figd demo --seconds 30 | jq .channel', 'NDJSON when piped'),
  handler: async ({ seconds, calm, rate }) => {
    const [{ showDemo }, { screenFor }, { interrupted }, { stdout }, { UsageError }] = await Promise.all([
      import('./demo/show.ts'),
      import('./demo/screen.ts'),
      import('./terminal/interrupt.ts'),
      import('./terminal/output.ts'),
      import('./terminal/arguments.ts'),
    ]);
    if (seconds !== undefined && !(seconds > 0)) throw new UsageError('--seconds is a number above zero');
    if (!(rate > 0 && rate <= 5_000)) throw new UsageError('--rate is a number above zero, 5000 at most');
    const ends = [interrupted(), stdout.gone];
    if (seconds !== undefined) ends.push(AbortSignal.timeout(seconds * 1_000));
    const fatal = Promise.withResolvers<never>();
    const end = AbortSignal.any(ends);
    const shown = showDemo({ calm, rate, screen: screenFor(), end, onFatal: fatal.reject });
    const { lost, doubled, holes } = await Promise.race([shown, fatal.promise]);
    if (lost + doubled + holes > 0) process.exitCode = exitCode.failed;
  },
};
