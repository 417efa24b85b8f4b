import type { StepOutcome } from '../daemon/preflight.ts';
import { type Command, ExitError, exitCode } from './command.ts';
import { type ConfigurationArguments, orExit, settingsFrom, withConfiguration } from './configuration.ts';
import { stdout } from './terminal/output.ts';
import { type Style, styleFor } from './terminal/style.ts';

export type CheckArguments = ConfigurationArguments & { readonly json: boolean };

/** `figd check`: walks the way to live events without starting the daemon, a line a step. */
export const check: Command<CheckArguments> = {
  command: 'check',
  describe: 'Try every step to live events, without starting, and say what works',
  builder: async (yargs) =>
    (await withConfiguration(yargs))
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
      .example('figd check --config figd.yaml', 'before the first start')
      .epilogue('Exit code: 0 everything works, 1 something does not.'),
  handler: async (argv) => {
    const style = styleFor(stdout.isTerminal, process.env);
    const outcomes: StepOutcome[] = [];
    for await (const outcome of steps(argv)) {
      outcomes.push(outcome);
      if (!argv.json) await stdout.write(line(outcome, style));
    }
    const ok = outcomes.every(({ result }) => result === 'ok');
    if (argv.json) await stdout.write(`${JSON.stringify({ ok, steps: outcomes }, null, 2)}\n`);
    process.exitCode = ok ? exitCode.ok : exitCode.failed;
  },
};

/** Configuration and credentials come first: without them there is nothing to try. */
async function* steps(argv: CheckArguments): AsyncGenerator<StepOutcome> {
  const failed = (step: string, error: unknown): StepOutcome => {
    if (error instanceof ExitError) return { step, result: 'failed', detail: error.message };
    throw error;
  };
  let settings: Awaited<ReturnType<typeof settingsFrom>>;
  try {
    settings = await settingsFrom(argv);
  } catch (error) {
    yield failed('configuration', error);
    return;
  }
  const { profile, restUrl } = settings.venue;
  yield { step: 'configuration', result: 'ok', detail: `profile ${profile}, ${restUrl}` };
  const { loadCredentials } = await import('../config/credentials.ts');
  let credentials: ReturnType<typeof loadCredentials>;
  try {
    credentials = await orExit(() => loadCredentials(settings.credentials, process.env));
  } catch (error) {
    yield failed('credentials', error);
    return;
  }
  yield {
    step: 'credentials',
    result: 'ok',
    detail: `client id and secret read from ${credentials.source.clientSecret.from}`,
  };
  const [{ preflight }, { Vault }, { systemClock }] = await Promise.all([
    import('../daemon/preflight.ts'),
    import('../adapters/vault.ts'),
    import('../adapters/system-clock.ts'),
  ]);
  yield* preflight({ settings: () => settings, vault: new Vault(credentials), clock: systemClock() });
}

const stepWidth = 16;

function line({ step, result, detail, advice }: StepOutcome, style: Style): string {
  const mark = { ok: style.good('ok     '), failed: style.bad('FAILED '), skipped: style.dim('skipped') }[result];
  const [first = '', ...more] = detail.split('\n');
  const lines = [`${mark}  ${step.padEnd(stepWidth)} ${first}`, ...more];
  if (advice !== undefined) lines.push(`${' '.repeat(9 + stepWidth)} ${style.bold(advice)}`);
  return `${lines.join('\n')}\n`;
}
